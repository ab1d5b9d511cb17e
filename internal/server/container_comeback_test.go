//go:build linux

package server_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// envEditor makes this program an editor of that container, for tests that kill
// the provider. It says a line when the server is stopped, and waits there.
const envEditor = "PLEX_TEST_EDITOR"

func TestContainerEditorProcess(t *testing.T) {
	name := os.Getenv(envEditor)
	if name == "" {
		t.Skip("only other tests start this one")
	}
	c := host.NewContainer(host.Local{}, host.ContainerTarget{Name: name, Engine: os.Getenv(envDocker)})
	s := newServer(t, c, server.Options{URL: os.Getenv(envEditor + "_URL"), Limits: quick})
	calls := 0
	_, err := s.Edit(context.Background(), func(d prefs.Document) error {
		if calls++; calls == 2 {
			fmt.Println("\nSTOPPED")
			select {}
		}
		return unbind(d)
	})
	t.Fatalf("the edit ended: %v", err)
}

// startEditor starts an editor of b as a process of its own.
func startEditor(t *testing.T, b *box) (kill func(), stopped func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestContainerEditorProcess$", "-test.count=1")
	cmd.Env = append(os.Environ(), envEditor+"="+b.Name, envEditor+"_URL=http://"+b.config.Addr)
	out, err := cmd.StdoutPipe()
	b.must(err)
	b.must(cmd.Start())
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(kill)
	stopped = func() {
		t.Helper()
		said := ""
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if lines.Text() == "STOPPED" {
				return
			}
			said += lines.Text() + "\n"
		}
		t.Fatalf("the editor ended: %s", said)
	}
	return kill, stopped
}

// Rule 6: the server always comes back.

func TestContainerServerComesBackWhenTheProviderIsKilledWhileItIsStopped(t *testing.T) {
	everyLayout(t, func(t *testing.T, l layout) {
		b := newBox(t, l, boxOptions{})
		kill, stopped := startEditor(t, b)
		stopped()
		if b.answers() {
			t.Fatal("the server runs")
		}
		kill()
		b.waitCount(plexsim.EventListening, 2)
		b.waitReady()
		b.waitIdle()
		if !hasToken(t, b.preferences()) {
			t.Error("it came back without its token")
		}
		b.wantAttributes()
	})
}

func TestContainerServerComesBackWhenTheProviderIsKilledWhileItStops(t *testing.T) {
	everyLayout(t, func(t *testing.T, l layout) {
		b := newBox(t, l, boxOptions{configure: func(c *plexsim.Config) { c.StopDelay = plexsim.Duration(time.Second) }})
		kill, _ := startEditor(t, b)
		b.waitCount(plexsim.EventStopping, 1)
		kill()
		b.waitCount(plexsim.EventListening, 2)
		b.waitReady()
		b.waitIdle()
		if !hasToken(t, b.preferences()) {
			t.Error("it came back without its token")
		}
	})
}

func TestContainerServerWithEmptyPreferencesComesBackWhenTheProviderIsKilled(t *testing.T) {
	everyLayout(t, func(t *testing.T, l layout) {
		b := newBox(t, l, boxOptions{configure: func(c *plexsim.Config) { c.EmptyAtStop = true }})
		kill, stopped := startEditor(t, b)
		stopped()
		kill()
		b.waitCount(plexsim.EventListening, 2)
		b.waitReady()
		b.waitIdle()
		if !hasToken(t, b.preferences()) {
			t.Error("its preferences were not restored")
		}
		b.wantAttributes()
	})
}

func TestContainerServerComesBackWhenTheConnectionGoesSilent(t *testing.T) {
	everyLayout(t, func(t *testing.T, l layout) {
		b := newBox(t, l, boxOptions{})
		on := newSilent(t)
		s := newServer(t, b.host(on), b.options(func(o *server.Options) {
			o.StopTimeout, o.Limits.Silence, o.Limits.Command = 5*time.Second, time.Second, 5*time.Second
		}))
		calls := 0
		edited := make(chan error, 1)
		go func() {
			_, err := s.Edit(t.Context(), func(d prefs.Document) error {
				if calls++; calls == 2 {
					on.silence()
				}
				return unbind(d)
			})
			edited <- err
		}()
		if err := <-edited; err == nil { // by itself
			t.Error("the edit says that it has succeeded")
		}
		b.waitCount(plexsim.EventListening, 2)
		b.waitReady()
		b.waitIdle()
		if !hasToken(t, b.preferences()) {
			t.Error("it came back without its token")
		}
	})
}

// Where the engine does the work, any request can be the last that something is heard of.
func TestContainerEditEndsWhicheverRequestIsNotAnswered(t *testing.T) {
	for name, test := range map[string]struct {
		method, path  string
		stops, starts int  // of the server before that request
		refuses       bool // the server, to come up with what is new
	}{
		"the stop":                {http.MethodPost, "/stop", 0, 1, false},
		"a look while it is down": {http.MethodGet, "/archive", 1, 1, false},
		"the start":               {http.MethodPost, "/start", 1, 1, false},
		"a look when it is up":    {http.MethodGet, "/archive", 1, 2, false},
		"the way back":            {http.MethodPut, "/archive", 1, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, process1, boxOptions{configure: func(c *plexsim.Config) { c.RefuseWithoutToken = test.refuses }})
			on := newSilent(t)
			on.from = func(request string) bool {
				path, _, _ := strings.Cut(request, "?")
				return strings.HasPrefix(path, test.method+" ") && strings.Contains(path, test.path) &&
					b.count(plexsim.EventStopping) >= test.stops && b.count(plexsim.EventStart) == test.starts
			}
			s := newServer(t, b.host(on), b.options(func(o *server.Options) {
				o.StopTimeout, o.Limits.Silence, o.Limits.Command, o.Limits.Verify = 3*time.Second, time.Second, 3*time.Second, time.Second
			}))
			if _, err := s.Edit(t.Context(), unbind); err == nil || !on.isCut() {
				t.Errorf("the edit says %v; the connection has gone silent: %v", err, on.isCut())
			}
			b.waitCount(plexsim.EventListening, test.stops+1)
			b.waitReady()
			b.waitIdle()
		})
	}
}

// The guard is for when this process is lost, and not the other way round.
func TestContainerServerComesBackWhenItsGuardIsKilled(t *testing.T) {
	for _, when := range []string{plexsim.EventStopping, plexsim.EventStart} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, process1, boxOptions{configure: func(c *plexsim.Config) {
				c.StopDelay, c.StartDelay = plexsim.Duration(time.Second), plexsim.Duration(time.Second)
			}})
			on := &named{Host: host.Local{}, pids: make(chan string, 1)}
			done := make(chan error, 1)
			before := b.count(when)
			go func() {
				_, err := newServer(t, b.host(on), b.options()).Edit(t.Context(), unbind)
				done <- err
			}()
			simtest.Eventually(t, when, func() bool { return b.count(when) > before })
			pid, err := strconv.Atoi(<-on.pids)
			b.must(err)
			b.must(signalTo(pid, syscall.SIGKILL))
			b.must(<-done)
			b.waitReady()
			if hasToken(t, b.preferences()) {
				t.Error("it still has its token")
			}
		})
	}
}

// named is a machine whose next shell says its own number.
type named struct {
	host.Host
	pids chan string
}

func (n *named) Shell(ctx context.Context, script string) (host.Shell, error) {
	dir, err := os.MkdirTemp("", "named")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "pid")
	shell, err := n.Host.Shell(ctx, "echo $$ >"+host.Quote(file)+"\n"+script)
	if err != nil {
		return nil, err
	}
	for ctx.Err() == nil {
		if pid, err := os.ReadFile(file); err == nil && bytes.HasSuffix(pid, []byte("\n")) {
			n.pids <- strings.TrimSpace(string(pid))
			break
		}
	}
	return shell, nil
}

// silent is a machine whose connections pass nothing more from some moment on,
// without either end noticing.
type silent struct {
	host.Host
	from        func(request string) bool // whether that is the first request to be lost; nil: silence says when
	once, last  sync.Once
	cut, closed chan struct{}
}

func newSilent(t *testing.T) *silent {
	s := &silent{Host: host.Local{}, cut: make(chan struct{}), closed: make(chan struct{})}
	t.Cleanup(s.end)
	return s
}

func (s *silent) silence() { s.once.Do(func() { close(s.cut) }) }
func (s *silent) end()     { s.last.Do(func() { close(s.closed) }) }

func (s *silent) isCut() bool {
	select {
	case <-s.cut:
		return true
	default:
		return false
	}
}

func (s *silent) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := s.Host.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &silentConn{Conn: conn, on: s}, nil
}

func (s *silent) Shell(ctx context.Context, script string) (host.Shell, error) {
	shell, err := s.Host.Shell(ctx, script)
	if err != nil {
		return nil, err
	}
	return &silentShell{Shell: shell, on: s}, nil
}

// hold is what a reader sees after the cut: nothing, until the test is over.
func (s *silent) hold(n int, err error) (int, error) {
	if !s.isCut() {
		return n, err
	}
	<-s.closed
	return 0, net.ErrClosed
}

type silentConn struct {
	net.Conn
	on *silent
}

func (c *silentConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	return c.on.hold(n, err)
}

func (c *silentConn) Write(p []byte) (int, error) {
	if line, _, found := bytes.Cut(p, []byte("\r\n")); found && c.on.from != nil && c.on.from(string(line)) {
		c.on.silence()
	}
	if c.on.isCut() {
		return len(p), nil
	}
	return c.Conn.Write(p)
}

func (c *silentConn) CloseWrite() error {
	if c.on.isCut() {
		return nil
	}
	return c.Conn.(interface{ CloseWrite() error }).CloseWrite()
}

// Close leaves the far end's connection as it is; it goes with the test.
func (c *silentConn) Close() error {
	if !c.on.isCut() {
		return c.Conn.Close()
	}
	go func() {
		<-c.on.closed
		_ = c.Conn.Close()
	}()
	return nil
}

type silentShell struct {
	host.Shell
	on *silent
}

func (s *silentShell) Read(p []byte) (int, error) {
	n, err := s.Shell.Read(p)
	return s.on.hold(n, err)
}

func (s *silentShell) Write(p []byte) (int, error) {
	if s.on.isCut() {
		return len(p), nil
	}
	return s.Shell.Write(p)
}

func (s *silentShell) Close() error {
	if !s.on.isCut() {
		return s.Shell.Close()
	}
	go func() {
		<-s.on.closed
		_ = s.Shell.Close()
	}()
	return nil
}

// A guard that could not do its work is known before it is needed.
func TestContainerIsNotStoppedWhereNobodyCouldStartItAgain(t *testing.T) {
	needEngine(t)
	actual, err := exec.LookPath("docker")
	if err != nil {
		t.Fatal(err)
	}
	for name, program := range map[string]string{
		"no program":             "",
		"a program that fails":   "exit 1",
		"no right to start it":   `case " $* " in *" start "*) exit 1 ;; esac; exec ` + actual + ` "$@"`,
		"no right to read in it": `case " $* " in *" cp "*) exit 1 ;; esac; exec ` + actual + ` "$@"`,
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, process1, boxOptions{})
			before := b.preferences()
			bin := t.TempDir()
			for _, tool := range []string{"sh", "env", "cat", "tr", "uname", "mktemp", "sleep", "head", "wc", "ls", "cut", "tail", "rm", "flock", "id", "sed", "grep", "date", "chmod", "ln", "mkfifo", "readlink"} {
				at, err := exec.LookPath(tool)
				b.must(err)
				b.must(os.Symlink(at, bin+"/"+tool))
			}
			if program != "" {
				b.must(os.WriteFile(bin+"/docker", []byte("#!/bin/sh\n"+program+"\n"), 0o755))
			}
			on := &elsewhere{Local: host.Local{}, path: bin}
			_, err := newServer(t, b.host(on), b.options()).Edit(t.Context(), unbind)
			wantContainerError(t, b, err, server.ErrNotGuarded)
			b.wantUntouched(before)
			simtest.Eventually(t, "the server", b.answers)
		})
	}
}

// A server that rewrites its preferences truncates them first (plex-facts 4): a guard that reads them at that moment reads again.
func TestContainerGuardReadsAgainWhatIsHalfWritten(t *testing.T) {
	needEngine(t)
	actual, err := exec.LookPath("docker")
	if err != nil {
		t.Fatal(err)
	}
	b := newBox(t, process1, boxOptions{})
	bin := t.TempDir()
	program := "#!/bin/sh\ncase \" $* \" in *\" cp \"*\" - \") [ -e " + bin + "/asked ] || { : >" + bin + "/asked; printf half; exit 0; } ;; esac\nexec " + actual + " \"$@\"\n"
	b.must(os.WriteFile(bin+"/docker", []byte(program), 0o755))
	mustEdit(t, newServer(t, b.host(&elsewhere{path: bin + ":" + os.Getenv("PATH")}), b.options()), unbind)
	if _, err := os.Stat(bin + "/asked"); err != nil {
		t.Error("the guard has not asked by this program")
	}
	b.waitIdle()
}

// elsewhere is this machine with other programs.
type elsewhere struct {
	host.Local
	path string
}

func (e *elsewhere) Shell(ctx context.Context, script string) (host.Shell, error) {
	return e.Local.Shell(ctx, "PATH="+host.Quote(e.path)+"\n"+script)
}
