package server_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Rule 6 where nobody is left: an edit that was cut off with its guard is ended by
// whoever looks next.

// cutOff has an edit of sim end in the middle, with all that could end it, and
// returns its stage file.
func cutOff(t *testing.T, h host.Host, sim *simtest.ServerProcess) string {
	t.Helper()
	before := 0
	if !sim.Running() {
		before = 1 // which the script says first
	}
	w := &wire{Host: h, onRecord: map[string]func(*wireShell){
		"stopped": func(*wireShell) {
			if before--; before >= 0 {
				return
			}
			for _, pid := range holders(t, sim) {
				_ = signalTo(pid, syscall.SIGKILL) // some end with others
			}
		},
	}}
	_, err := newServer(t, w, options(sim)).Edit(t.Context(), unbind)
	wantError(t, err, server.ErrDisconnected)
	simtest.Eventually(t, "the edit to be gone", func() bool { return len(holders(t, sim)) == 0 })
	found, err := filepath.Glob(filepath.Join(sim.DataDir()+".terraform-backups", "*.stage"))
	if err != nil || len(found) != 1 || sim.Running() {
		t.Fatalf("running %v, %v, %v", sim.Running(), found, err)
	}
	return found[0]
}

func mustInspect(t *testing.T, h host.Host, sim *simtest.ServerProcess) server.Inspection {
	t.Helper()
	found, err := newServer(t, h, options(sim)).Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func wantWarning(t *testing.T, found server.Inspection, want string) {
	t.Helper()
	if len(found.Warnings) != 1 || !strings.Contains(found.Warnings[0], want) {
		t.Errorf("warnings: %q", found.Warnings)
	}
}

func TestAServerThatAnEditLeftStoppedWhenItWasCutOffIsStartedByTheNextLook(t *testing.T) {
	onlyForFiles(t)
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		cutOff(t, h, sim)
		found := mustInspect(t, h, sim)
		wantWarning(t, found, "had left the server stopped, and the server was started")
		if found.State != server.Running {
			t.Errorf("state %q", found.State)
		}
		wantBack(t, sim, true)
		if again := mustInspect(t, h, sim); len(again.Warnings) > 0 {
			t.Errorf("warnings: %q", again.Warnings)
		}
	})
}

func TestAServerThatAnEditLeftStoppedWhenItWasCutOffIsStartedByTheNextEdit(t *testing.T) {
	onlyForFiles(t)
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		cutOff(t, h, sim)
		report := mustEdit(t, newServer(t, h, options(sim)), unbind)
		wantWarning(t, report.Inspection, "the server was started")
		if !report.Restarted {
			t.Error("it was taken for stopped")
		}
		sim.WaitReady()
		wantBack(t, sim, false)
	})
}

// On an empty file a server opens no port (plex-facts 4), whoever starts it.
func TestPreferencesThatAServerEmptiedBeforeItsEditWasCutOffAreRestoredByTheNextLook(t *testing.T) {
	onlyForFiles(t)
	everyShell(t, func(t *testing.T, h host.Host) {
		for name, booted := range map[string]bool{"stopped": false, "booted": true} {
			t.Run(name, func(t *testing.T) {
				sim := bound(t, func(c *plexsim.Config) { c.EmptyAtStop = true })
				cutOff(t, h, sim)
				if len(sim.Preferences()) > 0 {
					t.Fatal("they are not empty")
				}
				if booted {
					sim.Launch()
					sim.WaitEvent(plexsim.EventLoadFailed, 1)
				}
				wantWarning(t, mustInspect(t, h, sim), "restored from its copy, and the server was started")
				wantBack(t, sim, true)
			})
		}
	})
}

func TestAServerThatWasStoppedBeforeAnEditThatWasCutOffStaysStopped(t *testing.T) {
	onlyForFiles(t)
	t.Parallel()
	h := host.Local{}
	sim := bound(t, nil)
	sim.Stop()
	cutOff(t, h, sim)
	if found := mustInspect(t, h, sim); found.State != server.Stopped || len(found.Warnings) > 0 || sim.Running() {
		t.Errorf("%q, %q", found.State, found.Warnings)
	}
	wantClean(t, sim)
}

func TestAServerThatIsStoppedADayAfterAnEditWasCutOffIsLeftStopped(t *testing.T) {
	onlyForFiles(t)
	t.Parallel()
	h := host.Local{}
	sim := bound(t, nil)
	stage := cutOff(t, h, sim)
	ago := time.Now().Add(-50 * time.Hour)
	if err := os.Chtimes(stage, ago, ago); err != nil {
		t.Fatal(err)
	}
	if found := mustInspect(t, h, sim); found.State != server.Stopped || sim.Running() {
		t.Errorf("%q", found.State)
	}
	wantClean(t, sim)
}

func TestAServerThatRunsAgainAfterAnEditWasCutOffIsLeftAlone(t *testing.T) {
	onlyForFiles(t)
	t.Parallel()
	h := host.Local{}
	sim := bound(t, nil)
	cutOff(t, h, sim)
	sim.Start()
	sim.WaitReady()
	stops, starts := sim.StopCount(), sim.StartCount()
	if found := mustInspect(t, h, sim); len(found.Warnings) > 0 || sim.StopCount() != stops || sim.StartCount() != starts {
		t.Errorf("warnings %q, %d stops, %d starts", found.Warnings, sim.StopCount()-stops, sim.StartCount()-starts)
	}
	wantClean(t, sim)
}

// A directory that somebody else can write could hold a stage file of anybody's.
func TestAStageFileInADirectoryThatIsOpenToOthersIsNotBelieved(t *testing.T) {
	onlyForFiles(t)
	t.Parallel()
	h := host.Local{}
	sim := bound(t, nil)
	stage := cutOff(t, h, sim)
	if err := os.Chmod(filepath.Dir(stage), 0o770); err != nil {
		t.Fatal(err)
	}
	if found := mustInspect(t, h, sim); found.State != server.Stopped || sim.Running() {
		t.Errorf("%q", found.State)
	}
}

func TestALookDoesNotEndAnEditThatGoesOn(t *testing.T) {
	onlyForFiles(t)
	t.Parallel()
	h := host.Local{}
	sim := bound(t, nil)
	w := &wire{Host: h, onRecord: map[string]func(*wireShell){
		"stopped": func(*wireShell) {
			if found := mustInspect(t, h, sim); found.State != server.Stopped || len(found.Warnings) > 0 {
				t.Errorf("%q, %q", found.State, found.Warnings)
			}
		},
	}}
	mustEdit(t, newServer(t, w, options(sim)), unbind)
	wantBack(t, sim, false)
}

func TestAServerThatWasSetUpAnewAfterAnEditWasCutOffIsLeftAlone(t *testing.T) {
	onlyForFiles(t)
	t.Parallel()
	h := host.Local{}
	sim := bound(t, nil)
	cutOff(t, h, sim)
	anew := simtest.Preferences(simtest.NewIdentity(), plexsim.Account{}, "")
	sim.WritePreferences(anew)
	if found := mustInspect(t, h, sim); found.State != server.Stopped || len(found.Warnings) > 0 || sim.Running() {
		t.Errorf("%q, %q", found.State, found.Warnings)
	}
	if !bytes.Equal(sim.Preferences(), anew) {
		t.Error("the preferences have changed")
	}
	wantClean(t, sim)
}
