package server_test

import (
	"os"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// everyMac runs test on an emulated Mac for each shell of this machine.
func everyMac(t *testing.T, test func(t *testing.T, h host.Host, m *simtest.Mac)) {
	t.Helper()
	everyShell(t, func(t *testing.T, h host.Host) {
		m := simtest.NewMac(t)
		interpreter := append([]string{"env", "PATH=" + m.Bin() + ":" + os.Getenv("PATH")}, h.(host.Local).Interpreter...)
		test(t, host.Local{Interpreter: interpreter}, m)
	})
}

// boundOn starts a server on m that is bound to simtest.Owner.
func boundOn(t *testing.T, m *simtest.Mac, configure func(*plexsim.Config)) *simtest.ServerProcess {
	t.Helper()
	sim := simtest.NewServer(t, simtest.Options{PlexTV: simtest.NewPlexTV(t), Account: &simtest.Owner, Mac: m, Configure: configure})
	sim.Start()
	return sim
}

func TestMacOSUnbindsInOneStopAndStart(t *testing.T) {
	everyMac(t, func(t *testing.T, h host.Host, m *simtest.Mac) {
		sim := boundOn(t, m, nil)
		report := mustEdit(t, newServer(t, h, server.Options{URL: sim.URL(), Limits: quick}), unbind)
		if !report.Restarted || sim.StopCount() != 1 || sim.StartCount() != 2 || hasToken(t, sim.Preferences()) {
			t.Errorf("report %+v, %d stops, %d starts", report, sim.StopCount(), sim.StartCount())
		}
	})
}
