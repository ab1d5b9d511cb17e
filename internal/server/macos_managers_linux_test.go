package server_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/macsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Whose server it is on macOS, what runs it, and a disk whose system does not run.

// Two users of one Mac may each have a server.
func TestMacOSOneOfSeveralUsersIsChosenByThePath(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("NOT RUN: it needs root to have two users")
	}
	h, m := aMac(t)
	one, two := boundOn(t, m, nil), boundOn(t, m, nil)
	for _, running := range []bool{true, false} {
		if !running {
			one.Stop()
			two.Stop()
		}
		_, err := newServer(t, h, server.Options{URL: one.URL(), Limits: quick}).Inspect(t.Context())
		wantError(t, err, server.ErrSeveralServers)
		wantSays(t, err, one.PreferencesPath(), two.PreferencesPath(), "server.preferences_path")
		for _, sim := range []*simtest.ServerProcess{one, two} {
			found, err := newServer(t, h, onMac(sim)).Inspect(t.Context())
			if err != nil || found.ID != sim.Identity.Processed || found.Owner != m.User(sim).Name || (found.State == server.Running) != running {
				t.Errorf("both run: %v; found %+v %v", running, found, err)
			}
		}
	}
	two.Start()
	found, err := newServer(t, h, server.Options{URL: two.URL(), Limits: quick}).Inspect(t.Context())
	if err != nil || found.ID != two.Identity.Processed {
		t.Errorf("of the two that one was found which does not run: %+v %v", found, err)
	}
}

func TestMacOSTheDefaultsOfAnotherUserNeedRoot(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("NOT RUN: it needs root to have two users")
	}
	h, m := aMac(t)
	sim := boundOn(t, m, nil)
	other, err := m.AddUser()
	must(t, err)
	before := sim.Preferences()
	_, err = newServer(t, as(h, m, other.Name), onMac(sim)).Edit(t.Context(), unbind)
	wantError(t, err, server.ErrUnreadable)
	wantSays(t, err, m.User(sim).Name, other.Name)
	wantUntouched(t, sim, before)
	// The positive control: the user who runs it needs nobody.
	report := mustEdit(t, newServer(t, as(h, m, m.User(sim).Name), onMac(sim)), unbind)
	if !report.Restarted || hasToken(t, sim.Preferences()) {
		t.Errorf("report %+v", report)
	}
}

// as is the same Mac for another user of it.
func as(h host.Host, m *simtest.Mac, user string) host.Host {
	argv := h.(host.Local).Interpreter
	return host.Local{Interpreter: append([]string{filepath.Join(m.Bin(), "sudo"), "-H", "-u", user, "--"}, argv...)}
}

// Nothing is stopped that could not be started again, or that would be killed.
func TestMacOSAnApplicationIsNotQuitThatNobodyCouldOpenAgain(t *testing.T) {
	h, m := aMac(t)
	sim := boundOn(t, m, nil)
	before := sim.Preferences()
	must(t, m.LogIn(m.User(sim), false))
	_, err := newServer(t, h, onMac(sim)).Edit(t.Context(), unbind)
	wantError(t, err, server.ErrNoSession)
	wantSays(t, err, m.User(sim).Name)
	wantUntouched(t, sim, before)
}

func TestMacOSAnApplicationThatMayNotBeAskedIsLeftRunning(t *testing.T) {
	h, m := aMac(t)
	sim := boundOn(t, m, nil)
	before := sim.Preferences()
	must(t, m.ForbidEvents())
	_, err := newServer(t, h, onMac(sim)).Edit(t.Context(), unbind)
	wantError(t, err, server.ErrStopFailed)
	wantSays(t, err, "Not authorized to send Apple events")
	wantUntouched(t, sim, before)
}

// slow stops later than launchd waits that is told to wait a second.
func slow(c *plexsim.Config) { c.StopDelay = plexsim.Duration(1500 * time.Millisecond) }

func TestMacOSAJobThatLaunchdWouldKillIsNotStopped(t *testing.T) {
	h, m := aMac(t)
	m.Launchd = &macsim.Job{Label: "com.example.plex", KeepAlive: true, RunAtLoad: true, ExitTimeOut: 1}
	sim := boundOn(t, m, slow)
	before := sim.Preferences()
	_, err := newServer(t, h, onMac(sim)).Edit(t.Context(), unbind)
	wantError(t, err, server.ErrKillLimit)
	wantSays(t, err, "com.example.plex", "ExitTimeOut to 0", "com.example.plex.plist")
	wantUntouched(t, sim, before)
}

func TestMacOSAJobIsStoppedAndStartedWithoutBeingKilled(t *testing.T) {
	for name, job := range map[string]macsim.Job{
		"it is started again by itself":       {Label: "com.example.plex", KeepAlive: true, RunAtLoad: true},
		"it ends when it ends":                {RunAtLoad: true, ExitTimeOut: 1},
		"it does not run when it is loaded":   {Label: "com.example.plex", ExitTimeOut: 1},
		"it is kept, and not run when loaded": {Label: "com.example.plex", KeepAlive: true},
	} {
		t.Run(name, func(t *testing.T) {
			h, m := aMac(t)
			m.Launchd = &job
			sim := simtest.NewServer(t, simtest.Options{PlexTV: simtest.NewPlexTV(t), Account: &simtest.Owner, Mac: m, Configure: slow})
			sim.Start()
			report := mustEdit(t, newServer(t, h, onMac(sim)), unbind)
			if report.Manager != server.ManagerLaunchd || report.Unit != sim.Unit() || !report.Restarted || hasToken(t, sim.Preferences()) {
				t.Errorf("report %+v", report.Inspection)
			}
			if sim.StopCount() != 1 || plexsim.Count(sim.Events(), plexsim.EventStopped) != 1 || sim.StartCount() != 2 {
				t.Errorf("events %v", sim.Events())
			}
			if pid := m.JobPID("gui/" + strconv.Itoa(m.User(sim).UID) + "/" + sim.Unit()); pid == 0 || pid != sim.PID() {
				t.Errorf("launchd runs %d, the server is %d", pid, sim.PID())
			}
		})
	}
}

// A disk whose system does not run has no daemon: there the file is what counts.
func TestMacOSAListOnADiskThatIsNotRunningIsEditedAsAFile(t *testing.T) {
	h, m := aMac(t)
	running := boundOn(t, m, nil) // is nobody's concern
	list := m.Defaults(running)
	before, err := list.Load()
	must(t, err)
	dir := filepath.Join(string(m.Mac), "Volumes", "Old Mac", "Users", "den", "Library", "Preferences")
	must(t, os.MkdirAll(dir, 0o755))
	path := filepath.Join(dir, plexsim.DefaultsDomain+".plist")
	data, err := os.ReadFile(list.FilePath())
	must(t, err)
	must(t, os.WriteFile(path, data, 0o600))
	if plistutil, err := exec.LookPath("plistutil"); err == nil { // as macOS itself writes it
		must(t, exec.Command(plistutil, "-i", list.FilePath(), "-o", path, "-f", "bin").Run())
	}
	must(t, os.Chmod(path, 0o640))
	report := mustEdit(t, newServer(t, h, onMac(running, func(o *server.Options) { o.PreferencesPath = path })), unbind)
	if report.State != server.Stopped || report.Restarted || running.StopCount() != 0 || report.PreferencesPath != path {
		t.Errorf("report %+v, %d stops", report.Inspection, running.StopCount())
	}
	edited, err := os.ReadFile(path)
	must(t, err)
	document, err := prefs.ParsePropertyList(edited)
	must(t, err)
	old, err := prefs.ParsePropertyList(data)
	must(t, err)
	if got := prefs.Diff(old, document); !slices.Equal(got, slices.Sorted(slices.Values(prefs.BindingKeys()))) {
		t.Errorf("changed: %v", got)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o640 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if got := defaultsOf(t, m, running); !reflect.DeepEqual(got, before) {
		t.Error("the defaults of the running system have changed")
	}
	left, err := os.ReadDir(dir)
	if err != nil || !slices.ContainsFunc(left, func(e os.DirEntry) bool { return e.Name() == filepath.Base(path) }) {
		t.Errorf("%v %v", left, err)
	}
	independent(t, path)
}

func TestMacOSAManagerOfAnotherSystemIsAnErrorThatNamesThoseOfThisOne(t *testing.T) {
	h, m := aMac(t)
	sim := simtest.NewServer(t, simtest.Options{Mac: m})
	for _, manager := range []string{server.ManagerSystemd, server.ManagerWindowsApp} {
		_, err := newServer(t, h, onMac(sim, func(o *server.Options) { o.Service.Manager = manager })).Inspect(t.Context())
		wantError(t, err, server.ErrServiceNotFound)
		wantSays(t, err, manager, "which has macos-app and launchd")
	}
}

func TestMacOSAUserWithoutDefaultsIsSaid(t *testing.T) {
	h, m := aMac(t)
	sim := simtest.NewServer(t, simtest.Options{Mac: m, NoPreferences: true})
	for name, o := range map[string]server.Options{"named": onMac(sim), "looked for": {URL: sim.URL(), Limits: quick}} {
		if _, err := newServer(t, h, o).Inspect(t.Context()); !errors.Is(err, server.ErrNoPreferences) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := newServer(t, h, onMac(sim, func(o *server.Options) {
		o.PreferencesPath = filepath.Join(filepath.Dir(sim.PreferencesPath()), "Preferences.xml")
	})).Inspect(t.Context())
	wantError(t, err, server.ErrNoPreferences)
	wantSays(t, err, plexsim.DefaultsDomain+".plist")
}
