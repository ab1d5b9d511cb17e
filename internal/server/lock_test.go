package server_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Rule 8: one editor at a time.

func TestASecondEditorWaitsForTheFirst(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		s := newServer(t, h, options(sim))
		var mu sync.Mutex
		editing := 0
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				_, err := s.Edit(t.Context(), func(d prefs.Document) error {
					mu.Lock()
					editing++
					if editing > 1 {
						t.Error("two editors at once")
					}
					mu.Unlock()
					defer func() { mu.Lock(); editing--; mu.Unlock() }()
					return setToken(fmt.Sprint("token-", i))(d)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := sim.StopCount(); got != 3 {
			t.Errorf("stopped %d times, want 3", got)
		}
	})
}

func TestAnEditorThatCannotHaveTheLockIsToldWhoHasIt(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		before := sim.Preferences()
		inside, leave := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := newServer(t, h, options(sim)).Edit(t.Context(), func(prefs.Document) error {
				close(inside)
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
