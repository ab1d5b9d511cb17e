//go:build linux

package faults_test

import (
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
)

func milliseconds(n int) plexsim.Duration {
	return plexsim.Duration(time.Duration(n) * time.Millisecond)
}

var atBegin = []string{begin}

// ofTheServer are its own misbehaviour. plexsim plays it as the real one was seen
// to, or worse.
var ofTheServer = []fault{
	// It ends in the end, as a hung process does that somebody looks after.
	{name: "server does not stop", ways: everywhere, places: atBegin, lasts: 12 * time.Second,
		stops: func(c *plexsim.Config) { c.IgnoreTerm = true },
		heal:  func(tr *trial) { tr.killServer() }},
	{name: "server stops after the time is over", ways: everywhere, places: atBegin, lasts: 12 * time.Second,
		stops: func(c *plexsim.Config) { c.TermDelay = milliseconds(7000) },
		heal:  func(tr *trial) { within(patience, func() bool { return tr.count(plexsim.EventExit) > tr.exits }) }},
	{name: "server takes long to stop", ways: everywhere, places: atBegin, stops: func(c *plexsim.Config) { c.StopDelay = milliseconds(3000) }},
	{name: "server empties its file as it stops", ways: everywhere, places: atBegin, stops: func(c *plexsim.Config) { c.EmptyAtStop = true }},
	{name: "server writes as it stops", ways: everywhere, places: atBegin, stops: func(c *plexsim.Config) {
		c.SetAtStop = map[string]string{"PubSubServerPing": "99"}
		c.TruncatePause = milliseconds(100)
	}},
	{name: "server writes all the time", ways: everywhere, places: atBegin,
		stops:  func(c *plexsim.Config) { c.WriteInterval, c.TruncatePause = milliseconds(30), milliseconds(3) },
		starts: func(c *plexsim.Config) { c.WriteInterval, c.TruncatePause = milliseconds(30), milliseconds(3) }},
	{name: "server stops as another", ways: everywhere, places: atBegin, stops: func(c *plexsim.Config) { c.IdentityAtStop = otherIdentity }},
	{name: "server is killed as it stops", ways: everywhere, places: []string{"server stopping"}, strike: func(tr *trial) { tr.killServer() }},
	{name: "server does not start the first time", places: atStart,
		strike: once(plexsim.EventExit, func(c *plexsim.Config) { c.NeverStart = true })},
	{name: "server starts and dies the first time", places: atStart,
		strike: once(plexsim.EventExit, func(c *plexsim.Config) { c.DieAfter = milliseconds(100) })},
	{name: "server comes up as another the first time", places: atStart,
		strike: once(plexsim.EventListening, func(c *plexsim.Config) { c.Identity = otherIdentity })},
	{name: "server starts late", places: atStart,
		strike: once(plexsim.EventStart, func(c *plexsim.Config) { c.StartDelay = milliseconds(6000) })},
	{name: "server refuses the new preferences", operations: []string{"unbind"}, ways: everywhere, places: atBegin, starts: func(c *plexsim.Config) { c.RefuseWithoutToken = true }},
	{name: "server refuses the new token", operations: []string{"claim"}, ways: everywhere, places: atBegin, starts: func(c *plexsim.Config) { c.RefuseWithToken = true }},
	// Nothing that we do can bring up a server that never starts. Who mends it starts it.
	{name: "server never starts until it is mended", places: atStart, lasts: 40 * time.Second,
		starts: func(c *plexsim.Config) { c.NeverStart = true },
		heal:   func(tr *trial) { tr.behave(); _ = tr.run.wait(time.Minute); tr.sim.Start() }},
	{name: "watchdog starts the server",
		places: []string{"stop", "stopping", "stopped", "write", "rename", "renamed", "start", "check"},
		strike: func(tr *trial) { tr.later(tr.watchdog()) }},
}

var atStart = []string{"start"}

const otherIdentity = "0123456789abcdef0123456789abcdef01234567"

// once has the server misbehave until an event has happened to it once more.
func once(event string, change func(*plexsim.Config)) func(*trial) {
	return func(tr *trial) {
		tr.misbehave(change)
		count := tr.count(event)
		var waiting sync.WaitGroup
		waiting.Go(func() {
			within(patience, func() bool { return tr.count(event) > count })
			tr.behave()
		})
		tr.later(waiting.Wait)
	}
}

// killServer ends the server with SIGKILL, where it runs, and tells nobody. The
// entry points of the images remove the pid file that this leaves.
func (tr *trial) killServer() {
	if pid := tr.sim.PID(); pid != 0 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		within(patience, func() bool { _, lives := parentOf(pid); return !lives })
	}
	if tr.sim.Container() != "" {
		_ = os.Remove(tr.config.PIDPath())
	}
}

// watchdog starts the server whenever it does not run, until it is ended.
func (tr *trial) watchdog() (end func()) {
	done := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				if !tr.sim.Running() {
					tr.sim.Launch()
				}
			}
		}
	})
	return func() { close(done); watching.Wait() }
}
