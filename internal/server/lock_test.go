package server_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Rule 8: one editor at a time.

// The second editor is let in while the first one is inside, and may not get as
// far as to see the preferences before that one has left.
func TestASecondEditorWaitsForTheFirst(t *testing.T) {
	onlyForFiles(t)
	everyLock(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		inside, leave := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			once := sync.OnceFunc(func() { close(inside); <-leave })
			_, err := newServer(t, h, options(sim)).Edit(t.Context(), func(d prefs.Document) error {
				once()
				return setToken("first")(d)
			})
			if err != nil {
				t.Error(err)
			}
		})
		<-inside
		var seen []string
		var left atomic.Bool
		w := &wire{Host: h, onRecord: map[string]func(*wireShell){
			// It stands before the lock when it has said where the preferences are.
			"preferences_path": func(*wireShell) { left.Store(true); close(leave) },
		}}
		_, err := newServer(t, w, options(sim)).Edit(t.Context(), func(d prefs.Document) error {
			token, _ := d.Get(prefs.KeyToken)
			seen = append(seen, token)
			return setToken("second")(d)
		})
		wg.Wait()
		if err != nil || !left.Load() {
			t.Fatalf("the second edit: %v", err)
		}
		if seen[0] != "first" {
			t.Errorf("the second editor was let in before the first had written: it saw %q", seen[0])
		}
		if got := sim.StopCount(); got != 2 {
			t.Errorf("stopped %d times, want 2", got)
		}
	})
}

// everyLock runs test once under each shell, and once with the lock of hosts that
// have no flock, as every Mac has it.
func everyLock(t *testing.T, test func(t *testing.T, h host.Host)) {
	t.Helper()
	everyShell(t, test)
	if os.Getenv(simtest.EnvLab) == "macos" {
		return // whose lock has never to do with flock
	}
	t.Run("without flock", func(t *testing.T) {
		t.Parallel()
		test(t, withPath(t, []string{"sh"}, "/nowhere", "flock"))
	})
}

// A lock outlives nobody: what a killed editor has left is cleared away.
func TestTheLockOfAnEditorThatWasKilledIsCleared(t *testing.T) {
	onlyForFiles(t)
	sim := bound(t, nil)
	h := withPath(t, []string{"sh"}, "/nowhere", "flock")
	held := filepath.Join(sim.DataDir(), ".terraform-provider-plex.lock.held")
	machine, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		content string
		want    error
	}{
		// Process 1 runs, but it has not started then.
		"the number was given out again": {"somebody\n" + machine + "\n1 12345\n", nil},
		"all have ended":                 {"somebody\n" + machine + "\n999999999 1\n999999998 1\n", nil},
		"another machine's":              {"somebody\nelsewhere\n999999999 1\n", server.ErrLocked},
		"one lives":                      {"somebody\n" + machine + "\n999999999 1\n" + processLine(t, os.Getpid()) + "\n", server.ErrLocked},
		"not whole":                      {"somebody\n", server.ErrLocked},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(held, []byte(test.content), 0o600); err != nil {
				t.Fatal(err)
			}
			sim.Own(held)
			s := newServer(t, h, options(sim, func(o *server.Options) { o.Limits.Lock = time.Second }))
			_, err := s.Edit(t.Context(), func(prefs.Document) error { return nil })
			if !errors.Is(err, test.want) {
				t.Errorf("error is %v, want %v", err, test.want)
			}
			if _, err := os.Stat(held); (err == nil) != (test.want != nil) {
				t.Errorf("the lock: %v", err)
			}
		})
	}
}

// processLine is how the lock names a process.
func processLine(t *testing.T, pid int) string {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return fmt.Sprintf("%d %s", pid, strings.Fields(rest)[19])
}

func TestAnEditorThatCannotHaveTheLockIsToldWhoHasIt(t *testing.T) {
	everyLock(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		before := sim.Preferences()
		inside, leave := make(chan struct{}), make(chan struct{})
		enter := sync.OnceFunc(func() { close(inside) })
		var wg sync.WaitGroup
		wg.Go(func() {
			defer enter() // also one that never comes to change anything
			_, err := newServer(t, h, options(sim)).Edit(t.Context(), func(prefs.Document) error {
				enter()
				<-leave
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
		<-inside
		s := newServer(t, h, options(sim, func(o *server.Options) { o.Limits.Lock = time.Second }))
		_, err := s.Edit(t.Context(), unbind)
		close(leave)
		wg.Wait()
		wantError(t, err, server.ErrLocked)
		if want := fmt.Sprintf("process %d", os.Getpid()); !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name the holder: %v", err)
		}
		wantUntouched(t, sim, before)
	})
}
