package host

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// login tries to get a shell, and returns the error.
func login(t *testing.T, settings SSHSettings, target SSHTarget) error {
	t.Helper()
	s, err := pool(t, settings).Host(target, Become{}).Shell(t.Context(), "true")
	if err != nil {
		return err
	}
	_ = s.Close()
	return s.Wait()
}

// mustSay checks that an error is of a kind, says all that, and gives advice.
func mustSay(t *testing.T, err, kind error, next string, all ...string) {
	t.Helper()
	var advice *Error
	if !errors.Is(err, kind) {
		t.Fatalf("error is %v", err)
	}
	if !errors.As(err, &advice) || !strings.Contains(advice.Next, next) {
		t.Errorf("advice is %+v", advice)
	}
	for _, want := range all {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestAnUnknownHostIsAnErrorThatNamesItsKey(t *testing.T) {
	d := startSSHD(t)
	settings := d.settings()
	settings.KnownHostsPath = d.file("none")
	err := login(t, settings, d.target())
	mustSay(t, err, ErrHostKey, "ssh-keyscan -p "+fmt.Sprint(d.port), "ssh-ed25519", d.fingerprint(), "127.0.0.1", d.file("none"))
	mustSay(t, err, ErrHostKey, "accept-new")
	mustSay(t, err, ErrHostKey, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(d.hostKey.PublicKey()))))
	if isFile(settings.KnownHostsPath) {
		t.Error("it was written down")
	}
}

func TestAHashedKnownHostIsKnown(t *testing.T) {
	d := startSSHD(t)
	key := strings.SplitN(d.knownLine(), " ", 2)[1]
	write(t, d.knownHosts, "# hashed\n"+knownhosts.HashHostname(fmt.Sprintf("[127.0.0.1]:%d", d.port))+" "+key+"\n")
	if err := login(t, d.settings(), d.target()); err != nil {
		t.Error(err)
	}
}

func TestAChangedHostKeyIsRefusedAlwaysAndNamed(t *testing.T) {
	d := startSSHD(t)
	other := newKey(t, "", "").PublicKey()
	line := fmt.Sprintf("# one\n\n[127.0.0.1]:%d %s", d.port, ssh.MarshalAuthorizedKey(other))
	for _, checking := range []string{"", HostKeyStrict, HostKeyAcceptNew} {
		write(t, d.knownHosts, line)
		settings := d.settings()
		settings.HostKeyChecking = checking
		mustSay(t, login(t, settings, d.target()), ErrHostKey, "installed anew", "ssh-ed25519", d.fingerprint(), ssh.FingerprintSHA256(other), d.knownHosts+":3")
		if read(t, d.knownHosts) != line {
			t.Errorf("%s: the file was changed", checking)
		}
	}
}

func TestAHostKeyOfAnotherTypeThanTheKnownOneHasChanged(t *testing.T) {
	d := startSSHD(t)
	other := newECDSA(t, d.file("ecdsa")).PublicKey()
	write(t, d.knownHosts, fmt.Sprintf("[127.0.0.1]:%d %s", d.port, ssh.MarshalAuthorizedKey(other)))
	settings := d.settings()
	settings.HostKeyChecking = HostKeyAcceptNew
	mustSay(t, login(t, settings, d.target()), ErrHostKey, "installed anew", describeKey(d.hostKey.PublicKey()), describeKey(other), d.knownHosts+":1")
}

func TestARevokedHostKeyIsRefused(t *testing.T) {
	d := startSSHD(t)
	key := strings.SplitN(d.knownLine(), " ", 2)[1]
	write(t, d.knownHosts, d.knownLine()+"\n@revoked * "+key+"\n")
	for _, checking := range []string{HostKeyStrict, HostKeyAcceptNew} {
		settings := d.settings()
		settings.HostKeyChecking = checking
		mustSay(t, login(t, settings, d.target()), ErrHostKey, "new one", "revokes", d.fingerprint(), d.knownHosts+":2")
	}
}

func TestTheTypeOfKeyThatIsKnownIsAskedFor(t *testing.T) {
	dir := t.TempDir()
	second := newECDSA(t, dir+"/ecdsa")
	d := startSSHD(t, "HostKey "+dir+"/ecdsa")
	write(t, d.knownHosts, fmt.Sprintf("[127.0.0.1]:%d %s", d.port, ssh.MarshalAuthorizedKey(second.PublicKey())))
	if err := login(t, d.settings(), d.target()); err != nil {
		t.Errorf("the second of its keys is known: %v", err)
	}
	settings := d.settings()
	settings.KnownHostsPath = d.file("none")
	for name, pin := range map[string]string{
		"key": string(ssh.MarshalAuthorizedKey(second.PublicKey())), "fingerprint": ssh.FingerprintSHA256(second.PublicKey()),
		"padded fingerprint": ssh.FingerprintSHA256(second.PublicKey()) + "=", "first key": string(ssh.MarshalAuthorizedKey(d.hostKey.PublicKey())),
	} {
		target := d.target()
		target.HostKey = pin
		if err := login(t, settings, target); err != nil {
			t.Errorf("the %s is pinned: %v", name, err)
		}
	}
}

func newECDSA(t *testing.T, path string) ssh.Signer {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(pem.EncodeToMemory(block)))
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func TestAPinGoesBeforeKnownHosts(t *testing.T) {
	d := startSSHD(t)
	other := newKey(t, "", "").PublicKey()
	ecdsa := newECDSA(t, d.file("ecdsa")).PublicKey()
	for _, pin := range []string{string(ssh.MarshalAuthorizedKey(other)), ssh.FingerprintSHA256(other)} {
		target := d.target()
		target.HostKey = pin
		mustSay(t, login(t, d.settings(), target), ErrHostKey, "host_key", "127.0.0.1", d.fingerprint(), ssh.FingerprintSHA256(other))
	}
	target := d.target()
	target.HostKey = string(ssh.MarshalAuthorizedKey(ecdsa))
	mustSay(t, login(t, d.settings(), target), ErrHostKey, "host_key", "no key of the type ecdsa-sha2-nistp256, but ssh-ed25519")
	target.HostKey = "AAAA"
	mustSay(t, login(t, d.settings(), target), ErrHostKey, "SHA256:", "cannot be read")
}

func TestAcceptNewWritesEachHostDownOnceHoweverManyAsk(t *testing.T) {
	d := startSSHD(t)
	settings := d.settings()
	settings.HostKeyChecking, settings.KnownHostsPath = HostKeyAcceptNew, d.file("new/dir/known_hosts")
	const hosts = 50
	var wg sync.WaitGroup
	for i := range hosts {
		for range 2 { // two pools for each host
			wg.Go(func() {
				h := &sshHop{user: "me", host: fmt.Sprint("host", i), port: 22, keyName: fmt.Sprint("host", i, ":22"), knownHosts: []string{settings.KnownHostsPath}, acceptNew: true}
				trust, err := newHostTrust(h)
				if err == nil {
					err = trust.check("", forwardedAddr{"tcp", "127.0.0.1:22"}, d.hostKey.PublicKey())
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	lines := strings.Split(strings.TrimSuffix(read(t, settings.KnownHostsPath), "\n"), "\n")
	seen := map[string]bool{}
	for _, line := range lines {
		fields := strings.Fields(line)
		if len(fields) != 3 || seen[fields[0]] {
			t.Errorf("the file has the line %q", line)
		}
		seen[fields[0]] = true
	}
	if len(lines) != hosts {
		t.Errorf("the file has %d lines", len(lines))
	}
	for path, mode := range map[string]os.FileMode{settings.KnownHostsPath: 0o600, d.file("new/dir"): 0o700 | os.ModeDir, d.file("new"): 0o700 | os.ModeDir} {
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	// And over a real handshake: known from then on, also for the strict.
	if err := login(t, settings, d.target()); err != nil {
		t.Error(err)
	}
	settings.HostKeyChecking = HostKeyStrict
	if err := login(t, settings, d.target()); err != nil {
		t.Error(err)
	}
}

func TestAcceptNewKeepsALineThatLacksItsEnd(t *testing.T) {
	d := startSSHD(t)
	settings := d.settings()
	settings.HostKeyChecking = HostKeyAcceptNew
	old := "other.lan " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(newKey(t, "", "").PublicKey())))
	write(t, d.knownHosts, old)
	if err := login(t, settings, d.target()); err != nil {
		t.Fatal(err)
	}
	if got := read(t, d.knownHosts); got != old+"\n"+d.knownLine()+"\n" {
		t.Errorf("the file is %q", got)
	}
}

func TestAKeyThatSomebodyElseHasLearntMeanwhileIsLookedAtAgain(t *testing.T) {
	file := t.TempDir() + "/known_hosts"
	h := &sshHop{user: "me", host: "nas", port: 22, keyName: "nas:22", knownHosts: []string{file}, acceptNew: true}
	trust, err := newHostTrust(h)
	if err != nil {
		t.Fatal(err)
	}
	other := newKey(t, "", "").PublicKey()
	write(t, file, knownhosts.Line([]string{"nas"}, other)+"\n")
	err = trust.check("", forwardedAddr{"tcp", "127.0.0.1:22"}, newKey(t, "", "").PublicKey())
	mustSay(t, err, ErrHostKey, "installed anew", "has changed", ssh.FingerprintSHA256(other))
}

func TestAHostWithACertificateIsKnownByItsAuthority(t *testing.T) {
	dir := t.TempDir()
	ca := newKey(t, "", "")
	host := newECDSA(t, dir+"/ecdsa")
	for _, test := range []struct {
		principal string
		ends      time.Time
		ok        bool
	}{
		{"127.0.0.1", time.Now().Add(time.Hour), true},
		{"other.lan", time.Now().Add(time.Hour), false},
		{"127.0.0.1", time.Now().Add(-time.Hour), false},
	} {
		cert := &ssh.Certificate{
			Key: host.PublicKey(), CertType: ssh.HostCert, KeyId: "nas", ValidPrincipals: []string{test.principal},
			ValidAfter: uint64(time.Now().Add(-2 * time.Hour).Unix()), ValidBefore: uint64(test.ends.Unix()),
		}
		if err := cert.SignCert(rand.Reader, ca); err != nil {
			t.Fatal(err)
		}
		write(t, dir+"/ecdsa-cert.pub", string(ssh.MarshalAuthorizedKey(cert)))
		d := startSSHD(t, "HostKey "+dir+"/ecdsa", "HostCertificate "+dir+"/ecdsa-cert.pub")
		write(t, d.knownHosts, fmt.Sprintf("@cert-authority [127.0.0.1]:%d %s", d.port, ssh.MarshalAuthorizedKey(ca.PublicKey())))
		err := login(t, d.settings(), d.target())
		if test.ok != (err == nil) {
			t.Errorf("%s until %s: %v", test.principal, test.ends, err)
		}
		if !test.ok {
			mustSay(t, err, ErrHostKey, "certificate", "127.0.0.1", "ecdsa-sha2-nistp256-cert-v01@openssh.com")
		}
		// Who does not know the authority is shown the key.
		write(t, d.knownHosts, fmt.Sprintf("[127.0.0.1]:%d %s", d.port, ssh.MarshalAuthorizedKey(host.PublicKey())))
		if err := login(t, d.settings(), d.target()); err != nil {
			t.Errorf("the key itself: %v", err)
		}
	}
}

func TestAFileOfHostKeysThatCannotBeReadIsNamed(t *testing.T) {
	d := startSSHD(t)
	write(t, d.knownHosts, d.knownLine()+"\nnas.lan ssh-ed25519 AAA!\n")
	mustSay(t, login(t, d.settings(), d.target()), ErrHostKey, "line", d.knownHosts+":2")
	if !bytes.Contains([]byte(read(t, d.knownHosts)), []byte("AAA!")) {
		t.Error("the file was changed")
	}
}
