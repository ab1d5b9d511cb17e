package server_test

import (
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
)

// here is this machine, on a wire that counts.
type here struct{ *wire }

func (here) Unwrap() host.Host { return host.Local{} }

func TestWindowsAnEditOnThisMachineWritesTheRegistryItself(t *testing.T) {
	sim := bound(t, nil)
	w := &wire{Host: wine(t)}
	report := mustEdit(t, newServer(t, here{w}, onWindows(sim)), unbind)
	if hasToken(t, sim.Preferences()) || !report.Restarted || sim.StopCount() != 1 {
		t.Errorf("stopped %d times, %+v", sim.StopCount(), report)
	}
	if wrote, written := w.count("wrote ;\r"), w.count("write ;\r"); wrote != 1 || written != 0 {
		t.Errorf("it was written %d times here and %d times by the batch, want once and never", wrote, written)
	}
}
