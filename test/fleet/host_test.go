//go:build linux

package fleet_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
)

const (
	unit       = "plexmediaserver"
	supportDir = "/var/lib/plexmediaserver/Library/Application Support"
	patience   = 30 * time.Second
)

// labHost is a host of the fleet. Its files are looked at from this machine,
// without logging in.
type labHost struct {
	name, address string
	files         plexsim.Config // where they are
}

// fleet are the hosts that test/lab/fleet.sh has booted.
func fleet(t *testing.T) []labHost {
	t.Helper()
	if *hostCount == 0 {
		t.Skip("test/lab/fleet.sh boots the hosts that this needs")
	}
	hosts := make([]labHost, *hostCount)
	for i := range hosts {
		name := fmt.Sprintf("fleet-%d", i+1)
		hosts[i] = labHost{
			name: name, address: fmt.Sprintf("10.99.0.%d", i+1),
			files: plexsim.Config{SupportDir: filepath.Join(lab(), "hosts", name, "root", supportDir), Events: "events"},
		}
	}
	return hosts
}

// lab is the lab's work directory.
func lab() string {
	if dir := os.Getenv("LAB"); dir != "" {
		return dir
	}
	return "/var/tmp/plexlab"
}

// run runs a command on the host, as root and without SSH.
func (h labHost) run(input []byte, command ...string) error {
	cmd := exec.CommandContext(interrupted, "../lab/host.sh", append([]string{"run", h.name}, command...)...)
	cmd.Stdin = bytes.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("host %s: %w: %s", h.name, err, out)
	}
	return nil
}

func (h labHost) preferences(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(h.files.PreferencesPath())
	must(t, err)
	return data
}

// events are what has happened to the host's server since it was booted.
func (h labHost) events(t *testing.T) []plexsim.Event {
	t.Helper()
	events, err := plexsim.ReadEvents(h.files.EventsPath())
	must(t, err)
	return events
}

// stops is how often the server was stopped.
func (h labHost) stops(t *testing.T) int {
	t.Helper()
	return plexsim.Count(h.events(t), plexsim.EventStopping)
}

// each does something to all hosts, a few at a time.
func each(t *testing.T, hosts []labHost, do func(i int, h labHost) error) {
	t.Helper()
	turns := make(chan struct{}, 4)
	errs := make(chan error, len(hosts))
	for i, h := range hosts {
		turns <- struct{}{}
		go func() {
			errs <- do(i, h)
			<-turns
		}()
	}
	for range hosts {
		must(t, <-errs)
	}
}

// downtime waits until the server listens again, after the events that were
// there before, and says for how long it did not.
func (h labHost) downtime(t *testing.T, before int) time.Duration {
	t.Helper()
	listening := h.listening(t, before)
	for _, event := range h.events(t)[before:] {
		if event.Event == plexsim.EventStopping {
			return listening.Sub(event.Time)
		}
	}
	t.Fatalf("the server of host %s was not stopped", h.name)
	return 0
}

// listening waits until the server listens, after the events that were there
// before, and says since when.
func (h labHost) listening(t *testing.T, before int) time.Time {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		for _, event := range h.events(t)[before:] {
			if event.Event == plexsim.EventListening {
				return event.Time
			}
		}
	}
	t.Fatalf("the server of host %s did not start within %v", h.name, patience)
	return time.Time{}
}
