package host

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	xknownhosts "golang.org/x/crypto/ssh/knownhosts"
)

// Host key algorithms, in OpenSSH's order of preference.
var (
	plainAlgorithms = []string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA,
	}
	certAlgorithms = []string{
		ssh.CertAlgoED25519v01, ssh.CertAlgoECDSA256v01, ssh.CertAlgoECDSA384v01, ssh.CertAlgoECDSA521v01,
		ssh.CertAlgoRSASHA512v01, ssh.CertAlgoRSASHA256v01, ssh.CertAlgoRSAv01,
	}
)

// algorithmsOf are those that a host with a key of this type signs with.
func algorithmsOf(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
	}
	return []string{keyType}
}

// hostTrust judges the keys that a host shows: by its pin, or by known_hosts.
type hostTrust struct {
	hop    *sshHop
	judge  func(remote net.Addr, key ssh.PublicKey) error
	rounds [][]string // the algorithms of the attempts that are left, the current one first

	mu     sync.Mutex
	shown  []string // what the host has shown in place of its pin
	failed error
}

// newHostTrust reads the files of host keys.
func newHostTrust(hop *sshHop) (*hostTrust, error) {
	t := &hostTrust{hop: hop}
	if hop.pin != "" {
		return t, t.pinned()
	}
	db, err := readKnownHosts(hop.knownHosts)
	if err != nil {
		return nil, t.refuse("Correct that line, or remove it.", "%s: %v", hop, err)
	}
	t.judge = func(remote net.Addr, key ssh.PublicKey) error { return t.judgeKnown(db, remote, key) }
	t.rounds = [][]string{knownAlgorithms(db, hop.keyName)}
	return t, nil
}

// readKnownHosts reads those files that there are.
func readKnownHosts(files []string) (*knownhosts.HostKeyDB, error) {
	var there []string
	for _, file := range files {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) { //nolint:gosec // the user names it
			continue
		}
		there = append(there, file)
	}
	return knownhosts.NewDB(there...)
}

// knownAlgorithms are those of the keys that are known first, so that the host
// shows one of these. The others follow: a host that no longer has any of them
// then shows another, and the error can name it.
func knownAlgorithms(db *knownhosts.HostKeyDB, name string) []string {
	var known []string
	for _, key := range db.HostKeys(name) {
		if key.Cert {
			known = append(slices.Clone(certAlgorithms), known...)
			continue
		}
		known = append(known, algorithmsOf(key.Type())...)
	}
	var all []string
	for _, algorithm := range append(known, plainAlgorithms...) {
		if !slices.Contains(all, algorithm) {
			all = append(all, algorithm)
		}
	}
	return all
}

func (t *hostTrust) algorithms() []string { return t.rounds[0] }

// another tells whether the host can be asked for a key of another type.
func (t *hostTrust) another() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.rounds) < 2 || t.failed == nil {
		return false
	}
	t.rounds, t.failed = t.rounds[1:], nil
	return true
}

// err is why the host's key was not taken.
func (t *hostTrust) err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed
}

// check is a HostKeyCallback.
func (t *hostTrust) check(_ string, remote net.Addr, key ssh.PublicKey) error {
	return t.fail(t.judge(remote, key))
}

// wrongType is the error of a host that has no key of the type that is pinned; nil when err is about something else.
func (t *hostTrust) wrongType(err error) error {
	var none *ssh.AlgorithmNegotiationError
	if t.hop.pin == "" || !errors.As(err, &none) || none.What != "host key" {
		return nil
	}
	t.mu.Lock()
	shown := strings.Join(t.shown, ", ")
	t.mu.Unlock()
	if shown == "" {
		shown = "no key of the type " + strings.Join(t.algorithms(), ", ") + ", but " + strings.Join(none.RequestedAlgorithms, ", ")
	}
	return t.fail(t.mismatch("it shows %s, expected is %s", shown, t.hop.pin))
}

func (t *hostTrust) fail(err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failed = err
	return err
}

func (t *hostTrust) judgeKnown(db *knownhosts.HostKeyDB, remote net.Addr, key ssh.PublicKey) error {
	err := db.HostKeyCallback()(t.hop.keyName, remote, key)
	if !knownhosts.IsHostUnknown(err) {
		return t.verdict(err, key)
	}
	if t.hop.acceptNew {
		return t.learn(remote, key)
	}
	return t.unknown(key)
}

// verdict puts what known_hosts says of a key into words.
func (t *hostTrust) verdict(err error, key ssh.PublicKey) error {
	var revoked *xknownhosts.RevokedError
	var changed *xknownhosts.KeyError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &revoked):
		return t.refuse("Somebody has marked this key as stolen. Give the host a new one.",
			"%s shows %s, which %s:%d revokes", t.hop, describeKey(key), revoked.Revoked.Filename, revoked.Revoked.Line)
	case errors.As(err, &changed):
		var expected []string
		for _, want := range changed.Want {
			expected = append(expected, fmt.Sprintf("%s (%s:%d)", describeKey(want.Key), want.Filename, want.Line))
		}
		return t.mismatch("it shows %s, expected is %s", describeKey(key), strings.Join(expected, ", or "))
	}
	return t.refuse("Check the certificate of the host (ssh-keygen -L), and the @cert-authority lines of known_hosts.",
		"%s shows %s: %v", t.hop, describeKey(key), err)
}

func (t *hostTrust) mismatch(format string, args ...any) error {
	return t.refuse("The host was installed anew, or somebody stands between. Compare the fingerprint with the host's own "+
		"(ssh-keygen -lf on the public keys in /etc/ssh there). If it is right, replace the line, or ssh.host_key.",
		"the key of %s has changed: %s", t.hop, fmt.Sprintf(format, args...))
}

func (t *hostTrust) unknown(key ssh.PublicKey) error {
	files := "no file of host keys"
	if len(t.hop.knownHosts) > 0 {
		files = strings.Join(t.hop.knownHosts, " and ")
	}
	return t.refuse(fmt.Sprintf("Compare the fingerprint with the host's own (ssh-keygen -lf on the public keys in /etc/ssh there). "+
		"Then connect to it once with ssh, or append the output of \"ssh-keyscan -p %d %s\" to known_hosts, or set ssh.host_key to %q, "+
		"or the provider's ssh.host_key_checking to %q.",
		t.hop.port, t.hop.host, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))), HostKeyAcceptNew),
		"%s is not known: it shows %s, looked for as %s in %s", t.hop, describeKey(key), knownhosts.Normalize(t.hop.keyName), files)
}

func (t *hostTrust) refuse(next, format string, args ...any) error {
	return &Error{Err: fmt.Errorf("%w: %s", ErrHostKey, fmt.Sprintf(format, args...)), Next: next}
}

// describeKey is a key as ssh-keygen -l names it.
func describeKey(key ssh.PublicKey) string {
	return key.Type() + " " + ssh.FingerprintSHA256(key)
}
