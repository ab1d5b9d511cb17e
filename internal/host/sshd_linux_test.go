package host

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"
)

// sshd is a real sshd for one test, on a port of its own: the test accepts, and
// gives each connection a process of it (sshd -i). The user who runs the tests
// may log in with key.
type sshd struct {
	t           *testing.T
	dir         string
	port        int
	key         string // the path of a private key that may log in
	hostKey     ssh.Signer
	knownHosts  string
	connections atomic.Int32 // how many TCP connections there were

	mu    sync.Mutex
	under []string // the words of a command that runs the sshd of each connection
	conns []net.Conn
	procs []*exec.Cmd
	logs  []*tail
}

// startSSHD starts an sshd with more lines of configuration. HOME is a
// directory of the test's own from then on, and there is no agent.
func startSSHD(t *testing.T, config ...string) *sshd {
	t.Helper()
	program, err := exec.LookPath("sshd")
	if err != nil {
		if program = "/usr/sbin/sshd"; !isFile(program) {
			t.Skip("NOT RUN against a real sshd: openssh-server is not installed")
		}
	}
	if os.Getuid() == 0 {
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SSH_AUTH_SOCK", "")
	t.Setenv("HOME", t.TempDir())
	s := &sshd{t: t, dir: t.TempDir()}
	s.hostKey = newKey(t, s.file("host_key"), "")
	s.key = s.file("id")
	signer := newKey(t, s.key, "")
	write(t, s.file("authorized_keys"), string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	// The first value of a keyword counts.
	lines := append(config, fmt.Sprintf("SetEnv PATH=%s HOME=%s", os.Getenv("PATH"), s.dir), "HostKey "+s.file("host_key"), "AuthorizedKeysFile "+s.file("authorized_keys"), "StrictModes no", "UsePAM no",
		"PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin yes", "PidFile none", "LoginGraceTime 20")
	write(t, s.file("sshd_config"), strings.Join(lines, "\n")+"\n")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.port = l.Addr().(*net.TCPAddr).Port
	s.knownHosts = s.file("known_hosts")
	write(t, s.knownHosts, s.knownLine()+"\n")
	served := make(chan struct{})
	go func() {
		defer close(served)
		s.serve(l, program)
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-served
		s.cut()
		for _, p := range s.procs {
			_ = p.Wait()
		}
		if t.Failed() {
			for _, log := range s.logs {
				t.Logf("sshd said:\n%s", log)
			}
		}
	})
	return s
}

func (s *sshd) serve(l net.Listener, program string) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		s.connections.Add(1)
		f, err := conn.(*net.TCPConn).File()
		if err != nil {
			s.t.Error(err)
			return
		}
		log := newTail(8192)
		s.mu.Lock()
		words := append(slices.Clone(s.under), program, "-i", "-e", "-f", s.file("sshd_config"))
		s.mu.Unlock()
		cmd := exec.Command(words[0], words[1:]...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = f, f, log
		if err := cmd.Start(); err != nil {
			s.t.Error(err)
			return
		}
		_ = f.Close()
		s.mu.Lock()
		s.conns, s.procs, s.logs = append(s.conns, conn), append(s.procs, cmd), append(s.logs, log)
		s.mu.Unlock()
	}
}

// cut cuts all connections, as a host that goes down does.
func (s *sshd) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, conn := range s.conns {
		_ = conn.(*net.TCPConn).SetLinger(0)
		if raw, err := conn.(*net.TCPConn).SyscallConn(); err == nil { // the processes have the socket, too
			_ = raw.Control(func(fd uintptr) { _ = syscall.Shutdown(int(fd), syscall.SHUT_RDWR) })
		}
		_ = conn.Close()
	}
	s.conns = nil
}

func (s *sshd) file(name string) string { return filepath.Join(s.dir, name) }

func (s *sshd) knownLine() string {
	return fmt.Sprintf("[127.0.0.1]:%d %s", s.port, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.hostKey.PublicKey()))))
}

// settings log in there.
func (s *sshd) settings() SSHSettings {
	no := false
	return SSHSettings{PrivateKeyPath: s.key, KnownHostsPath: s.knownHosts, Agent: &no}
}

func (s *sshd) target() SSHTarget { return SSHTarget{Host: "127.0.0.1", Port: s.port} }

// pool is a pool that is closed with the test.
func pool(t *testing.T, settings SSHSettings) *SSHPool {
	t.Helper()
	p := NewSSHPool(settings)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Logf("closing the pool: %v", err)
		}
	})
	return p
}

// newKey writes a new private key to path, and its public key beside it.
func newKey(t *testing.T, path, passphrase string) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(private, "")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(passphrase))
	}
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	if path != "" {
		write(t, path, string(pem.EncodeToMemory(block)))
		write(t, path+".pub", string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	}
	return signer
}

func currentUser(t *testing.T) string {
	t.Helper()
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return me.Username
}

func (s *sshd) fingerprint() string { return ssh.FingerprintSHA256(s.hostKey.PublicKey()) }

// realSSHD is where the conformance suite logs in by SSH.
func realSSHD(t *testing.T) (SSHSettings, SSHTarget) {
	t.Helper()
	d := startSSHD(t)
	return d.settings(), d.target()
}
