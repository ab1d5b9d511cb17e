package server_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// The owner's workers, which the owner can keep, hold up, and cut short.

// hindered is h, whose cat does once what shell says, when a test of its arguments holds
// and begin was called. No timeout ends what is kept there.
func hindered(t *testing.T, h host.Host, sim *simtest.ServerProcess, when, what string) (hindered host.Host, begin func()) {
	t.Helper()
	cat, err := exec.LookPath("cat")
	must(t, err)
	bin, now := t.TempDir(), filepath.Join(sim.SupportDir(), "now")
	must(t, os.WriteFile(filepath.Join(bin, "cat"), fmt.Appendf(nil, `#!/bin/sh
now='%s' prefs='%s'
if %s && mv "$now" "$now.taken" 2>/dev/null; then %s; fi
exec %s "$@"
`, now, sim.PreferencesPath(), when, what, cat), 0o755))
	openUp(t, filepath.Join(bin, "cat"))
	return withPath(t, h.(host.Local).Interpreter, bin, "timeout"), func() {
		if err := os.WriteFile(now, nil, 0o600); err != nil {
			t.Error(err)
		}
	}
}

// keeping is h, on which the attacker puts a FIFO in the place of the preferences
// between the look at them and their use. It keeps who reads them.
func keeping(t *testing.T, h host.Host, sim *simtest.ServerProcess) (kept host.Host, begin func()) {
	t.Helper()
	return hindered(t, h, sim, `[ "${2-}" = "$prefs" ]`, `rm "$prefs" && mkfifo "$prefs"`)
}

func TestWhatTheAttackerKeepsEndsWithTheEdit(t *testing.T) {
	t.Parallel()
	sim := owned(t)
	before := sim.Preferences()
	kept, begin := keeping(t, oneShell(t, 1), sim)
	w := &wire{Host: kept, onRecord: map[string]func(*wireShell){"ready": func(*wireShell) { begin() }}}
	s := newServer(t, w, options(sim, func(o *server.Options) { o.Limits.Command = time.Second }))
	_, err := s.Edit(t.Context(), unbind)
	wantError(t, err, server.ErrNotWritten)
	wantNobody(t, sim)
	if !bytes.Equal(sim.Preferences(), before) {
		t.Error("the preferences are not those of before")
	}
}

func TestWhatTheAttackerKeepsEndsWithTheLookThatEndsAnEdit(t *testing.T) {
	t.Parallel()
	sim := owned(t)
	before := sim.Preferences()
	h := oneShell(t, 0)
	cutOff(t, h, sim)
	kept, begin := keeping(t, h, sim)
	begin()
	s := newServer(t, kept, options(sim, func(o *server.Options) { o.Limits.Command = time.Second }))
	found, err := s.Inspect(t.Context())
	must(t, err)
	wantWarning(t, found, "restored from its copy")
	wantNobody(t, sim)
	if !bytes.Equal(sim.Preferences(), before) {
		t.Error("the preferences are not those of before")
	}
}

// What comes to the owner's worker may be cut short as it passes.
func TestPreferencesThatDoNotArriveWholeAreNotPutInPlace(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := owned(t)
		before := sim.Preferences()
		cut, begin := hindered(t, h, sim, `[ "${2-}" != "${2%.new}" ]`, `exec head -c 100 -- "$2"`)
		w := &wire{Host: cut, onRecord: map[string]func(*wireShell){"ready": func(*wireShell) { begin() }}}
		_, err := newServer(t, w, options(sim)).Edit(t.Context(), unbind)
		wantError(t, err, server.ErrNotWritten)
		wantSays(t, err, "is stopped, as it was, with the preferences that it had")
		if !bytes.Equal(sim.Preferences(), before) {
			t.Error("the preferences are not those of before")
		}
		wantClean(t, sim)
	})
}

// The attacker lets the worker go on when the edit has gone on without it, and the
// server may run again.
func TestPreferencesThatAreHeldUpUntilNobodyWaitsAreNotPutInPlace(t *testing.T) {
	t.Parallel()
	sim := owned(t)
	before := sim.Preferences()
	release := filepath.Join(sim.SupportDir(), "release")
	must(t, syscall.Mkfifo(release, 0o600))
	must(t, os.Lchown(release, attacker, attacker))
	held, begin := hindered(t, oneShell(t, 2), sim, "[ $# -eq 0 ]", `read -r _ <"${now%now}release"`)
	w := &wire{Host: held, onRecord: map[string]func(*wireShell){
		"ready": func(*wireShell) { begin() },
		"started": func(*wireShell) {
			f, err := os.OpenFile(release, os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteString("\n")
				err = errors.Join(err, f.Close())
			}
			if err != nil {
				t.Error(err)
			}
			wantNobody(t, sim)
		},
	}}
	s := newServer(t, w, options(sim, func(o *server.Options) { o.Limits.Command = time.Second }))
	_, err := s.Edit(t.Context(), unbind)
	wantError(t, err, server.ErrNotWritten)
	if !bytes.Equal(sim.Preferences(), before) {
		t.Error("the preferences are not those of before")
	}
}
