package server_test

import (
	"bytes"
	"context"
	"errors"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// longer is a limit that fails a test which waits for it (simtest.Eventually). It is not much longer, since
// that is how long the watchdog of a script that was killed sleeps.
const longer = 30 * time.Second

// shells are those under which the whole suite runs: a transport that gives one
// of them passes it.
var shells = []struct {
	name string
	argv []string
}{
	{"dash", []string{"dash"}},
	{"bash", []string{"bash", "--posix"}},
	{"ash", []string{"busybox", "ash"}},
}

// everyShell runs test once under each shell of this machine, beside other tests.
func everyShell(t *testing.T, test func(t *testing.T, h host.Host)) {
	t.Helper()
	t.Parallel()
	ran := false
	for _, shell := range shells {
		if _, err := exec.LookPath(shell.argv[0]); err != nil {
			t.Logf("NOT RUN under %s: it is not installed", shell.name)
			continue
		}
		ran = true
		t.Run(shell.name, func(t *testing.T) {
			t.Parallel()
			test(t, host.Local{Interpreter: shell.argv})
		})
	}
	if !ran {
		t.Run("sh", func(t *testing.T) { test(t, host.Local{}) })
	}
}

// quick are limits for servers that should do at once what they do.
var quick = server.Limits{
	Command: 20 * time.Second, Lock: 20 * time.Second, Silence: 20 * time.Second,
	Verify: 20 * time.Second, Linger: 10 * time.Second, Answer: 10 * time.Second,
}

// options are how sim is reached and managed: by its service manager, else by
// the commands of its supervisor.
func options(sim *simtest.ServerProcess, changes ...func(*server.Options)) server.Options {
	o := server.Options{PreferencesPath: sim.PreferencesPath(), URL: sim.URL(), Limits: quick}
	if sim.Unit() != "" {
		o.Service = server.Service{Manager: sim.Manager(), Name: sim.Unit()}
	} else {
		byCommands(sim, func(*server.Commands) {})(&o)
	}
	for _, change := range changes {
		change(&o)
	}
	return o
}

// byCommands manages sim by commands, some of them changed.
func byCommands(sim *simtest.ServerProcess, change func(*server.Commands)) func(*server.Options) {
	return func(o *server.Options) {
		o.Service, o.Commands = server.Service{}, server.Commands(sim.Commands())
		change(&o.Commands)
	}
}

func newServer(t *testing.T, h host.Host, o server.Options) *server.Server {
	t.Helper()
	s, err := server.New(h, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// bound starts a server that is bound to simtest.Owner.
func bound(t *testing.T, configure func(*plexsim.Config)) *simtest.ServerProcess {
	t.Helper()
	tv := simtest.NewPlexTV(t)
	sim := simtest.NewServer(t, simtest.Options{PlexTV: tv, Account: &simtest.Owner, Configure: configure})
	sim.Start()
	return sim
}

func unbind(d prefs.Document) error { return d.Delete(prefs.BindingKeys()...) }

func setToken(token string) func(prefs.Document) error {
	return func(d prefs.Document) error {
		if err := unbind(d); err != nil {
			return err
		}
		return d.Set(prefs.KeyToken, token)
	}
}

func hasToken(t *testing.T, data []byte) bool {
	t.Helper()
	return regexp.MustCompile(`\sPlexOnlineToken="[^"]`).Match(data)
}

func mustEdit(t *testing.T, s *server.Server, change func(prefs.Document) error) server.Report {
	t.Helper()
	report, err := s.Edit(t.Context(), change)
	if err != nil {
		t.Fatalf("Edit: %v", err)
	}
	return report
}

// wantError checks the condition and that the message tells a person what was
// being done and on which host.
func wantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want one that is %q", err, want)
	}
	if !strings.Contains(err.Error(), "this machine") {
		t.Errorf("the error does not name the host: %v", err)
	}
}

// wantUntouched checks that the server was neither stopped nor changed.
func wantUntouched(t *testing.T, sim *simtest.ServerProcess, before []byte) {
	t.Helper()
	if n := sim.StopCount(); n != 0 {
		t.Errorf("the server was stopped %d times, want 0", n)
	}
	if !sim.Running() {
		t.Error("the server does not run")
	}
	if !bytes.Equal(sim.Preferences(), before) {
		t.Error("the preferences have changed")
	}
	wantClean(t, sim)
}

// wantClean checks that no edit has left anything beside the server's files but
// the lock file, which must be empty.
func wantClean(t *testing.T, sim *simtest.ServerProcess) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(sim.DataDir(), ".Preferences.xml.*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	for _, name := range []string{".terraform-provider-plex.lock", ".terraform-provider-plex.lock.held"} {
		lock, err := os.ReadFile(filepath.Join(sim.DataDir(), name))
		if err == nil && len(lock) > 0 {
			t.Errorf("the lock file still names %q", lock)
		}
	}
	for _, pattern := range []string{"*.stage*", "*.new", "*.now"} {
		left, err := filepath.Glob(filepath.Join(sim.DataDir()+".terraform-backups", pattern))
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v %v", left, err)
		}
	}
}

// isMac tells whether sim runs on an emulated Mac.
func isMac(sim *simtest.ServerProcess) bool {
	return sim.Manager() == server.ManagerMacOSApp || sim.Manager() == server.ManagerLaunchd
}

// onlyForFiles skips a test about preferences that are a file.
func onlyForFiles(t *testing.T) {
	t.Helper()
	if os.Getenv(simtest.EnvLab) == "macos" {
		t.Skip("NOT RUN: on macOS the preferences are no file; macos_rules_linux_test.go says the same about them")
	}
}

// wire is a Host that counts, and lets a test interfere with what the script
// says and hears.
type wire struct {
	host.Host
	// onRecord is called when the script has said so, before the provider hears it.
	onRecord map[string]func(*wireShell)
	// onWrite is what the script hears in the place of what the provider says; may be nil.
	onWrite func(p []byte) []byte

	mu     sync.Mutex
	shells int
	writes []string // first line of every write after the script itself
}

func (w *wire) Shell(ctx context.Context, script string) (host.Shell, error) {
	return w.watch(w.Host.Shell(ctx, script))
}

// Batch is for a Host that may have Windows.
func (w *wire) Batch(ctx context.Context, script string) (host.Shell, error) {
	h, ok := w.Host.(host.BatchHost)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	return w.watch(h.Batch(ctx, script))
}

func (w *wire) watch(s host.Shell, err error) (host.Shell, error) {
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.shells++
	w.mu.Unlock()
	return &wireShell{Shell: s, wire: w, cut: make(chan struct{})}, nil
}

// count is how often a command was said.
func (w *wire) count(command string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, line := range w.writes {
		if line == command {
			n++
		}
	}
	return n
}

type wireShell struct {
	host.Shell
	wire  *wire
	heard []byte
	once  sync.Once
	cut   chan struct{} // closed: nothing passes any more, in either direction
}

// silence makes the connection pass nothing more, without either end noticing.
func (s *wireShell) silence() { s.once.Do(func() { close(s.cut) }) }

func (s *wireShell) Read(p []byte) (int, error) {
	n, err := s.Shell.Read(p)
	s.heard = append(s.heard, p[:n]...)
	for name, do := range s.wire.onRecord {
		for _, lineEnd := range []string{"\n", "\r\n"} {
			if i := bytes.Index(s.heard, []byte("\n"+name+lineEnd)); i >= 0 {
				s.heard = s.heard[i+len(name):]
				do(s)
			}
		}
	}
	select {
	case <-s.cut:
		return 0, net.ErrClosed
	default:
		return n, err
	}
}

func (s *wireShell) Write(p []byte) (int, error) {
	select {
	case <-s.cut:
		return len(p), nil
	default:
	}
	line, _, _ := bytes.Cut(p, []byte("\n"))
	s.wire.mu.Lock()
	s.wire.writes = append(s.wire.writes, string(line))
	s.wire.mu.Unlock()
	if s.wire.onWrite != nil {
		_, err := s.Shell.Write(s.wire.onWrite(p))
		return len(p), err
	}
	return s.Shell.Write(p)
}

func (s *wireShell) Close() error {
	select {
	case <-s.cut:
		return nil // a connection that went silent closes nothing at the far end
	default:
		return s.Shell.Close()
	}
}

// scriptPID finds the process that runs the script for the edit that holds the
// lock of sim: of those with the lock file open it is the one that was there first.
func scriptPID(t *testing.T, sim *simtest.ServerProcess) int {
	t.Helper()
	if isMac(sim) {
		return macScriptPID(t, sim)
	}
	script, first := 0, uint64(math.MaxUint64)
	for _, pid := range holders(t, sim) {
		stat, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if began, err := strconv.ParseUint(fields[19], 10, 64); err == nil && (began < first || began == first && pid < script) {
			script, first = pid, began
		}
	}
	if script == 0 {
		t.Fatal("nobody holds the lock")
	}
	return script
}

// holders are the processes that have the lock of sim: the script, its guard, and
// what they run. Where root edits in another user's directory, they have the other end
// of what a process of that user has as its input, which holds it for them.
func holders(t *testing.T, sim *simtest.ServerProcess) []int {
	t.Helper()
	lock := filepath.Join(sim.DataDir(), ".terraform-provider-plex.lock")
	copies := sim.DataDir() + ".terraform-backups"
	var found []int
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		target, err := os.Readlink(link)
		if err == nil && (target == lock || filepath.Dir(target) == copies && strings.HasSuffix(target, ".held (deleted)")) {
			pid, err := strconv.Atoi(strings.Split(link, "/")[2])
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(found, pid) {
				found = append(found, pid)
			}
		}
	}
	return found
}

// signalTo sends a signal to a process, on systems that have signals.
func signalTo(pid int, signal os.Signal) error {
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return process.Signal(signal)
}

// macScriptPID is scriptPID where the lock names the processes that hold it.
func macScriptPID(t *testing.T, sim *simtest.ServerProcess) int {
	t.Helper()
	held, err := os.ReadFile(filepath.Join(sim.DataDir(), ".terraform-provider-plex.lock.held"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(held), "\n")
	if len(lines) < 3 {
		t.Fatalf("the lock is %q", held)
	}
	digits, _, _ := strings.Cut(lines[2], " ")
	pid, err := strconv.Atoi(digits)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
