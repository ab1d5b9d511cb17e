package server_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/macsim/cfprefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// The rules of design.md section 4 where the preferences are user defaults, on an
// emulated Mac (plex-facts section 5.5).

// aMac is a Mac, and a way to it, under one shell.
func aMac(t *testing.T) (host.Host, *simtest.Mac) {
	t.Helper()
	t.Parallel()
	m := simtest.NewMac(t)
	return host.Local{Interpreter: []string{"env", "PATH=" + m.Bin() + ":" + os.Getenv("PATH"), "/bin/sh"}}, m
}

func onMac(sim *simtest.ServerProcess, changes ...func(*server.Options)) server.Options {
	o := server.Options{PreferencesPath: sim.PreferencesPath(), URL: sim.URL(), Limits: quick}
	for _, change := range changes {
		change(&o)
	}
	return o
}

// defaultsOf is what the daemon has.
func defaultsOf(t *testing.T, m *simtest.Mac, sim *simtest.ServerProcess) cfprefs.Dict {
	t.Helper()
	list, err := m.Defaults(sim).Load()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// without is a list less some names.
func without(list cfprefs.Dict, names ...string) cfprefs.Dict {
	kept := maps.Clone(list)
	for _, name := range names {
		delete(kept, name)
	}
	return kept
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The positive control of all the others: the file is not where the defaults are.
func TestMacOSAnEditOfTheFileUnderTheDaemonIsLost(t *testing.T) {
	_, m := aMac(t)
	sim := boundOn(t, m, nil)
	sim.Stop()
	before := defaultsOf(t, m, sim)
	data, err := os.ReadFile(sim.PreferencesPath())
	must(t, err)
	document, err := prefs.ParsePropertyList(data)
	must(t, err)
	must(t, unbind(document))
	must(t, os.WriteFile(sim.PreferencesPath(), document.Bytes(), 0o600))
	if got := defaultsOf(t, m, sim); !reflect.DeepEqual(got, before) {
		t.Errorf("the daemon took the file: %v", got)
	}
	sim.Start()
	sim.WaitReady()
	if !hasToken(t, sim.Preferences()) {
		t.Error("the server read the file")
	}
}

// Rule 4.
func TestMacOSOnlyTheNamedDefaultsChangeAndEveryOtherKeepsItsType(t *testing.T) {
	for name, replaces := range map[string]bool{"an import merges": false, "an import replaces": true} {
		t.Run(name, func(t *testing.T) {
			h, m := aMac(t)
			if replaces {
				must(t, m.ImportReplaces())
			}
			sim := boundOn(t, m, nil)
			before := defaultsOf(t, m, sim)
			mustEdit(t, newServer(t, h, onMac(sim)), unbind)
			if got, want := defaultsOf(t, m, sim), without(before, prefs.BindingKeys()...); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
			mustEdit(t, newServer(t, h, onMac(sim)), setToken("another-token"))
			got := defaultsOf(t, m, sim)
			if got[prefs.KeyToken] != "another-token" {
				t.Errorf("the token is %v", got[prefs.KeyToken])
			}
			if got, want := without(got, prefs.BindingKeys()...), without(before, prefs.BindingKeys()...); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

// A name that is not there is no error, although defaults says that it is.
func TestMacOSADefaultThatIsNotThereIsGone(t *testing.T) {
	h, m := aMac(t)
	sim := boundOn(t, m, nil)
	sim.Stop()
	must(t, m.Defaults(sim).Update(func(was cfprefs.Dict) (cfprefs.Dict, error) {
		return without(was, prefs.KeyHome, prefs.KeyMail), nil
	}))
	must(t, m.LogCalls())
	report := mustEdit(t, newServer(t, h, onMac(sim)), unbind)
	if report.Restarted || sim.Running() || hasToken(t, sim.Preferences()) {
		t.Errorf("report %+v, running %v", report, sim.Running())
	}
}

// Rule 9.
func TestMacOSNoSecretIsAnArgument(t *testing.T) {
	h, m := aMac(t)
	sim := boundOn(t, m, nil)
	old := sim.Token
	must(t, m.LogCalls())
	mustEdit(t, newServer(t, h, onMac(sim)), setToken("a-secret-token"))
	calls, err := m.Calls()
	must(t, err)
	for _, call := range []string{"defaults import " + plexsim.DefaultsDomain + " -", "defaults delete " + plexsim.DefaultsDomain + " " + prefs.KeyHome, "osascript -e", "open -g -a"} {
		if !strings.Contains(calls, call) {
			t.Errorf("nobody called %q:\n%s", call, calls)
		}
	}
	for _, secret := range []string{"a-secret-token", old} {
		if strings.Contains(calls, secret) {
			t.Error("a token is in an argument")
		}
	}
}

// Rule 3: copies, which hold the token.
func TestMacOSCopiesAreListsThatNobodyElseCanRead(t *testing.T) {
	h, m := aMac(t)
	sim := boundOn(t, m, func(c *plexsim.Config) { c.SetAtStop = map[string]string{"OnDeckWindow": "99"} })
	before := defaultsOf(t, m, sim)
	report := mustEdit(t, newServer(t, h, onMac(sim)), unbind)
	dir := sim.DataDir() + ".terraform-backups"
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	must(t, err)
	if len(files) != 2 || files[0] != report.Backup || !strings.HasSuffix(files[0], ".after.plist") || !strings.HasSuffix(files[1], ".before.plist") {
		t.Fatalf("copies %v, reported %s", files, report.Backup)
	}
	for path, mode := range map[string]os.FileMode{dir: os.ModeDir | 0o700, files[0]: 0o600, files[1]: 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v %v", path, info.Mode(), err)
		}
	}
	want := maps.Clone(before)
	want["OnDeckWindow"] = cfprefs.Scalar{Kind: "integer", Text: "99"}
	for path, want := range map[string]cfprefs.Dict{files[0]: want, files[1]: before} {
		data, err := os.ReadFile(path)
		must(t, err)
		if got, err := cfprefs.Decode(data); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s has %v %v, want %v", path, got, err, want)
		}
	}
	independent(t, files[0])
}

// independent has a reader of neither ours nor the emulation's look at a list.
func independent(t *testing.T, path string) {
	t.Helper()
	plistutil, err := exec.LookPath("plistutil")
	if err != nil {
		t.Log("NOT RUN: plistutil is not installed")
		return
	}
	if out, err := exec.Command(plistutil, "-i", path, "-o", os.DevNull).CombinedOutput(); err != nil {
		t.Errorf("plistutil: %v\n%s", err, out)
	}
}

func TestMacOSDefaultsThatTheServerLostAsItStoppedAreRestored(t *testing.T) {
	for name, configure := range map[string]func(*plexsim.Config){
		"emptied":          func(c *plexsim.Config) { c.EmptyAtStop = true },
		"another identity": func(c *plexsim.Config) { c.IdentityAtStop = strings.Repeat("ab", 20) },
	} {
		t.Run(name, func(t *testing.T) {
			h, m := aMac(t)
			sim := boundOn(t, m, configure)
			before := defaultsOf(t, m, sim)
			report := mustEdit(t, newServer(t, h, onMac(sim)), unbind)
			if len(report.Warnings) == 0 || !strings.HasSuffix(report.Backup, ".before.plist") {
				t.Errorf("report %+v", report)
			}
			got := defaultsOf(t, m, sim)
			if _, bound := got[prefs.KeyToken]; bound || got[prefs.KeyMachineIdentifier] != before[prefs.KeyMachineIdentifier] || got["BookmarkData"] == nil {
				t.Errorf("defaults: %v", got)
			}
		})
	}
}

// Rule 6: the script is killed between one name and the next.
func TestMacOSTheGuardPutsHalfEditedDefaultsBack(t *testing.T) {
	for name, test := range map[string]struct {
		stall  string
		change func(prefs.Document) error
	}{
		"while it deletes": {"delete " + prefs.KeyToken, unbind},
		"before it writes": {"import -", setToken("another-token")},
		"after it wrote":   {"delete " + prefs.KeyHome, setToken("another-token")},
	} {
		t.Run(name, func(t *testing.T) {
			h, m := aMac(t)
			sim := boundOn(t, m, nil)
			before := defaultsOf(t, m, sim)
			must(t, m.Stall(test.stall))
			t.Cleanup(func() { _ = m.Proceed() })
			failed := make(chan error, 1)
			go func() {
				s := newServer(t, h, onMac(sim, func(o *server.Options) { o.Limits.Silence, o.Limits.Command = longer, longer }))
				_, err := s.Edit(t.Context(), test.change)
				failed <- err
			}()
			simtest.Eventually(t, "the defaults to be half edited", func() bool {
				stages, _ := filepath.Glob(filepath.Join(sim.DataDir()+".terraform-backups", "*.stage"))
				if len(stages) != 1 {
					return false
				}
				stage, _ := os.ReadFile(stages[0])
				return strings.HasPrefix(string(stage), "writing ") && m.Stalled()
			})
			must(t, signalTo(macScriptPID(t, sim), syscall.SIGKILL))
			must(t, m.Proceed())
			simtest.Eventually(t, "the edit to end", func() bool { return len(failed) == 1 }) // what the script left does not wait for its limit
			wantError(t, <-failed, server.ErrDisconnected)
			wantBack(t, sim, true)
			if got := defaultsOf(t, m, sim); !reflect.DeepEqual(got, before) {
				t.Errorf("got  %v\nwant %v", got, before)
			}
		})
	}
}

// Rule 7: what an import has lost is seen before the server runs with it.
func TestMacOSAnImportThatLosesANameIsTakenBack(t *testing.T) {
	for name, silently := range map[string]bool{"and says so": false, "and does not say so": true} {
		t.Run(name, func(t *testing.T) {
			h, m := aMac(t)
			sim := boundOn(t, m, nil)
			before := defaultsOf(t, m, sim)
			must(t, m.LoseAtImport("BookmarkData", silently))
			_, err := newServer(t, h, onMac(sim)).Edit(t.Context(), setToken("another-token"))
			wantError(t, err, server.ErrNotWritten)
			if silently {
				wantSays(t, err, "BookmarkData")
			}
			sim.WaitReady()
			if got := defaultsOf(t, m, sim); !reflect.DeepEqual(got, before) {
				t.Errorf("got  %v\nwant %v", got, before)
			}
			wantClean(t, sim)
		})
	}
}

func TestMacOSOldDefaultsComeBackForAServerThatDoesNotComeUp(t *testing.T) {
	h, m := aMac(t)
	sim := boundOn(t, m, func(c *plexsim.Config) { c.RefuseWithoutToken = true })
	before := defaultsOf(t, m, sim)
	s := newServer(t, h, onMac(sim, func(o *server.Options) { o.Limits.Verify = time.Second }))
	_, err := s.Edit(t.Context(), unbind)
	wantError(t, err, server.ErrReverted)
	sim.WaitReady()
	if got := defaultsOf(t, m, sim); !reflect.DeepEqual(got, before) {
		t.Errorf("got  %v\nwant %v", got, before)
	}
}

// Rule 6: from the stop on cfprefsd, or whoever is asked for it, does not answer.
func TestMacOSDefaultsThatHangKeepNoServerDown(t *testing.T) {
	for call, change := range map[string]func(prefs.Document) error{
		"delete " + prefs.KeyToken: unbind,
		"import -":                 setToken("another-token"),
		"export -":                 setToken("another-token"),
	} {
		t.Run(call, func(t *testing.T) {
			h, m := aMac(t)
			sim := boundOn(t, m, nil)
			before := defaultsOf(t, m, sim)
			w := &wire{Host: h, onRecord: map[string]func(*wireShell){
				"stopped": func(*wireShell) { must(t, m.Stall(call)) },
			}}
			t.Cleanup(func() { _ = m.Proceed() })
			s := newServer(t, w, onMac(sim, func(o *server.Options) { o.Limits.Command = 2 * time.Second }))
			_, err := s.Edit(t.Context(), change)
			wantError(t, err, server.ErrNotWritten)
			if name, deleted := strings.CutPrefix(call, "delete "); deleted {
				wantSays(t, err, name)
			}
			sim.WaitReady()
			must(t, m.Proceed())
			if got := defaultsOf(t, m, sim); !reflect.DeepEqual(got, before) {
				t.Errorf("got  %v\nwant %v", got, before)
			}
		})
	}
}

// What an edit has brought goes when a copy is put back, which an import may not do.
func TestMacOSWhatWasAddedGoesWithTheEdit(t *testing.T) {
	unclaimed := func(t *testing.T, m *simtest.Mac, configure func(*plexsim.Config)) (*simtest.ServerProcess, cfprefs.Dict) {
		t.Helper()
		sim := simtest.NewServer(t, simtest.Options{PlexTV: simtest.NewPlexTV(t), Mac: m, Configure: configure})
		sim.Start()
		return sim, defaultsOf(t, m, sim)
	}
	t.Run("by the script", func(t *testing.T) {
		h, m := aMac(t)
		sim, before := unclaimed(t, m, func(c *plexsim.Config) { c.RefuseWithToken = true })
		s := newServer(t, h, onMac(sim, func(o *server.Options) { o.Limits.Verify = time.Second }))
		_, err := s.Edit(t.Context(), setToken("a-token"))
		wantError(t, err, server.ErrReverted)
		if got := defaultsOf(t, m, sim); !reflect.DeepEqual(got, before) {
			t.Errorf("got  %v\nwant %v", got, before)
		}
	})
	t.Run("by the guard", func(t *testing.T) {
		h, m := aMac(t)
		sim, before := unclaimed(t, m, nil)
		w := &wire{Host: h, onRecord: map[string]func(*wireShell){
			"stopped": func(*wireShell) { must(t, m.Stall("export -")) }, // the next one is after the import
		}}
		t.Cleanup(func() { _ = m.Proceed() })
		failed := make(chan error, 1)
		go func() {
			_, err := newServer(t, w, onMac(sim)).Edit(t.Context(), setToken("a-token"))
			failed <- err
		}()
		simtest.Eventually(t, "the defaults to be imported", m.Stalled)
		if !hasToken(t, sim.Preferences()) {
			t.Error("nothing was imported")
		}
		must(t, signalTo(macScriptPID(t, sim), syscall.SIGKILL))
		must(t, m.Proceed())
		wantError(t, <-failed, server.ErrDisconnected)
		wantBack(t, sim, false)
		if got := defaultsOf(t, m, sim); !reflect.DeepEqual(got, before) {
			t.Errorf("got  %v\nwant %v", got, before)
		}
	})
}
