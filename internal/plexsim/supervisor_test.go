package plexsim_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// plexsimRun runs the program and returns its exit status and its output.
func plexsimRun(t *testing.T, args ...string) (int, string) {
	t.Helper()
	command := exec.Command(simtest.Program(t), args...)
	out, err := command.CombinedOutput()
	if err != nil && command.ProcessState == nil {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), string(out)
}

func wantStatus(t *testing.T, want int, args ...string) {
	t.Helper()
	if got, out := plexsimRun(t, args...); got != want {
		t.Fatalf("plexsim %v: got status %d, want %d; %s", args, got, want, out)
	}
}

func TestStartStopAndStatusControlTheServer(t *testing.T) {
	s := simtest.NewServer(t, simtest.Options{})
	dir := s.SupportDir()
	wantStatus(t, 3, "status", dir)
	wantStatus(t, 0, "stop", dir)
	s.Start()
	wantStatus(t, 0, "status", dir)
	pid := s.PID()
	wantStatus(t, 0, "start", dir)
	if s.PID() != pid || s.StartCount() != 1 {
		t.Error("a second start started a second server")
	}
	wantStatus(t, 0, "stop", dir)
	wantStatus(t, 3, "status", dir)
	if got := s.StopCount(); got != 1 {
		t.Errorf("%d stops", got)
	}
	events := s.Events()
	if last := events[len(events)-1]; last.Event != plexsim.EventExit || last.Code == nil || *last.Code != 0 || last.PID != pid {
		t.Errorf("last event: %+v", last)
	}
}

func TestServerBearsTheNameOfPlex(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("looks into /proc")
	}
	s := simtest.NewServer(t, simtest.Options{})
	s.Start()
	proc := filepath.Join("/proc", strconv.Itoa(s.PID()))
	comm, err := os.ReadFile(filepath.Join(proc, "comm"))
	must(t, err)
	if string(comm) != "Plex Media Serv\n" {
		t.Errorf("comm: %q", comm)
	}
	cmdline, err := os.ReadFile(filepath.Join(proc, "cmdline"))
	must(t, err)
	if want := filepath.Join(s.SupportDir(), ".plexsim", "Plex Media Server") + "\x00"; string(cmdline) != want {
		t.Errorf("command line: %q", cmdline)
	}
}

func TestStopWaitsForAServerThatTakesItsTime(t *testing.T) {
	s := simtest.NewServer(t, simtest.Options{Configure: func(c *plexsim.Config) { c.StopDelay = moment }})
	s.Start()
	s.Stop()
	if s.Running() || plexsim.Count(s.Events(), plexsim.EventStopped) != 1 {
		t.Error("stop returned before the server was gone")
	}
}

func TestStopCanGiveUpAndLeavesTheServerRunning(t *testing.T) {
	s := simtest.NewServer(t, simtest.Options{Configure: func(c *plexsim.Config) { c.IgnoreTerm = true }})
	s.Start()
	status, out := plexsimRun(t, "stop", s.SupportDir(), "--timeout", "10ms")
	if status != 1 || !strings.Contains(out, "still running") || !s.Running() {
		t.Errorf("status %d, running %v, %s", status, s.Running(), out)
	}
}

func TestStopCanReturnAtOnce(t *testing.T) {
	s := simtest.NewServer(t, simtest.Options{Configure: func(c *plexsim.Config) { c.StopDelay = forever }})
	s.Start()
	wantStatus(t, 0, "stop", "--no-wait", s.SupportDir())
	s.WaitEvent(plexsim.EventStopping, 1)
	if !s.Running() {
		t.Error("the server is gone")
	}
}

func TestRecycledProcessNumberIsNotTakenForTheServer(t *testing.T) {
	s := simtest.NewServer(t, simtest.Options{})
	other := simtest.NewServer(t, simtest.Options{})
	other.Start()
	s.Start()
	own := record{t, s.SupportDir()}
	pid, started := own.read("pid"), own.read("started")
	theirs := record{t, other.SupportDir()}
	for name, recorded := range map[string]struct{ pid, started string }{
		"another program":                      {strconv.Itoa(os.Getpid()), started},
		"another server, started then":         {theirs.read("pid"), theirs.read("started")},
		"this server, started at another time": {pid, "1"},
	} {
		t.Run(name, func(t *testing.T) {
			own.write("pid", recorded.pid)
			own.write("started", recorded.started)
			wantStatus(t, 3, "status", s.SupportDir())
			wantStatus(t, 0, "stop", s.SupportDir())
		})
	}
	own.write("pid", pid)
	own.write("started", started)
	if !other.Running() || !s.Running() {
		t.Error("the wrong process was stopped")
	}
}

// record is what the supervisor of a support directory has written down.
type record struct {
	t   *testing.T
	dir string
}

func (r record) read(name string) string {
	r.t.Helper()
	data, err := os.ReadFile(filepath.Join(r.dir, ".plexsim", name))
	must(r.t, err)
	return strings.TrimSpace(string(data))
}

func (r record) write(name, content string) {
	r.t.Helper()
	must(r.t, os.WriteFile(filepath.Join(r.dir, ".plexsim", name), []byte(content+"\n"), 0o600))
}

func TestSIGKILLWedgesTheNextProcess(t *testing.T) {
	s := simtest.NewServer(t, simtest.Options{Token: "someToken"})
	s.Start()
	s.Kill()
	s.Launch()
	s.WaitEvent(plexsim.EventWedged, 1)
	s.Stop()
	must(t, os.Remove(filepath.Join(s.DataDir(), "plexmediaserver.pid")))
	s.Start()
}

func TestSIGKILLInTheLastWriteLeavesZeroBytes(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("NOT RUN: a registry is not truncated")
	}
	s := simtest.NewServer(t, simtest.Options{Token: "someToken", Configure: func(c *plexsim.Config) { c.TruncatePause = forever }})
	s.Start()
	wantStatus(t, 0, "stop", "--no-wait", s.SupportDir())
	simtest.Eventually(t, "the file to be truncated", func() bool { return len(s.Preferences()) == 0 })
	s.Kill()
	if got := s.Preferences(); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}

func TestServerThatNeverStartsHasStatus1AndDoesNotRun(t *testing.T) {
	s := simtest.NewServer(t, simtest.Options{Configure: func(c *plexsim.Config) { c.NeverStart = true }})
	s.Launch()
	s.WaitEvent(plexsim.EventExit, 1)
	wantStatus(t, 0, "stop", s.SupportDir())
	wantStatus(t, 3, "status", s.SupportDir())
	if code := s.Events()[1].Code; code == nil || *code != 1 {
		t.Errorf("got %+v", s.Events())
	}
}

// BenchmarkRestart is the least downtime that any tool can reach with the server.
func BenchmarkRestart(b *testing.B) {
	s := simtest.NewServer(b, simtest.Options{})
	s.Start()
	for b.Loop() {
		s.Stop()
		s.Start()
	}
}
