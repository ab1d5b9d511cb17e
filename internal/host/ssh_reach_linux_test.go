package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	gliderssh "github.com/gliderlabs/ssh"
	"golang.org/x/crypto/ssh"
)

func TestAHostThatCannotBeReachedIsAnErrorThatSaysWhy(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	port := func(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }
	for _, test := range []struct {
		name   string
		target SSHTarget
		says   string
		next   string
	}{
		{"refused", SSHTarget{Host: "127.0.0.1", Port: port(closed)}, "connection refused", "sshd runs"},
		{"a name that is not resolved", SSHTarget{Host: "nowhere.invalid"}, "nowhere.invalid is not resolved", "ssh.host"},
		{"silent", SSHTarget{Host: "127.0.0.1", Port: port(talker(t, nil))}, "no answer within 100ms", "firewall"},
		{"talks without end", SSHTarget{Host: "127.0.0.1", Port: port(talker(t, []byte("x")))}, "", ""},
		{"talks without end, in lines", SSHTarget{Host: "127.0.0.1", Port: port(talker(t, []byte("x\n")))}, "", ""},
		{"begins and stops", SSHTarget{Host: "127.0.0.1", Port: port(talker(t, []byte("SSH-2.0-x\r\n"), true))}, "no answer within 100ms", "firewall"},
		{"is no SSH server", SSHTarget{Host: "127.0.0.1", Port: port(listener(t, "tcp", "127.0.0.1:0"))}, "", ""},
	} {
		limit := 100 * time.Millisecond
		if test.says != "" && !strings.HasPrefix(test.says, "no answer") {
			limit = time.Minute // what is said comes by itself
		}
		p := pool(t, SSHSettings{ConnectTimeout: limit, ConfigPath: os.DevNull})
		for range 2 {
			_, err := p.Host(test.target, Become{}).Shell(t.Context(), "true")
			mustSay(t, err, ErrUnreachable, test.next, test.says, test.target.Host)
			if errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: it is taken for the caller's own time: %v", test.name, err)
			}
		}
	}
}

// talker accepts, and says something again and again, or once.
func talker(t *testing.T, what []byte, once ...bool) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	t.Cleanup(func() { close(stop); _ = l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer func() { _ = conn.Close() }()
				slowly := time.NewTicker(time.Millisecond)
				defer slowly.Stop()
				for what != nil {
					if _, err := conn.Write(what); err != nil {
						return
					}
					if len(once) > 0 {
						break
					}
					select {
					case <-stop:
						return
					case <-slowly.C:
					}
				}
				<-stop
			})
		}
	})
	return l
}

func TestRoutesThatAreNotThereAreSaid(t *testing.T) {
	h := &sshHop{user: "me", host: "nas", port: 22}
	for _, number := range []syscall.Errno{syscall.EHOSTUNREACH, syscall.ENETUNREACH} {
		err := unreachable(h, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", number)})
		mustSay(t, err, ErrUnreachable, "firewall", "no route", "me@nas")
	}
	err := unreachable(h, &ssh.AlgorithmNegotiationError{What: "key exchange", RequestedAlgorithms: []string{"old-kex"}})
	mustSay(t, err, ErrUnreachable, "server.exec", "old-kex", "key exchange")
}

func TestAHostIsReachedThroughJumpHosts(t *testing.T) {
	near := startSSHD(t)
	middle := startSSHD(t)
	far, other := startSSHD(t), startSSHD(t)
	settings := near.settings()
	write(t, near.file("known_hosts"), strings.Join([]string{near.knownLine(), middle.knownLine(), far.knownLine(), other.knownLine()}, "\n")+"\n")
	write(t, near.file("config"), fmt.Sprintf(`IdentityFile %s
IdentityFile %s
IdentityFile %s
Host gate
  HostName 127.0.0.1
  Port %d
`, middle.key, far.key, other.key, near.port))
	settings.ConfigPath = near.file("config")
	settings.ProxyJump = fmt.Sprintf("gate,127.0.0.1:%d", middle.port)
	p := pool(t, settings)
	p.limits.idle = time.Millisecond
	held, err := p.Host(far.target(), Become{}).Shell(t.Context(), "cat")
	if err != nil {
		t.Fatal(err)
	}
	ask(t, p.Host(other.target(), Become{}), "true")
	for name, d := range map[string]*sshd{"near": near, "middle": middle, "far": far, "other": other} {
		if n := d.connections.Load(); n != 1 {
			t.Errorf("%s: there were %d connections", name, n)
		}
	}
	jump := connectionOf(t, p, fmt.Sprintf(":%d", near.port))
	_ = held.Close()
	if err := held.Wait(); err != nil {
		t.Error(err)
	}
	<-jump.gone // when those through it are

	near.cut()
	if _, err := p.Host(far.target(), Become{}).Shell(t.Context(), "true"); err != nil {
		t.Errorf("anew: %v", err)
	}
}

func connectionOf(t *testing.T, p *SSHPool, suffix string) *sshConn {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.entries {
		if e.hop.via == nil && strings.HasSuffix(e.hop.address(), suffix) {
			return e.live()
		}
	}
	t.Fatal("there is no such connection")
	return nil
}

func TestAJumpHostThatFailsIsTheOneThatIsNamed(t *testing.T) {
	gate := startSSHD(t, "AllowTcpForwarding no")
	open := startSSHD(t)
	d := startSSHD(t)
	jump := func(g *sshd) SSHSettings {
		s := g.settings()
		write(t, g.file("config"), "IdentityFile "+d.key)
		write(t, g.knownHosts, g.knownLine()+"\n"+d.knownLine()+"\n")
		s.ProxyJump, s.ConfigPath = fmt.Sprintf("127.0.0.1:%d", g.port), g.file("config")
		return s
	}
	err := login(t, jump(gate), d.target())
	mustSay(t, err, ErrUnreachable, "AllowTcpForwarding", fmt.Sprintf("the jump host %s@127.0.0.1:%d", currentUser(t), gate.port), fmt.Sprint(":", d.port))
	if errors.Is(err, ErrNoForwarding) {
		t.Error("it is taken for the target's own")
	}
	mustSay(t, login(t, jump(open), SSHTarget{Host: "127.0.0.1", Port: 1}), ErrUnreachable, "as the jump host sees them",
		fmt.Sprintf("the jump host %s@127.0.0.1:%d", currentUser(t), open.port), "connection refused")

	refused := jump(open)
	refused.PrivateKeyPath = ""
	p := pool(t, refused)
	for range 2 {
		_, err := p.Host(d.target(), Become{}).Shell(t.Context(), "true")
		mustSay(t, err, ErrAuth, "authorized_keys", fmt.Sprintf("on the way to %s@127.0.0.1:%d", currentUser(t), d.port), fmt.Sprint(":", open.port))
	}
	if n := open.connections.Load(); n != 2 { // one for the refused port before
		t.Errorf("there were %d connections", n)
	}
}

func TestDialIsTheHostsOwn(t *testing.T) {
	d := startSSHD(t)
	h := pool(t, d.settings()).Host(d.target(), Become{})
	conn := echoes(t, h, listener(t, "tcp", "127.0.0.1:0"))
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	_ = echoes(t, h, listener(t, "unix", d.file("socket"))).Close()
	if _, err := h.Dial(t.Context(), "tcp", "127.0.0.1:1"); !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("where nothing listens: %v", err)
	}
	if _, err := h.Dial(t.Context(), "tcp", "nowhere.invalid:1"); err == nil || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, ErrNoForwarding) {
		t.Errorf("a name that is not resolved: %v", err)
	}
	for _, bad := range [][2]string{{"unix", "/nowhere"}, {"udp", "127.0.0.1:1"}, {"tcp", "127.0.0.1"}, {"tcp", "127.0.0.1:x"}} {
		if _, err := h.Dial(t.Context(), bad[0], bad[1]); err == nil || errors.Is(err, ErrNoForwarding) {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestAHostThatForwardsNothingSaysSoAndStillGivesAShell(t *testing.T) {
	d := startSSHD(t, "AllowTcpForwarding no", "AllowStreamLocalForwarding no")
	h := pool(t, d.settings()).Host(d.target(), Become{})
	_, err := h.Dial(t.Context(), "tcp", "127.0.0.1:1")
	mustSay(t, err, ErrNoForwarding, "AllowTcpForwarding", "127.0.0.1:1")
	_, err = h.Dial(t.Context(), "unix", d.file("socket"))
	var advice *Error
	if !errors.As(err, &advice) || !strings.Contains(advice.Next, "AllowStreamLocalForwarding") {
		t.Errorf("a socket: %v", err)
	}
	ask(t, h, "true")

	target, _ := passwordHost(t, &gliderssh.Server{}) // which knows no forwarding at all
	_, err = pool(t, SSHSettings{ConfigPath: os.DevNull}).Host(target, Become{}).Dial(t.Context(), "tcp", "127.0.0.1:1")
	mustSay(t, err, ErrNoForwarding, "AllowTcpForwarding")
}

func TestWhatAHostSaysOfAConnectionIsUnderstood(t *testing.T) {
	for _, test := range []struct {
		reason           ssh.RejectionReason
		message, network string
		address          string
		is               error
	}{
		{ssh.ConnectionFailed, "Connection refused", "tcp", "10.0.0.1:1", syscall.ECONNREFUSED},
		{ssh.ConnectionFailed, "", "tcp", "127.0.0.1:1", syscall.ECONNREFUSED},
		{ssh.ConnectionFailed, "", "tcp", "[::1]:1", syscall.ECONNREFUSED},
		{ssh.ConnectionFailed, "", "tcp", "localhost:1", syscall.ECONNREFUSED},
		{ssh.ConnectionFailed, "No such file or directory", "unix", "/run/x", fs.ErrNotExist},
		{ssh.ConnectionFailed, "Permission denied", "unix", "/run/x", fs.ErrPermission},
		{ssh.Prohibited, "no", "tcp", "127.0.0.1:1", ErrNoForwarding},
		{ssh.ResourceShortage, "", "tcp", "127.0.0.1:1", ErrNoForwarding},
		{ssh.UnknownChannelType, "", "unix", "/run/x", ErrNoForwarding},
	} {
		if err := notForwarded(&ssh.OpenChannelError{Reason: test.reason, Message: test.message}, test.network, test.address); !errors.Is(err, test.is) {
			t.Errorf("%+v: %v", test, err)
		}
	}
	for _, message := range []string{"Connection timed out", "Name or service not known"} {
		if err := notForwarded(&ssh.OpenChannelError{Reason: ssh.ConnectionFailed, Message: message}, "tcp", "10.0.0.1:1"); errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("%s: %v", message, err)
		}
	}
}

func TestTheCallersTimeBoundsWhatAFrozenHostIsAsked(t *testing.T) {
	d := startSSHD(t)
	gate := startRelay(t, d)
	p := pool(t, gate.settings(d))
	h := p.Host(gate.target(), Become{})
	ask(t, h, "true")
	gate.hold()
	for name, try := range map[string]func(context.Context) error{
		"Dial":  func(ctx context.Context) error { _, err := h.Dial(ctx, "tcp", "127.0.0.1:1"); return err },
		"Shell": func(ctx context.Context) error { _, err := h.Shell(ctx, "true"); return err },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := try(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
	gate.release()
	// What was given up does not stay: all sessions can be had.
	var open []Shell
	for range p.limits.sessions {
		s, err := h.Shell(t.Context(), "cat")
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, s)
	}
	for _, s := range open {
		_ = s.Close()
		if err := s.Wait(); err != nil {
			t.Error(err)
		}
	}
}

func TestAnAbandonedShellGivesItsSessionBack(t *testing.T) {
	d := startSSHD(t)
	playSudo(t, sudoNoRule)
	d2 := startSSHD(t) // with that sudo in its PATH
	_ = d
	p := pool(t, d2.settings())
	for range 2 * p.limits.sessions {
		if _, err := p.Host(d2.target(), Become{Method: BecomeSudo}).Shell(t.Context(), "true"); !errors.Is(err, ErrBecome) {
			t.Fatalf("error is %v", err)
		}
	}
	if n := d2.connections.Load(); n != 1 {
		t.Errorf("there were %d connections", n)
	}
}

func TestAUserWhoMayRunNoCommandsIsSaidTo(t *testing.T) {
	d := startSSHD(t, "ForceCommand internal-sftp")
	if err := login(t, d.settings(), d.target()); !errors.Is(err, ErrShell) || !strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("error is %v", err)
	}
	target, _ := passwordHost(t, &gliderssh.Server{SessionRequestCallback: func(gliderssh.Session, string) bool { return false }})
	_, err := pool(t, SSHSettings{ConfigPath: os.DevNull}).Host(target, Become{}).Shell(t.Context(), "true")
	mustSay(t, err, ErrShell, "ForceCommand", "runs no commands")
	d3 := startSSHD(t, "MaxSessions 0")
	mustSay(t, login(t, d3.settings(), d3.target()), ErrShell, "MaxSessions", "opens no session")
}

var _ io.ReadWriteCloser = (*forwardedConn)(nil)
