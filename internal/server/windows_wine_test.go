package server_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Rows of the conformance suite for Windows, as Wine plays it. They run one after
// another: Wine is slow, and limits are short.

// windows is a command that gives cmd.exe, on a host whose ports are this machine's.
type windows struct {
	host.BatchHost
	mark string // in the environment of all that it starts
}

// Unwrap gives what is looked for by its type.
func (w windows) Unwrap() host.Host { return w.BatchHost }

func (windows) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return host.Local{}.Dial(ctx, network, address)
}

// wine is a Windows, that of this machine if it is one.
func wine(t *testing.T) windows {
	t.Helper()
	if runtime.GOOS == "windows" {
		return windows{BatchHost: host.Local{}}
	}
	script := os.Getenv(simtest.EnvWine)
	if script == "" || os.Getenv(simtest.EnvLab) != "wine" {
		t.Skipf("NOT RUN: %s=wine and %s=test/lab/wine.sh say where Windows is", simtest.EnvLab, simtest.EnvWine)
	}
	mark := fmt.Sprintf("plexmark=%s-%d", t.Name(), os.Getpid())
	return windows{host.Exec{Command: []string{"env", mark, script, "cmd"}}, mark}
}

// killBatch kills the cmd.exe that runs the batch, as the end of an SSH session does.
func (w windows) killBatch(t *testing.T) {
	t.Helper()
	if w.mark == "" {
		t.Fatal("processes are not told apart here")
	}
	killed := 0
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lines {
		line, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(line, []byte("plex-batch")) {
			continue
		}
		environ, err := os.ReadFile(filepath.Join(filepath.Dir(path), "environ"))
		if err != nil || !bytes.Contains(environ, []byte(w.mark)) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		if err := signalTo(pid, syscall.SIGKILL); err == nil {
			killed++
		}
	}
	if killed != 1 {
		t.Errorf("%d processes were killed that run the batch, want 1", killed)
	}
}

// onWindows are the options of a server there.
func onWindows(sim *simtest.ServerProcess, changes ...func(*server.Options)) server.Options {
	return options(sim, append([]func(*server.Options){func(o *server.Options) {
		o.Platform, o.StopTimeout, o.Limits.Verify = server.PlatformWindows, 30*time.Second, 2*time.Minute
	}}, changes...)...)
}

// wantWindowsBack waits for the server, and for the guard to have given up the lock.
func wantWindowsBack(t *testing.T, h host.Host, sim *simtest.ServerProcess, token bool) {
	t.Helper()
	sim.WaitEvent(plexsim.EventListening, 2)
	sim.WaitReady()
	if got := hasToken(t, sim.Preferences()); got != token {
		t.Errorf("token present: %v, want %v", got, token)
	}
	// Who edits next gets the lock, and finds all in order.
	s := newServer(t, h, onWindows(sim, func(o *server.Options) { o.Limits.Lock = time.Minute }))
	report := mustEdit(t, s, setToken("madeUpToken42"))
	if token, _ := report.Document.Get(prefs.KeyToken); token != "madeUpToken42" {
		t.Error("the next edit did not set its token")
	}
	if n := sim.StartCount(); n != 3 {
		t.Errorf("the server was started %d times, want once at first, once by whoever brought it back, once by the next edit", n)
	}
}

func TestWindowsInspectFindsTheServer(t *testing.T) {
	h := wine(t)
	sim := bound(t, nil)
	found, err := newServer(t, h, onWindows(sim)).Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	binding, isBound := prefs.ReadBinding(found.Document)
	if !isBound || binding.Username != simtest.Owner.Username {
		t.Errorf("it is bound to %v", binding)
	}
	if found.State != server.Running || found.Platform != server.PlatformWindows || found.Format != prefs.FormatRegistry || found.Identity.MachineIdentifier != found.ID {
		t.Errorf("found %+v", found)
	}
}

func TestWindowsEditRemovesTheFourKeysAndNothingElse(t *testing.T) {
	h := wine(t)
	sim := bound(t, nil)
	s := newServer(t, h, onWindows(sim))
	found, err := s.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	report := mustEdit(t, s, unbind)
	if hasToken(t, sim.Preferences()) || !report.Restarted || sim.StopCount() != 1 {
		t.Errorf("stopped %d times, %+v", sim.StopCount(), report)
	}
	for _, name := range prefs.Diff(found.Document, report.Document) {
		if !strings.HasPrefix(name, "PlexOnline") && !prefs.ServerOwned(name) {
			t.Errorf("%s has changed", name)
		}
	}
	if !strings.HasSuffix(report.Backup, ".after.reg") {
		t.Errorf("the copy is %q", report.Backup)
	}
}

func TestWindowsAStoppedServerStaysStopped(t *testing.T) {
	h := wine(t)
	sim := bound(t, nil)
	sim.Stop()
	report := mustEdit(t, newServer(t, h, onWindows(sim)), unbind)
	if hasToken(t, sim.Preferences()) || sim.Running() || report.Restarted {
		t.Errorf("running: %v, %+v", sim.Running(), report)
	}
}

// The server has lost its values as it stopped, so they are put back, too.
func TestWindowsTheServerComesBackWhenTheProviderGoesAwayWhileItIsStopped(t *testing.T) {
	h := wine(t)
	sim := bound(t, func(c *plexsim.Config) { c.EmptyAtStop = true })
	w := &wire{Host: h, onRecord: map[string]func(*wireShell){
		"stopped": func(s *wireShell) { _ = s.Close(); s.silence() },
	}}
	if _, err := newServer(t, w, onWindows(sim)).Edit(t.Context(), unbind); err == nil {
		t.Error("an edit without its connection succeeded")
	}
	wantWindowsBack(t, h, sim, true)
}

func TestWindowsValuesThatTheServerLostAsItStoppedAreRestored(t *testing.T) {
	h := wine(t)
	sim := bound(t, func(c *plexsim.Config) { c.EmptyAtStop = true })
	s := newServer(t, h, onWindows(sim))
	found, err := s.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Host: h}
	report := mustEdit(t, newServer(t, w, onWindows(sim)), unbind)
	if hasToken(t, sim.Preferences()) || w.count("write-from-before ;\r") != 1 {
		t.Errorf("the token is there, or it was not written from the copy: %q", w.writes)
	}
	for _, name := range prefs.Diff(found.Document, report.Document) {
		if !strings.HasPrefix(name, "PlexOnline") && !prefs.ServerOwned(name) {
			t.Errorf("%s has changed", name)
		}
	}
}

func TestWindowsWhatIsNotInOrderIsSaidAndNothingIsStopped(t *testing.T) {
	h := wine(t)
	sim := bound(t, nil)
	for _, test := range []struct {
		change func(*server.Options)
		want   error
		says   string
	}{
		{func(o *server.Options) { o.PreferencesPath = `HKEY_CURRENT_USER\Software\terraform-provider-plex\none` }, server.ErrNoPreferences, "none"},
		{func(o *server.Options) { o.PreferencesPath = `HKEY_USERS\S-1-5-21-1-2-3-1001\Software\none` }, server.ErrNotLoggedOn, "S-1-5-21-1-2-3-1001"},
		{func(o *server.Options) {
			o.Commands, o.Service = server.Commands{}, server.Service{Manager: server.ManagerWindowsService, Name: "nosuch"}
		}, server.ErrServiceNotFound, "nosuch"},
		{func(o *server.Options) { o.Backup.Directory = `C:\windows\win.ini\copies` }, server.ErrBackupDirectory, "copies"},
		{func(o *server.Options) { o.Commands.Status = "exit 9" }, server.ErrMoving, "unknown"},
	} {
		_, err := newServer(t, h, onWindows(sim, test.change)).Edit(t.Context(), unbind)
		wantWindowsError(t, err, test.want)
		if !strings.Contains(err.Error(), test.says) {
			t.Errorf("error is %v, which does not say %q", err, test.says)
		}
	}
	if sim.StopCount() != 0 || !hasToken(t, sim.Preferences()) {
		t.Error("the server was touched")
	}
}

func TestWindowsTheServerComesBackWhenTheConnectionGoesSilentWhileItIsStopped(t *testing.T) {
	h := wine(t)
	sim := bound(t, nil)
	w := &wire{Host: h, onRecord: map[string]func(*wireShell){"stopped": func(s *wireShell) { s.silence() }}}
	s := newServer(t, w, onWindows(sim, func(o *server.Options) {
		o.Limits.Silence, o.Limits.Command = 2*time.Second, 2*time.Second
		o.StopTimeout = time.Second
	}))
	if _, err := s.Edit(t.Context(), unbind); err == nil {
		t.Error("an edit without its connection succeeded")
	}
	wantWindowsBack(t, h, sim, true)
}

func TestWindowsTheServerComesBackWhenTheBatchIsKilledWhileItIsStopped(t *testing.T) {
	h := wine(t)
	sim := bound(t, nil)
	w := &wire{Host: h, onRecord: map[string]func(*wireShell){"stopped": func(s *wireShell) {
		h.killBatch(t)
		s.silence()
	}}}
	// The shell in which the batch ran goes on, and says nothing: until all limits are over.
	s := newServer(t, w, onWindows(sim, func(o *server.Options) {
		o.StopTimeout, o.Limits.Command, o.Limits.Silence = 10*time.Second, 10*time.Second, 2*time.Second
	}))
	if _, err := s.Edit(t.Context(), unbind); err == nil {
		t.Error("an edit without its batch succeeded")
	}
	wantWindowsBack(t, h, sim, true)
}

func TestWindowsAServerThatDoesNotStopIsLeftRunning(t *testing.T) {
	h := wine(t)
	sim := bound(t, nil)
	pid := sim.PID()
	s := newServer(t, h, onWindows(sim, byCommands(sim, func(c *server.Commands) { c.Stop = "cmd /c exit 0" }), func(o *server.Options) {
		o.Platform, o.StopTimeout, o.Limits.Linger = server.PlatformWindows, time.Second, time.Second
	}))
	_, err := s.Edit(t.Context(), unbind)
	wantWindowsError(t, err, server.ErrStopTimeout)
	if sim.PID() != pid || !hasToken(t, sim.Preferences()) {
		t.Errorf("process %d, was %d", sim.PID(), pid)
	}
}

func TestWindowsAServerThatStopsLateIsStartedAgain(t *testing.T) {
	h := wine(t)
	sim := bound(t, nil)
	s := newServer(t, h, onWindows(sim, byCommands(sim, func(c *server.Commands) { c.Stop = "cmd /c exit 0" }), func(o *server.Options) {
		o.Platform, o.StopTimeout, o.Limits.Linger = server.PlatformWindows, time.Second, time.Minute
	}))
	_, err := s.Edit(t.Context(), unbind)
	wantWindowsError(t, err, server.ErrStopTimeout)
	sim.Stop()
	sim.WaitEvent(plexsim.EventListening, 2)
	if !hasToken(t, sim.Preferences()) {
		t.Error("it came back without its token")
	}
}

func TestWindowsOneEditorAtATime(t *testing.T) {
	h := wine(t)
	sim := bound(t, nil)
	var second error
	w := &wire{Host: h, onRecord: map[string]func(*wireShell){"ready": func(*wireShell) {
		_, second = newServer(t, h, onWindows(sim, func(o *server.Options) { o.Limits.Lock = time.Second })).Edit(t.Context(), unbind)
	}}}
	mustEdit(t, newServer(t, w, onWindows(sim)), unbind)
	wantWindowsError(t, second, server.ErrLocked)
	if second != nil && !strings.Contains(second.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Errorf("the holder is not named: %v", second)
	}
}

func TestWindowsWhatDoesNotStartIsPutBack(t *testing.T) {
	h := wine(t)
	sim := bound(t, nil)
	s := newServer(t, h, onWindows(sim, byCommands(sim, func(c *server.Commands) {
		// Starts the server only while it has its token.
		key := `"` + sim.PreferencesPath() + `"`
		c.Start = "reg query " + key + " /v PlexOnlineToken >nul & if errorlevel 1 (exit 9) else (" + c.Start + ")"
	}), func(o *server.Options) { o.Platform = server.PlatformWindows }))
	_, err := s.Edit(t.Context(), unbind)
	wantWindowsError(t, err, server.ErrReverted)
	sim.WaitReady()
	if !hasToken(t, sim.Preferences()) {
		t.Error("the token is gone")
	}
}

// windowsPath is how Wine has a path of this machine.
func windowsPath(path string) string { return "Z:" + strings.ReplaceAll(path, "/", `\`) }

// asApplication makes sim the application of the user, which its key names. What
// starts in a session has the environment of its user, and nothing of the editor's.
func asApplication(t *testing.T, sim *simtest.ServerProcess) {
	t.Helper()
	inWine(t, "reg.exe", "add", sim.PreferencesPath(), "/v", "InstallFolder", "/d", windowsPath(filepath.Join(sim.SupportDir(), ".plexsim")), "/f")
	const environment = `HKEY_CURRENT_USER\Environment`
	inWine(t, "reg.exe", "add", environment, "/v", plexsim.EnvSupportDir, "/d", windowsPath(sim.SupportDir()), "/f")
	t.Cleanup(func() { inWine(t, "reg.exe", "delete", environment, "/v", plexsim.EnvSupportDir, "/f") })
}

func TestWindowsTheApplicationIsAskedToCloseAndStartedInItsSession(t *testing.T) {
	h := wine(t)
	sim := bound(t, nil)
	sim.Stop()
	asApplication(t, sim)
	sim.Start()
	s := newServer(t, h, onWindows(sim, func(o *server.Options) { o.Commands = server.Commands{} }))
	found, err := s.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if found.Manager != server.ManagerWindowsApp || found.State != server.Running {
		t.Errorf("found %+v", found)
	}
	stops := sim.StopCount()
	report := mustEdit(t, s, unbind)
	if hasToken(t, sim.Preferences()) || !report.Restarted || sim.StopCount() != stops+1 {
		t.Errorf("stopped %d times, %+v", sim.StopCount()-stops, report)
	}
}

func TestWindowsTheServerThatIsAServiceIsStoppedAndStartedAsOne(t *testing.T) {
	h := wine(t)
	sim := bound(t, nil)
	sim.Stop()
	name := asService(t, sim)
	s := newServer(t, h, byService(sim, name))
	stops := sim.StopCount()
	report := mustEdit(t, s, unbind)
	if hasToken(t, sim.Preferences()) || !report.Restarted || sim.StopCount() != stops+1 {
		t.Errorf("stopped %d times, %+v", sim.StopCount()-stops, report)
	}
	if !strings.Contains(inWine(t, `C:\windows\system32\sc.exe`, "query", name), "RUNNING") {
		t.Error("the service does not run")
	}
}

// asService makes sim a service that runs.
func asService(t *testing.T, sim *simtest.ServerProcess) string {
	t.Helper()
	const sc = `C:\windows\system32\sc.exe`
	name := "plexlab-" + strings.ToLower(rand.Text()[:8])
	program := `"` + windowsPath(filepath.Join(sim.SupportDir(), ".plexsim", "Plex Media Server.exe")) + `" "` + windowsPath(sim.SupportDir()) + `"`
	inWine(t, sc, "create", name, "binPath=", program)
	t.Cleanup(func() {
		inWine(t, sc, "stop", name)
		inWine(t, sc, "delete", name)
	})
	inWine(t, sc, "start", name)
	sim.WaitReady()
	return name
}

func byService(sim *simtest.ServerProcess, name string) server.Options {
	return onWindows(sim, func(o *server.Options) {
		o.Commands, o.Service = server.Commands{}, server.Service{Manager: server.ManagerWindowsService, Name: name}
	})
}

// A service that would end the server by force is refused before the stop.
func TestWindowsAServiceThatMayKillIsRefused(t *testing.T) {
	h := wine(t)
	sim := bound(t, nil)
	sim.Stop()
	key := `HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\`
	name := asService(t, sim)
	for _, image := range []struct{ path, says string }{
		{`C:\Program Files\PmsService\PlexService.exe`, "not known to let the server stop"},
		{`C:\nssm\nssm.exe`, "NSSM would end the server by force after 1 s"},
	} {
		inWine(t, "reg.exe", "add", key+name, "/v", "ImagePath", "/t", "REG_EXPAND_SZ", "/d", image.path, "/f")
		stops := sim.StopCount()
		_, err := newServer(t, h, byService(sim, name)).Edit(t.Context(), unbind)
		wantWindowsError(t, err, server.ErrKillLimit)
		if err != nil && !strings.Contains(err.Error(), image.says) {
			t.Errorf("error is %v", err)
		}
		if sim.StopCount() != stops || !hasToken(t, sim.Preferences()) {
			t.Error("the server was touched")
		}
	}
}

// inWine runs a program there.
func inWine(t *testing.T, arguments ...string) string {
	t.Helper()
	said, err := exec.Command(os.Getenv(simtest.EnvWine), append([]string{"run"}, arguments...)...).Output()
	if err != nil {
		t.Errorf("%s: %v: %s", arguments, err, said)
	}
	return string(said)
}

func wantWindowsError(t *testing.T, err, want error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want.Error()) {
		t.Fatalf("error is %v, want one that is %q", err, want)
	}
}
