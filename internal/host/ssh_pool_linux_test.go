package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// ask runs a script that needs no input.
func ask(t *testing.T, h Host, script string) string {
	t.Helper()
	out, err := run(t, h, script, "")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// listener answers each connection with what it was sent.
func listener(t *testing.T, network, address string) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
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
			go func() {
				_, _ = io.Copy(conn, conn)
				_ = conn.Close()
			}()
		}
	}()
	return l
}

// echoes checks that a connection reaches a listener.
func echoes(t *testing.T, h Host, l net.Listener) net.Conn {
	t.Helper()
	conn, err := h.Dial(t.Context(), l.Addr().Network(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "hello\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || line != "hello\n" {
		t.Errorf("the connection says %q, %v", line, err)
	}
	return conn
}

func TestOneConnectionServesAllWhoAsk(t *testing.T) {
	d := startSSHD(t)
	p := pool(t, d.settings())
	l := listener(t, "tcp", "127.0.0.1:0")
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if out, err := run(t, p.Host(d.target(), Become{}), "echo here", ""); out != "here\n" || err != nil {
				t.Errorf("the shell says %q, %v", out, err)
			}
		})
		wg.Go(func() { _ = echoes(t, p.Host(d.target(), Become{}), l).Close() })
	}
	wg.Wait()
	if n := d.connections.Load(); n != 1 {
		t.Errorf("there were %d connections", n)
	}
}

func TestAnotherUserIsAnotherConnection(t *testing.T) {
	d := startSSHD(t)
	p := pool(t, d.settings())
	ask(t, p.Host(d.target(), Become{}), "true")
	same := d.target()
	same.User = currentUser(t)
	ask(t, p.Host(same, Become{}), "true")
	if n := d.connections.Load(); n != 1 {
		t.Errorf("for the same user there were %d connections", n)
	}
	pinned := d.target()
	pinned.HostKey = d.fingerprint()
	ask(t, p.Host(pinned, Become{}), "true")
	if n := d.connections.Load(); n != 2 {
		t.Errorf("with another host key there were %d connections", n)
	}
}

func TestSessionsStayBelowTheHostsLimit(t *testing.T) {
	d := startSSHD(t, "MaxSessions 8") // sshd's default is 10
	h := pool(t, d.settings()).Host(d.target(), Become{})
	var open []Shell
	for range defaultSSHLimits.sessions {
		s, err := h.Shell(t.Context(), "cat")
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, s)
	}
	// Forwarded connections are no sessions.
	_ = echoes(t, h, listener(t, "tcp", "127.0.0.1:0")).Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := h.Shell(ctx, "true"); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("one more: %v", err)
	}
	one := make(chan error, 1)
	go func() {
		s, err := h.Shell(t.Context(), "true")
		if err == nil {
			_ = s.Close()
			err = s.Wait()
		}
		one <- err
	}()
	_ = open[0].Close()
	if err := open[0].Wait(); err != nil {
		t.Error(err)
	}
	if err := <-one; err != nil {
		t.Errorf("when one had ended: %v", err)
	}
	for _, s := range open[1:] {
		_ = s.Close()
		if err := s.Wait(); err != nil {
			t.Error(err)
		}
	}
}

func TestASessionIsAskedForWhenTheHostHasGivenOneUp(t *testing.T) {
	d := startSSHD(t, "MaxSessions 8")
	h := pool(t, d.settings()).Host(d.target(), Become{})
	var wg sync.WaitGroup
	for range 80 {
		wg.Go(func() {
			s, err := h.Shell(t.Context(), "true")
			if err == nil {
				_ = s.Close()
				err = s.Wait()
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestADialGoesOnForThoseWhoStillWait(t *testing.T) {
	d := startSSHD(t)
	gate := startRelay(t, d)
	p := pool(t, gate.settings(d))
	gate.hold()
	ctx, leave := context.WithCancel(t.Context())
	gone, here := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := p.Host(gate.target(), Become{}).Shell(ctx, "true")
		gone <- err
	}()
	<-gate.accepted
	go func() {
		c, err := p.acquire(t.Context(), gate.target())
		if err == nil {
			c.release()
		}
		here <- err
	}()
	leave()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("who left got %v", err)
	}
	gate.release()
	if err := <-here; err != nil {
		t.Errorf("who stayed got %v", err)
	}
	if n := d.connections.Load(); n != 1 {
		t.Errorf("there were %d connections", n)
	}
}

func TestAConnectionIsClosedWhenNobodyUsesIt(t *testing.T) {
	d := startSSHD(t)
	p := pool(t, d.settings())
	p.limits.idle = time.Millisecond
	h := p.Host(d.target(), Become{})
	use := map[string]func() func(){
		"a shell": func() func() {
			s, err := h.Shell(t.Context(), "cat")
			if err != nil {
				t.Fatal(err)
			}
			return func() { _ = s.Close(); _ = s.Wait() }
		},
		"a forwarded connection": func() func() {
			c := echoes(t, h, listener(t, "tcp", "127.0.0.1:0"))
			return func() { _ = c.Close() }
		},
	}
	for name, begin := range use {
		before := d.connections.Load()
		end := begin()
		c := onlyConnection(t, p)
		for range 5 {
			ask(t, h, "true")
		}
		if d.connections.Load() != before+1 || c.isGone() {
			t.Errorf("%s: the connection was closed in use", name)
		}
		end()
		<-c.gone
		ask(t, h, "true")
		if n := d.connections.Load() - before; n != 2 {
			t.Errorf("%s: there were %d connections", name, n)
		}
		<-onlyConnection(t, p).gone
	}
}

// onlyConnection is the pool's one connection.
func onlyConnection(t *testing.T, p *SSHPool) *sshConn {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.entries {
		return e.live()
	}
	t.Fatal("there is no connection")
	return nil
}

func TestACutConnectionIsSaidAndDialledAnew(t *testing.T) {
	d := startSSHD(t)
	h := pool(t, d.settings()).Host(d.target(), Become{})
	s, err := h.Shell(t.Context(), "echo ready; cat")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(s).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	d.cut()
	if rest, err := io.ReadAll(s); len(rest) != 0 {
		t.Errorf("after the cut it says %q, %v", rest, err)
	}
	if err := s.Wait(); !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "exit status") {
		t.Errorf("Wait: %v", err)
	}
	if _, err := io.WriteString(s, "x"); !errors.Is(err, ErrLost) {
		t.Errorf("Write: %v", err)
	}
	ask(t, h, "true")
	if n := d.connections.Load(); n != 2 {
		t.Errorf("there were %d connections", n)
	}
}

func TestAPeerThatVanishesIsNoticed(t *testing.T) {
	d := startSSHD(t)
	gate := startRelay(t, d)
	p := pool(t, gate.settings(d))
	p.limits.keepalive, p.limits.keepaliveTimeout = 20*time.Millisecond, time.Second // in which sshd answers on a busy machine, too
	s, err := p.Host(gate.target(), Become{}).Shell(t.Context(), "cat")
	if err != nil {
		t.Fatal(err)
	}
	gate.hold()
	if err := s.Wait(); !errors.Is(err, ErrLost) || !strings.Contains(err.Error(), "has not answered for 1s") {
		t.Errorf("Wait: %v", err)
	}
}

func TestAPeerThatAnswersIsKept(t *testing.T) {
	d := startSSHD(t)
	p := pool(t, d.settings())
	p.limits.keepalive, p.limits.keepaliveTimeout = time.Millisecond, 5*time.Second
	s, err := p.Host(d.target(), Become{}).Shell(t.Context(), "cat")
	if err != nil {
		t.Fatal(err)
	}
	l := listener(t, "tcp", "127.0.0.1:0")
	for range 20 {
		_ = echoes(t, p.Host(d.target(), Become{}), l).Close()
	}
	_ = s.Close()
	if err := s.Wait(); err != nil {
		t.Error(err)
	}
}

func TestAClosedPoolEndsAllAndConnectsNoMore(t *testing.T) {
	d := startSSHD(t)
	p := pool(t, d.settings())
	h := p.Host(d.target(), Become{})
	s, err := h.Shell(t.Context(), "cat")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if err := s.Wait(); !errors.Is(err, ErrLost) || !errors.Is(err, ErrClosed) {
		t.Errorf("Wait: %v", err)
	}
	if _, err := h.Shell(t.Context(), "true"); !errors.Is(err, ErrClosed) {
		t.Errorf("Shell: %v", err)
	}
	if n := d.connections.Load(); n != 1 {
		t.Errorf("there were %d connections", n)
	}
}

func TestNothingIsDoneBeforeSomebodyAsks(t *testing.T) {
	p := pool(t, SSHSettings{ConfigPath: "/nowhere/config", PrivateKeyPath: "/nowhere/key", HostKeyChecking: "odd"})
	for _, test := range []struct {
		target SSHTarget
		want   string
	}{
		{SSHTarget{}, ""}, {SSHTarget{Host: "nas.lan"}, "nas.lan"}, {SSHTarget{Host: "nas.lan", User: "admin", Port: 2222}, "admin@nas.lan:2222"},
		{SSHTarget{Host: "fe80::1"}, "fe80::1"}, {SSHTarget{Host: "fe80::1", Port: 22}, "[fe80::1]:22"}, {SSHTarget{Host: "nas", User: "me"}, "me@nas"},
	} {
		if name := p.Host(test.target, Become{}).Name(); name != test.want {
			t.Errorf("%+v is %q", test.target, name)
		}
	}
}

// relay passes connections on to an sshd, and can hold everything up.
type relay struct {
	l        net.Listener
	accepted chan struct{}

	mu   sync.Mutex
	open *sync.Cond
	held bool
}

func startRelay(t *testing.T, d *sshd) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{l: l, accepted: make(chan struct{}, 100)}
	r.open = sync.NewCond(&r.mu)
	t.Cleanup(func() { _ = l.Close(); r.release() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			r.accepted <- struct{}{}
			far, err := net.Dial("tcp", fmt.Sprint("127.0.0.1:", d.port))
			if err != nil {
				return
			}
			go r.pass(near, far)
			go r.pass(far, near)
		}
	}()
	return r
}

func (r *relay) pass(from, to net.Conn) {
	defer func() { _ = from.Close(); _ = to.Close() }()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		r.mu.Lock()
		for r.held {
			r.open.Wait()
		}
		r.mu.Unlock()
		if _, failed := to.Write(buffer[:n]); failed != nil || err != nil {
			return
		}
	}
}

func (r *relay) hold() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = true
}

func (r *relay) release() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = false
	r.open.Broadcast()
}

func (r *relay) target() SSHTarget {
	return SSHTarget{Host: "127.0.0.1", Port: r.l.Addr().(*net.TCPAddr).Port}
}

func (r *relay) settings(d *sshd) SSHSettings {
	s := d.settings()
	s.HostKeyChecking, s.KnownHostsPath = HostKeyAcceptNew, d.file("known_by_relay")
	return s
}

func TestAScriptsWholeOutputArrivesThoughItsEndDoesFirst(t *testing.T) {
	d := startSSHD(t)
	p := pool(t, d.settings())
	p.limits.linger = time.Millisecond
	// What is left keeps standard error open, and the script is long gone when
	// its output, which fills the pipe and both windows, is read.
	s, err := p.Host(d.target(), Become{}).Shell(t.Context(), "exec 3<&0; sleep 60 <&- >&- 3<&- & head -c 60000 /dev/zero; echo $! >"+Quote(d.file("left")))
	if err != nil {
		t.Fatal(err)
	}
	simtest.Eventually(t, "the script to end", func() bool { return isFile(d.file("left")) })
	if out, err := io.ReadAll(s); err != nil || len(out) != 60000 {
		t.Errorf("%d bytes, %v", len(out), err)
	}
	_ = s.Close()
	if err := s.Wait(); err != nil {
		t.Error(err)
	}
	ask(t, Local{}, "kill "+strings.TrimSpace(read(t, d.file("left"))))
}
