package server_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

func TestEditUnbindsInOneStopAndStart(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		report := mustEdit(t, newServer(t, h, options(sim)), unbind)
		if !report.Changed || !report.Restarted || report.State != server.Running {
			t.Errorf("report: %+v", report)
		}
		if got := sim.StopCount(); got != 1 {
			t.Errorf("stopped %d times, want 1", got)
		}
		if !sim.Running() || hasToken(t, sim.Preferences()) {
			t.Errorf("running %v, preferences %s", sim.Running(), sim.Preferences())
		}
		if report.Identity.MachineIdentifier != sim.Identity.Processed {
			t.Errorf("identity %+v", report.Identity)
		}
		wantClean(t, sim)
	})
}

func TestEditThatChangesNothingStopsNothing(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		before := sim.Preferences()
		report := mustEdit(t, newServer(t, h, options(sim)), func(prefs.Document) error { return nil })
		if report.Changed || report.Restarted {
			t.Errorf("report: %+v", report)
		}
		wantUntouched(t, sim, before)
	})
}

func TestInspectChangesNothing(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		before := listing(t, sim)
		found, err := newServer(t, h, options(sim)).Inspect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if found.ID != sim.Identity.Processed || found.State != server.Running || (found.Platform == "macos") != isMac(sim) ||
			found.Unit != sim.Unit() || found.PreferencesPath != sim.PreferencesPath() {
			t.Errorf("found %+v", found)
		}
		if after := listing(t, sim); after != before {
			t.Errorf("files before: %s\nafter: %s", before, after)
		}
	})
}

// listing is every file of the server's, with its size.
func listing(t *testing.T, sim *simtest.ServerProcess) string {
	t.Helper()
	var all []string
	err := filepath.Walk(sim.SupportDir(), func(path string, _ os.FileInfo, err error) error {
		if !strings.Contains(path, ".plexsim") {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, "\n")
}

func TestInspectSitsOutAFileThatIsBeingWritten(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, func(c *plexsim.Config) {
			c.WriteInterval, c.TruncatePause = plexsim.Duration(30*time.Millisecond), plexsim.Duration(10*time.Millisecond)
		})
		s := newServer(t, h, options(sim))
		for range 5 {
			found, err := s.Inspect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := prefs.ReadBinding(found.Document); !ok {
				t.Fatal("the binding was not seen")
			}
		}
	})
}

// Rule 1: nothing is stopped before all that can fail earlier has succeeded.

func TestNothingIsStoppedWhenTheChangeFails(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		before := sim.Preferences()
		refused := errors.New("the claim token is expired")
		_, err := newServer(t, h, options(sim)).Edit(t.Context(), func(prefs.Document) error { return refused })
		wantError(t, err, refused)
		wantUntouched(t, sim, before)
	})
}

func TestNothingIsStoppedWhenAnotherServerAnswers(t *testing.T) {
	sim, other := bound(t, nil), bound(t, nil)
	before := sim.Preferences()
	s := newServer(t, host.Local{}, options(sim, func(o *server.Options) { o.URL = other.URL() }))
	_, err := s.Edit(t.Context(), unbind)
	wantError(t, err, server.ErrOtherServer)
	wantUntouched(t, sim, before)
}

func TestNothingIsStoppedWhenTheServerDoesNotAnswer(t *testing.T) {
	sim := bound(t, func(c *plexsim.Config) { c.Maintenance = plexsim.Duration(time.Hour) })
	before := sim.Preferences()
	s := newServer(t, host.Local{}, options(sim, func(o *server.Options) { o.Limits.Answer = 100 * time.Millisecond }))
	_, err := s.Edit(t.Context(), unbind)
	wantError(t, err, server.ErrNotAnswering)
	wantUntouched(t, sim, before)
}

func TestNothingIsStoppedWhenThePreferencesAreBroken(t *testing.T) {
	onlyForFiles(t)
	everyShell(t, func(t *testing.T, h host.Host) {
		for name, broken := range map[string]string{
			"empty": "", "truncated": `<?xml version="1.0"?>` + "\n<Preferences a=\"1", "another document": "<Settings/>",
			"no identity": `<Preferences PlexOnlineToken="t"/>`,
		} {
			t.Run(name, func(t *testing.T) {
				sim := bound(t, nil)
				sim.WritePreferences([]byte(broken))
				_, err := newServer(t, h, options(sim)).Edit(t.Context(), unbind)
				wantError(t, err, server.ErrBadPreferences)
				wantUntouched(t, sim, []byte(broken))
			})
		}
	})
}

func TestNothingIsStoppedWhenTheBackupDirectoryIsOpenToOthers(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		before := sim.Preferences()
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o750); err != nil {
			t.Fatal(err)
		}
		s := newServer(t, h, options(sim, func(o *server.Options) { o.Backup.Directory = dir }))
		_, err := s.Edit(t.Context(), unbind)
		wantError(t, err, server.ErrBackupDirectory)
		wantUntouched(t, sim, before)
	})
}

func TestAStopCommandThatFailsLeavesTheServerRunning(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		before := sim.Preferences()
		s := newServer(t, h, options(sim,
			byCommands(sim, func(c *server.Commands) { c.Stop = "echo Access denied >&2; exit 4" }),
			func(o *server.Options) { o.StopTimeout, o.Limits.Linger = time.Second, time.Second }))
		_, err := s.Edit(t.Context(), unbind)
		wantError(t, err, server.ErrStopTimeout)
		if !strings.Contains(err.Error(), "Access denied") {
			t.Errorf("the error does not say what the command said: %v", err)
		}
		simtest.Eventually(t, "the script to end", func() bool { return lockIsFree(t, sim) })
		wantUntouched(t, sim, before)
	})
}

// Rule 4: only the named keys change.

func TestEditKeepsEveryOtherByte(t *testing.T) {
	onlyForFiles(t)
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		sim.Stop()
		odd := "\ufeff<?xml version='1.0'  encoding=\"utf-8\" ?>\r\n<Preferences\r\n  MachineIdentifier = 'x'\tProcessedMachineIdentifier=\"" +
			sim.Identity.Processed + "\"\n PlexOnlineToken='secret' a='1&#xA;2 > \"3\"'  PlexOnlineHome=\"1\"></Preferences >\n<!-- end -->"
		want := "\ufeff<?xml version='1.0'  encoding=\"utf-8\" ?>\r\n<Preferences\r\n  MachineIdentifier = 'x'\tProcessedMachineIdentifier=\"" +
			sim.Identity.Processed + "\" a='1&#xA;2 > \"3\"'></Preferences >\n<!-- end -->"
		sim.WritePreferences([]byte(odd))
		report := mustEdit(t, newServer(t, h, options(sim)), unbind)
		if report.Restarted {
			t.Error("a stopped server was started")
		}
		if got := string(sim.Preferences()); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

// Rule 6: if it was stopped to begin with, it stays stopped.

func TestAStoppedServerStaysStopped(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		sim.Stop()
		starts, stops := sim.StartCount(), sim.StopCount()
		report := mustEdit(t, newServer(t, h, options(sim)), unbind)
		if !report.Changed || report.Restarted || report.State != server.Stopped {
			t.Errorf("report: %+v", report)
		}
		if sim.Running() || sim.StartCount() != starts || sim.StopCount() != stops {
			t.Error("the server was started or stopped")
		}
		if hasToken(t, sim.Preferences()) {
			t.Error("the token is still there")
		}
	})
}

// Rule 10: one shell, and one message between stopped and starting.

func TestAnEditIsOneShellAndOneMessageBetweenStopAndStart(t *testing.T) {
	sim := bound(t, nil)
	w := &wire{Host: host.Local{}}
	mustEdit(t, newServer(t, w, options(sim)), unbind)
	if w.shells != 1 {
		t.Errorf("%d shells, want 1", w.shells)
	}
	got := strings.Join(w.writes, "; ")
	if !regexp.MustCompile(`^(again; )*go [0-9a-f]{40}; (write \d+|forget PlexOnlineHome); (check; )+done$`).MatchString(got) {
		t.Errorf("messages: %s", got)
	}
}

func TestTheSecondLookAtTheChangeSeesWhatTheStoppedServerLeft(t *testing.T) {
	sim := bound(t, func(c *plexsim.Config) { c.SetAtStop = map[string]string{"OnDeckWindow": "99"} })
	var seen []string
	mustEdit(t, newServer(t, host.Local{}, options(sim)), func(d prefs.Document) error {
		v, _ := d.Get("OnDeckWindow")
		seen = append(seen, v)
		return unbind(d)
	})
	if strings.Join(seen, " ") != "16 99" {
		t.Errorf("change saw OnDeckWindow as %v", seen)
	}
	if !bytes.Contains(sim.Preferences(), []byte(`OnDeckWindow="99"`)) {
		t.Error("what the server wrote as it stopped is lost")
	}
}
