//go:build linux

package faults_test

import (
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
)

var byHost = []string{"host"}

// ofTheMachine happen to a host whose process 1 is systemd.
var ofTheMachine = []fault{
	{name: "power cut", weight: 4, ways: byHost, places: placed()[1:], inTurn: true, strike: powerCut},
	// A server never opens its port on an empty file, and nobody is left who knows.
	{name: "power cut, server emptied its file", weight: 2, ways: byHost, owed: true,
		places: []string{"stopping", "stopped", "write", "flush", "rename"},
		stops:  func(c *plexsim.Config) { c.EmptyAtStop = true },
		strike: func(tr *trial) {
			tr.host.written() // else the old file comes back
			powerCut(tr)
		}},
	{name: "start limit used up", weight: 2, ways: byHost, places: []string{"copy", "stop", "stopped", "start"}, strike: func(tr *trial) {
		runs := tr.sim.Running()
		tr.host.must("run", "systemctl", "reset-failed", tr.sim.Unit())
		for range 3 { // as many as the unit may have in a minute
			tr.host.must("run", "systemctl", "restart", tr.sim.Unit())
		}
		if !runs {
			tr.host.must("run", "systemctl", "stop", tr.sim.Unit())
		}
	}},
}

func powerCut(tr *trial) {
	tr.host.cut()
	tr.mend(tr.host.boot)
}

// ofTheClock set it, which names the copies, and by which macOS and FreeBSD wait.
var ofTheClock = []fault{
	{name: "clock jumps an hour forward, and back", weight: 2, strike: func(tr *trial) {
		tr.steps.setClock(time.Hour)
		tr.later(func() { tr.steps.setClock(0) })
	}},
	{name: "clock jumps an hour back, and forward", weight: 2,
		strike: func(tr *trial) {
			tr.steps.setClock(-time.Hour)
			tr.later(func() { tr.steps.setClock(0) })
		}},
}
