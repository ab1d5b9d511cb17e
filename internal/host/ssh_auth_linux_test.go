package host

import (
	"crypto/rand"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gliderssh "github.com/gliderlabs/ssh"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

func TestAFailedLoginSaysWhatWasTriedAndIsNotTriedAgain(t *testing.T) {
	d := startSSHD(t)
	settings := d.settings()
	wrong := newKey(t, d.file("wrong"), "")
	newKey(t, d.file("locked"), "planted-passphrase")
	write(t, d.file("config"), "IdentityFile "+d.file("locked")+"\nIdentityFile "+d.file("missing")+"\n")
	settings.PrivateKeyPath, settings.ConfigPath, settings.Password = d.file("wrong"), d.file("config"), "planted-password"
	p := pool(t, settings)
	for range 3 {
		_, err := p.Host(d.target(), Become{}).Shell(t.Context(), "true")
		mustSay(t, err, ErrAuth, "authorized_keys", currentUser(t)+"@127.0.0.1", "publickey ssh-ed25519 "+ssh.FingerprintSHA256(wrong.PublicKey())+" ("+d.file("wrong")+")",
			d.file("locked")+" (it has a passphrase", d.file("missing"), "the host takes publickey")
		if strings.Contains(err.Error(), "planted") || strings.Contains(err.Error(), "tried: password") {
			t.Errorf("error is %v", err)
		}
	}
	if _, err := p.Host(d.target(), Become{}).Dial(t.Context(), "tcp", "127.0.0.1:1"); err == nil {
		t.Error("it connects")
	}
	if n := d.connections.Load(); n != 1 {
		t.Errorf("there were %d connections", n)
	}
}

func TestWithoutAnyKeyTheErrorSaysSo(t *testing.T) {
	d := startSSHD(t)
	settings := d.settings()
	settings.PrivateKeyPath = ""
	mustSay(t, login(t, settings, d.target()), ErrAuth, "ssh.private_key_path", "tried: nothing")
}

func TestKeysComeFromWhereTheyAreNamed(t *testing.T) {
	d := startSSHD(t)
	no := false
	locked := newKey(t, d.file("locked"), "passphrase")
	write(t, d.file("authorized_keys"), read(t, d.file("id.pub"))+string(ssh.MarshalAuthorizedKey(locked.PublicKey())))
	home := os.Getenv("HOME")
	write(t, home+"/.ssh/id_ed25519", read(t, d.key))
	write(t, home+"/keys/127.0.0.1", read(t, d.key))
	write(t, d.file("config"), "Host 127.*\n  IdentityFile ~/keys/%h\n")
	for name, settings := range map[string]SSHSettings{
		"the key itself":           {PrivateKey: read(t, d.key), ConfigPath: os.DevNull},
		"a path":                   {PrivateKeyPath: d.key, ConfigPath: os.DevNull},
		"with a passphrase":        {PrivateKeyPath: d.file("locked"), Passphrase: "passphrase", ConfigPath: os.DevNull},
		"the usual place":          {},
		"the client configuration": {ConfigPath: d.file("config")},
	} {
		settings.KnownHostsPath, settings.Agent = d.knownHosts, &no
		if err := login(t, settings, d.target()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	mustSay(t, login(t, SSHSettings{PrivateKeyPath: d.file("locked"), Passphrase: "other", ConfigPath: os.DevNull + "", KnownHostsPath: d.knownHosts, Agent: &no},
		SSHTarget{Host: "127.0.0.1", Port: d.port, User: "nobody"}), ErrAuth, "", "not its passphrase")
}

// startAgent is an agent with keys.
func startAgent(t *testing.T, keys ...agent.AddedKey) string {
	t.Helper()
	keyring := agent.NewKeyring()
	for _, key := range keys {
		if err := keyring.Add(key); err != nil {
			t.Fatal(err)
		}
	}
	l, err := net.Listen("unix", t.TempDir()+"/agent")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(keyring, conn); _ = conn.Close() }()
		}
	}()
	return l.Addr().String()
}

func rawKey(t *testing.T, path string) any {
	t.Helper()
	key, err := ssh.ParseRawPrivateKey([]byte(read(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestAnAgentsKeysAreTried(t *testing.T) {
	d := startSSHD(t)
	other := newKey(t, d.file("other"), "")
	socket := startAgent(t, agent.AddedKey{PrivateKey: rawKey(t, d.file("other"))}, agent.AddedKey{PrivateKey: rawKey(t, d.key)})
	yes, no := true, false
	config := func(name, text string) string { write(t, d.file(name), text); return d.file(name) }
	for _, test := range []struct {
		name, env, config string
		agent             *bool
		ok                bool
		says              string
	}{
		{"from the environment", socket, os.DevNull, nil, true, ""},
		{"from the configuration", "", config("a", "IdentityAgent "+socket), nil, true, ""},
		{"asked for", socket, config("b", "IdentityAgent none"), &yes, true, ""},
		{"refused by the configuration", socket, config("c", "IdentityAgent none"), nil, false, "tried: nothing"},
		{"refused by the settings", socket, os.DevNull, &no, false, "tried: nothing"},
		{"asked for, and not there", "", os.DevNull, &yes, false, "SSH_AUTH_SOCK names none"},
		{"gone", "/nowhere/agent", os.DevNull, nil, false, "/nowhere/agent"},
		{"only the key of the file", socket, config("d", "IdentitiesOnly yes\nIdentityFile "+d.key+".pub"), nil, true, ""},
		{"only another key", socket, config("e", "IdentitiesOnly yes\nIdentityFile "+d.file("other")+".pub"), nil, false,
			"tried: publickey " + describeKey(other.PublicKey()) + " (agent); not tried: "},
	} {
		t.Setenv("SSH_AUTH_SOCK", test.env)
		err := login(t, SSHSettings{KnownHostsPath: d.knownHosts, ConfigPath: test.config, Agent: test.agent}, d.target())
		if test.ok != (err == nil) || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestACertificateBesideTheKeyIsShown(t *testing.T) {
	ca := newKey(t, "", "")
	dir := t.TempDir()
	write(t, dir+"/ca.pub", string(ssh.MarshalAuthorizedKey(ca.PublicKey())))
	d := startSSHD(t, "TrustedUserCAKeys "+dir+"/ca.pub")
	certified := newKey(t, d.file("certified"), "")
	cert := &ssh.Certificate{
		Key: certified.PublicKey(), CertType: ssh.UserCert, KeyId: "me", ValidPrincipals: []string{currentUser(t)},
		ValidBefore: uint64(time.Now().Add(time.Hour).Unix()),
	}
	if err := cert.SignCert(rand.Reader, ca); err != nil {
		t.Fatal(err)
	}
	settings := d.settings()
	settings.PrivateKeyPath = d.file("certified")
	if err := login(t, settings, d.target()); err == nil {
		t.Error("it is let in without")
	}
	write(t, d.file("certified-cert.pub"), string(ssh.MarshalAuthorizedKey(cert)))
	if err := login(t, settings, d.target()); err != nil {
		t.Error(err)
	}
	// The private key in an agent does as well.
	t.Setenv("SSH_AUTH_SOCK", startAgent(t, agent.AddedKey{PrivateKey: rawKey(t, d.file("certified"))}))
	write(t, d.file("config"), "IdentityFile "+d.file("certified")+"\n")
	if err := os.Remove(d.file("certified")); err != nil {
		t.Fatal(err)
	}
	if err := login(t, SSHSettings{KnownHostsPath: d.knownHosts, ConfigPath: d.file("config")}, d.target()); err != nil {
		t.Error(err)
	}
}

// passwordHost takes passwords; challenge is its keyboard-interactive method.
func passwordHost(t *testing.T, server *gliderssh.Server) (SSHTarget, *atomic.Int32) {
	t.Helper()
	t.Setenv("SSH_AUTH_SOCK", "")
	t.Setenv("HOME", t.TempDir())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	counted := &countingListener{Listener: l}
	hostKey := newKey(t, "", "")
	server.AddHostKey(hostKey)
	server.Handler = func(s gliderssh.Session) {
		cmd := exec.Command("/bin/sh", "-c", s.RawCommand())
		stdin, err := cmd.StdinPipe()
		if err != nil {
			t.Error(err)
			return
		}
		cmd.Stdout, cmd.Stderr = s, s.Stderr()
		go func() { _, _ = io.Copy(stdin, s); _ = stdin.Close() }()
		if err := cmd.Run(); err != nil {
			_ = s.Exit(1)
		}
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(counted) }()
	t.Cleanup(func() { _ = server.Close(); <-served })
	return SSHTarget{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, User: "me", HostKey: ssh.FingerprintSHA256(hostKey.PublicKey())}, &counted.n
}

type countingListener struct {
	net.Listener
	n atomic.Int32
}

func (l *countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.n.Add(1)
	}
	return conn, err
}

func TestAPasswordIsGivenOnceAndToNobodyElse(t *testing.T) {
	var given atomic.Int32
	check := func(password string) bool { given.Add(1); return password == "planted-right" }
	ask := func(questions ...string) gliderssh.KeyboardInteractiveHandler {
		return func(_ gliderssh.Context, challenger ssh.KeyboardInteractiveChallenge) bool {
			echos := make([]bool, len(questions))
			for i, q := range questions {
				echos[i] = strings.HasPrefix(q, "echo")
			}
			if _, err := challenger("", "welcome", nil, nil); err != nil {
				return false
			}
			for range 3 {
				answers, err := challenger("", "", questions, echos)
				if err != nil {
					return false
				}
				if len(answers) > 0 && check(answers[0]) {
					return true
				}
			}
			return false
		}
	}
	for _, test := range []struct {
		name, password string
		server         *gliderssh.Server
		ok             bool
		given          int32
		says           string
	}{
		{"password", "planted-right", &gliderssh.Server{PasswordHandler: func(_ gliderssh.Context, p string) bool { return check(p) }}, true, 1, ""},
		{"wrong password", "planted-wrong", &gliderssh.Server{PasswordHandler: func(_ gliderssh.Context, p string) bool { return check(p) }}, false, 1, "tried: password"},
		{"one question", "planted-right", &gliderssh.Server{KeyboardInteractiveHandler: ask("Password: ")}, true, 1, ""},
		{"wrong answer", "planted-wrong", &gliderssh.Server{KeyboardInteractiveHandler: ask("Password: ")}, false, 1, "tried: keyboard-interactive"},
		{"two questions", "planted-right", &gliderssh.Server{KeyboardInteractiveHandler: ask("Password: ", "Code: ")}, false, 0, "Code: "},
		{"a question that is echoed", "planted-right", &gliderssh.Server{KeyboardInteractiveHandler: ask("echo name: ")}, false, 0, "echo name"},
		{"no password", "", &gliderssh.Server{PasswordHandler: func(_ gliderssh.Context, p string) bool { return check(p) }}, false, 0, "tried: nothing"},
	} {
		given.Store(0)
		target, connections := passwordHost(t, test.server)
		p := pool(t, SSHSettings{Password: test.password, ConfigPath: os.DevNull})
		for range 2 {
			s, err := p.Host(target, Become{}).Shell(t.Context(), "true")
			if test.ok != (err == nil) {
				t.Errorf("%s: %v", test.name, err)
			}
			if err != nil {
				mustSay(t, err, ErrAuth, "", test.says)
				if strings.Contains(err.Error(), "planted") {
					t.Errorf("%s: the error holds the password: %v", test.name, err)
				}
				continue
			}
			_ = s.Close()
			if err := s.Wait(); err != nil {
				t.Errorf("%s: %v", test.name, err)
			}
		}
		if given.Load() != test.given || connections.Load() != 1 {
			t.Errorf("%s: it was given %d times, over %d connections", test.name, given.Load(), connections.Load())
		}
	}
}

func TestAHostThatCountsKeysIsSaidToDoSo(t *testing.T) {
	d := startSSHD(t)
	var keys []agent.AddedKey
	for range 8 {
		newKey(t, d.file("one"), "")
		keys = append(keys, agent.AddedKey{PrivateKey: rawKey(t, d.file("one"))})
	}
	t.Setenv("SSH_AUTH_SOCK", startAgent(t, keys...))
	p := pool(t, SSHSettings{KnownHostsPath: d.knownHosts, ConfigPath: os.DevNull})
	for range 2 {
		_, err := p.Host(d.target(), Become{}).Shell(t.Context(), "true")
		mustSay(t, err, ErrAuth, "IdentitiesOnly", "Too many authentication failures")
	}
	if n := d.connections.Load(); n != 1 {
		t.Errorf("there were %d connections", n)
	}
}

func TestALoginThatIsNotAnsweredIsNoFailedOne(t *testing.T) {
	hang := make(chan struct{})
	target, connections := passwordHost(t, &gliderssh.Server{PasswordHandler: func(gliderssh.Context, string) bool { <-hang; return false }})
	defer close(hang)
	p := pool(t, SSHSettings{Password: "x", ConfigPath: os.DevNull, ConnectTimeout: 300 * time.Millisecond})
	for range 2 {
		_, err := p.Host(target, Become{}).Shell(t.Context(), "true")
		mustSay(t, err, ErrUnreachable, "firewall", "no answer within 300ms")
	}
	if connections.Load() != 2 {
		t.Errorf("there were %d connections", connections.Load())
	}
}
