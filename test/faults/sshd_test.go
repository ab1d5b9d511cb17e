//go:build linux

package faults_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// sshd is a real sshd for one trial. The harness stands between it and whoever
// connects, and can cut, or fall silent.
type sshd struct {
	t    testing.TB
	dir  string
	keys keys
	port int
	path string   // PATH of the shells
	in   []string // command that runs sshd elsewhere

	mu       sync.Mutex
	listener net.Listener
	links    []*link
	serving  sync.WaitGroup
}

// link is a connection to a process of sshd.
type link struct {
	outer, inner net.Conn // to whoever connects; to sshd
	daemon       *exec.Cmd
	silent       atomic.Bool
	copying      sync.WaitGroup
}

// keys let root in, and tell the host; made once for all trials.
type keys string

func (k keys) file(name string) string { return filepath.Join(string(k), name) }

var makeKeys = sync.OnceValues(func() (keys, error) {
	base, err := built()
	if err != nil {
		return "", err
	}
	k := keys(filepath.Join(base, "keys"))
	if err := os.Mkdir(string(k), 0o700); err != nil {
		return "", err
	}
	for _, name := range []string{"id", "host_key"} {
		if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", k.file(name)).CombinedOutput(); err != nil {
			return "", fmt.Errorf("%w: %s", err, out)
		}
	}
	return k, os.MkdirAll("/run/sshd", 0o755)
})

func startSSHD(t testing.TB, path string, in ...string) *sshd {
	t.Helper()
	keys, err := makeKeys()
	if err != nil {
		t.Fatal(err)
	}
	d := &sshd{t: t, dir: t.TempDir(), keys: keys, path: path, in: in}
	d.write("sshd_config", strings.Join([]string{
		"SetEnv PATH=" + path, "HostKey " + keys.file("host_key"), "AuthorizedKeysFile " + keys.file("id.pub"),
		"StrictModes no", "UsePAM no", "PasswordAuthentication no", "KbdInteractiveAuthentication no",
		"PermitRootLogin yes", "PidFile none", "LoginGraceTime 20"}, "\n")+"\n")
	d.write("ssh_config", "")
	d.listen("127.0.0.1:0")
	public, err := os.ReadFile(keys.file("host_key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	d.write("known_hosts", fmt.Sprintf("[127.0.0.1]:%d %s", d.port, public))
	t.Cleanup(d.stop)
	return d
}

func (d *sshd) file(name string) string { return filepath.Join(d.dir, name) }

func (d *sshd) write(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(d.file(name), []byte(text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *sshd) listen(address string) {
	d.t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		d.t.Fatal(err)
	}
	d.mu.Lock()
	d.listener, d.port = l, l.Addr().(*net.TCPAddr).Port
	d.mu.Unlock()
	d.serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if err := d.serve(conn); err != nil {
				d.t.Error(err)
				_ = conn.Close()
			}
		}
	})
}

// serve gives a connection a process of sshd.
func (d *sshd) serve(outer net.Conn) error {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	near, far := os.NewFile(uintptr(pair[0]), "near"), os.NewFile(uintptr(pair[1]), "far")
	defer func() { _, _ = near.Close(), far.Close() }()
	inner, err := net.FileConn(near)
	if err != nil {
		return err
	}
	argv := append(slices.Clone(d.in), "/usr/sbin/sshd", "-i", "-e", "-f", d.file("sshd_config"))
	k := &link{outer: outer, inner: inner, daemon: exec.Command(argv[0], argv[1:]...)}
	k.daemon.Stdin, k.daemon.Stdout = far, far
	k.daemon.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := k.daemon.Start(); err != nil {
		return err
	}
	k.copying.Go(func() { k.copy(inner, outer) })
	k.copying.Go(func() { k.copy(outer, inner) })
	d.mu.Lock()
	d.links = append(d.links, k)
	d.mu.Unlock()
	return nil
}

// copy hands on what comes, and the end of it, until the link falls silent.
func (k *link) copy(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if k.silent.Load() {
			_, _ = io.Copy(io.Discard, from) // a dead network takes what is sent, and loses it
			return
		}
		if n > 0 {
			if _, failed := to.Write(buffer[:n]); failed != nil {
				err = failed
			}
		}
		if err != nil {
			_, _ = to.Close(), from.Close()
			return
		}
	}
}

func (d *sshd) each(act func(*link)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, k := range d.links {
		act(k)
	}
}

// reset cuts all connections, on both sides.
func (d *sshd) reset() {
	d.each(func(k *link) {
		if tcp, ok := k.outer.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_, _ = k.outer.Close(), k.inner.Close()
	})
}

// silence has all connections that there are carry nothing more, without an end.
func (d *sshd) silence() { d.each(func(k *link) { k.silent.Store(true) }) }

// killDaemons kills the processes of sshd that serve connections, not what runs
// in their sessions.
func (d *sshd) killDaemons() {
	d.each(func(k *link) {
		for _, pid := range below(k.daemon.Process.Pid) {
			if nameOf(pid) == "sshd" || nameOf(pid) == "sshd-session" {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	})
}

// refuse has nobody connect any more, until accept.
func (d *sshd) refuse() {
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = d.listener.Close()
}

func (d *sshd) accept() { d.listen(fmt.Sprintf("127.0.0.1:%d", d.port)) }

func (d *sshd) stop() {
	d.refuse()
	d.serving.Wait()
	d.reset()
	d.each(func(k *link) {
		for _, pid := range below(k.daemon.Process.Pid) {
			if nameOf(pid) == "sshd" || nameOf(pid) == "sshd-session" {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
		_ = k.daemon.Wait()
		k.copying.Wait()
	})
}

// below are a process and all that come from it.
func below(pid int) []int {
	children := map[int][]int{}
	for _, child := range processes() {
		if parent, lives := parentOf(child); lives {
			children[parent] = append(children[parent], child)
		}
	}
	found := []int{pid}
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i]]...)
	}
	return found
}

func nameOf(pid int) string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(data))
}
