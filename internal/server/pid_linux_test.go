package server_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// naps tells whether a process waits before it tries something again.
func naps(t *testing.T, pid int) bool {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "task", strconv.Itoa(pid), "children"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, child := range strings.Fields(string(data)) {
		name, err := os.ReadFile(filepath.Join("/proc", child, "comm"))
		if err == nil && strings.TrimSpace(string(name)) == "sleep" {
			return true
		}
	}
	return false
}

// On a disk that has become read-only a server leaves its pid file, and so does
// who would remove it. Started all the same, it would never answer.
func TestAServerIsNotStartedBehindAPIDFileThatCannotBeRemoved(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		left := filepath.Join(sim.DataDir(), "plexmediaserver.pid")
		script := make(chan int, 1)
		w := &wire{Host: h, onRecord: map[string]func(*wireShell){
			"stopped": func(*wireShell) {
				if err := os.Mkdir(left, 0o700); err != nil { // no file that rm takes
					t.Error(err)
				}
				script <- scriptPID(t, sim)
			},
		}}
		edited := make(chan error, 1)
		go func() {
			_, err := newServer(t, w, options(sim)).Edit(t.Context(), unbind)
			edited <- err
		}()
		pid := <-script
		simtest.Eventually(t, "the new preferences", func() bool { return !hasToken(t, sim.Preferences()) })
		simtest.Eventually(t, "the script to wait", func() bool { return naps(t, pid) })
		if err := os.Remove(left); err != nil {
			t.Fatal(err)
		}
		if err := <-edited; err != nil {
			t.Error(err)
		}
		wantBack(t, sim, false)
	})
}
