//go:build linux

package faults_test

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// fault is one thing that goes wrong. What a field leaves out does not happen.
type fault struct {
	name       string
	weight     int      // how often it is drawn, against the others; 0 is 1
	ways       []string // by which it can happen; default local, ssh and exec
	operations []string // during which; default all on a running server
	places     []string // where; default all, and random instants

	server func(*plexsim.Config) // how the server misbehaves during the operation
	before func(*trial)          // before terraform starts
	strike func(*trial)          // at the place
	heal   func(*trial)          // when terraform has ended, or longer after the strike than lasts
	lasts  time.Duration         // default 20 s
}

// trial is one operation with one fault.
type trial struct {
	t         testing.TB
	number    int
	fault     fault
	way       way
	operation operation
	place     string
	random    *rand.Rand

	tv       *simtest.PlexTV
	otherTV  string // its address in the configuration, where that is another
	sim      *simtest.ServerProcess
	steps    *steps
	tf       *terraform
	run      *run
	watcher  *watcher
	backups  string
	bound    time.Duration // until the server must run again
	old      prefs.Document
	oldBytes []byte
	state    []byte // Terraform's, from before
	stops    int    // how often the server had been stopped before
	struck   time.Time
	healed   time.Time
	undo     []func()
}

// bound is how long a server may be away: see docs/design/reliability.md.
const bound = 60 * time.Second

// prepare brings the server and Terraform to where the operation begins.
func (tr *trial) prepare(choice choice) {
	tr.t.Helper()
	tr.bound = bound
	tr.tv = simtest.NewPlexTV(tr.t)
	options := simtest.Options{PlexTV: tr.tv, Configure: func(c *plexsim.Config) {
		// Long enough to be hit by a fault at an instant that was drawn.
		c.StopDelay, c.StartDelay = plexsim.Duration(200*time.Millisecond), plexsim.Duration(200*time.Millisecond)
		if tr.operation.server != nil {
			tr.operation.server(c)
		}
	}}
	if tr.operation.bound {
		options.Account = &simtest.Owner
	}
	tr.sim = simtest.NewServer(tr.t, options)
	tr.backups = tr.sim.DataDir() + ".terraform-backups"
	tr.steps = newSteps(tr.t, tr.backups)
	tr.way = ways[choice.way](tr.t, tr.steps)
	if tr.fault.before != nil {
		tr.fault.before(tr)
	}
	tr.sim.Start()
	tr.sim.WaitReady()
	tr.tf = newTerraform(tr.t, tr.steps.path())
	tr.tf.write(tr.configuration(tr.resource(`triggers = { month = "may" }`)))
	if tr.operation.bound {
		tr.tf.must("apply", "-auto-approve")
	}
	if tr.fault.server != nil { // from the next start on: this one has to behave until it is stopped
		tr.sim.Stop()
		tr.sim.Configure(tr.fault.server)
		tr.sim.Start()
		tr.sim.WaitReady()
	}
	if tr.operation.stopped {
		tr.sim.Stop()
	}
	tr.oldBytes = tr.sim.Preferences()
	var err error
	tr.old, err = prefs.FormatXML.Parse(tr.oldBytes)
	tr.must(err)
	tr.state, err = os.ReadFile(tr.tf.stateFile())
	if tr.operation.bound {
		tr.must(err)
	}
	tr.stops = tr.sim.StopCount()
	tr.tf.write(tr.operation.config(tr))
}

// inject runs the operation, and has the fault happen in it. False: the operation
// never came to the place.
func (tr *trial) inject() bool {
	tr.watcher = watch(tr.sim.URL(), !tr.operation.stopped)
	tr.t.Cleanup(tr.watcher.stop)
	if tr.place != random {
		for _, p := range places {
			if p.name == tr.place {
				tr.steps.arm(p)
			}
		}
	}
	tr.run = tr.tf.start(append([]string{"apply", "-auto-approve"}, tr.operation.args...)...)
	reached := tr.await()
	tr.struck = time.Now()
	if reached && tr.fault.strike != nil {
		tr.fault.strike(tr)
	}
	tr.steps.release()
	lasts := tr.fault.lasts
	if lasts == 0 {
		lasts = 20 * time.Second
	}
	within(lasts, tr.run.hasEnded)
	tr.healed = tr.struck
	if tr.fault.heal != nil {
		tr.healed = time.Now()
		tr.fault.heal(tr)
	}
	for i := range tr.undo {
		tr.undo[len(tr.undo)-1-i]()
	}
	tr.undo = nil
	err := tr.run.wait(2 * time.Minute)
	tr.t.Logf("terraform ended: %v\n%s", err, tail(tr.run.out.String()))
	return reached
}

// await waits for the place, or for an instant of the operation, which takes about
// as long as it did when it was measured.
func (tr *trial) await() bool {
	if tr.place == random {
		length := measured(tr.way.name, tr.operation.name)
		instant := time.Duration(tr.random.Float64() * float64(length))
		began := time.Now()
		if within(instant, tr.run.hasEnded) {
			lengths.Store(tr.way.name+tr.operation.name, time.Since(began))
			return false
		}
		return true
	}
	within(patience, func() bool { return tr.steps.reached() || tr.run.hasEnded() })
	return tr.steps.reached()
}

// later undoes something when the fault is healed, or when the trial ends early.
func (tr *trial) later(undo func()) { tr.undo = append(tr.undo, undo) }

func (tr *trial) plexTV() string {
	if tr.otherTV != "" {
		return tr.otherTV
	}
	return tr.tv.URL
}

func (tr *trial) must(err error) {
	tr.t.Helper()
	if err != nil {
		tr.t.Fatal(err)
	}
}
