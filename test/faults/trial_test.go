//go:build linux

package faults_test

import (
	"math/rand/v2"
	"os"
	"slices"
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
	inTurn     bool     // at each of the places as often as at the others

	// How the server misbehaves as it stops for the operation, and each time that
	// it starts from then on, until it is healed.
	stops, starts func(*plexsim.Config)

	disk    bool          // the data directory and the copies are on a small file system of their own
	quota   bool          // that file system has quotas
	noFlock bool          // the host has no flock command
	weak    bool          // the editor is not above the permissions of files
	ends    bool          // the fault itself ends the server, as the engine of its container does
	owed    bool          // nobody is left on the host who could end the edit: the next apply does
	aliases bool          // two resources of two aliases of the provider mean the same server
	before  func(*trial)  // just before terraform starts
	strike  func(*trial)  // at the place
	heal    func(*trial)  // when terraform has ended, or longer after the strike than lasts
	lasts   time.Duration // default 20 s
}

// trial is one operation with one fault.
type trial struct {
	t         testing.TB
	fault     fault
	way       way
	operation operation
	place     string
	random    *rand.Rand

	host         *labHost // nil where it is this machine
	tv           *simtest.PlexTV
	owner        plexsim.Account // with a token of the trial's own
	lookout      *simtest.Lookout
	otherTV      string // its address in the configuration, where that is another
	sim          *simtest.ServerProcess
	steps        *steps
	tf           *terraform
	others       []*terraform // of other people
	run          *run
	watcher      *watcher
	backups      string
	old          prefs.Document
	state        []byte         // Terraform's, from before
	config       plexsim.Config // of the server in good health
	disk         string
	stops, exits int // how often the server had been stopped before, and had ended
	struck       time.Time
	healed       time.Time
	away         time.Duration // how long the server did not answer, from then on
	undo         []func()
}

// bound is how long a server may be away: see docs/design/reliability.md.
const bound = 60 * time.Second

// prepare brings the server and Terraform to where the operation begins.
func (tr *trial) prepare(choice choice) {
	tr.t.Helper()
	tr.tv = simtest.NewPlexTV(tr.t)
	tr.plantSecrets()
	options := simtest.Options{PlexTV: tr.tv, Configure: func(c *plexsim.Config) {
		// Long enough to be hit by a fault at an instant that was drawn.
		c.StopDelay, c.StartDelay = plexsim.Duration(200*time.Millisecond), plexsim.Duration(200*time.Millisecond)
		if tr.host != nil {
			c.Events = tr.host.events()
		}
		if tr.operation.server != nil {
			tr.operation.server(c)
		}
	}}
	if tr.operation.bound {
		options.Account = &tr.owner
	}
	if choice.way == "host" {
		tr.host = bootHost(tr.t, tr.tv.URL)
		options.Host = &tr.host.server
	}
	tr.sim = simtest.NewServer(tr.t, options)
	tr.sim.Configure(func(c *plexsim.Config) { tr.config = *c })
	tr.backups = tr.sim.DataDir() + ".terraform-backups"
	if tr.fault.disk {
		tr.moveToSmallDisk()
	}
	tr.steps = newSteps(tr.t, tr.sim.HostPath(tr.backups), tr.fault.noFlock)
	tr.way = ways[choice.way](tr)
	tr.sim.Start()
	tr.sim.WaitReady()
	tr.tf = newTerraform(tr.t, tr.steps.path())
	tr.lookOut()
	if tr.fault.weak {
		tr.tf.prefix = []string{"setpriv", "--bounding-set=-dac_override,-dac_read_search"}
	}
	tr.tf.write(tr.configuration(may))
	if tr.operation.bound {
		tr.tf.must("apply", "-auto-approve")
	}
	if tr.fault.stops != nil {
		tr.sim.Stop()
		tr.misbehave(tr.fault.stops)
		tr.sim.Start()
		tr.sim.WaitReady()
		tr.behave()
	}
	if tr.fault.starts != nil {
		tr.misbehave(tr.fault.starts)
	}
	if tr.operation.stopped {
		tr.sim.Stop()
	}
	var err error
	tr.old, err = prefs.FormatXML.Parse(tr.sim.Preferences())
	tr.must(err)
	tr.state, err = os.ReadFile(tr.tf.stateFile())
	if tr.operation.bound {
		tr.must(err)
	}
	tr.stops, tr.exits = tr.sim.StopCount(), tr.count(plexsim.EventExit)
	tr.tf.write(tr.target())
	if tr.host != nil {
		tr.host.written()
	}
}

// target is what is applied when the fault comes, and again after it.
func (tr *trial) target() string {
	if tr.operation.unbinds {
		return tr.configuration()
	}
	return tr.configuration(tr.operation.resource)
}

// misbehave changes the server from its next start on, and behave takes that back.
func (tr *trial) misbehave(change func(*plexsim.Config)) {
	tr.t.Helper()
	tr.sim.Configure(func(c *plexsim.Config) { *c = tr.config; change(c) })
}

func (tr *trial) behave() { tr.misbehave(func(*plexsim.Config) {}) }

// inject runs the operation, and has the fault happen in it. False: the operation
// never came to the place.
func (tr *trial) inject() bool {
	tr.watcher = watch(tr.sim.URL(), !tr.operation.stopped)
	tr.t.Cleanup(tr.watcher.stop)
	if tr.fault.before != nil {
		tr.fault.before(tr)
	}
	if tr.place != random {
		for _, p := range places {
			if p.name == tr.place {
				tr.steps.arm(p)
			}
		}
	}
	tr.run = tr.tf.start(append([]string{"apply", "-auto-approve"}, tr.operation.args...)...)
	reached := tr.await()
	tr.lookout.Look()
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
	if tr.fault.starts != nil {
		tr.healed = time.Now()
		tr.behave()
	}
	tr.undoAll()
	err := tr.run.wait(2 * time.Minute)
	tr.t.Logf("terraform ended: %v\n%s", err, tail(tr.run.out.String()))
	return reached
}

// await waits for the place, or for an instant of the operation, which takes about
// as long as it did when it was measured.
func (tr *trial) await() bool {
	switch tr.place {
	case begin:
		return true
	case random:
		length := measured(tr.way.name, tr.operation.name)
		instant := time.Duration(tr.random.Float64() * float64(length))
		began := time.Now()
		if within(instant, tr.run.hasEnded) {
			lengths.Store(tr.way.name+tr.operation.name, time.Since(began))
			return false
		}
		return true
	}
	for event, name := range serverPlaces {
		if tr.place == name {
			count := tr.count(event)
			return within(patience, func() bool { return tr.count(event) > count || tr.run.hasEnded() }) && !tr.run.hasEnded()
		}
	}
	within(patience, func() bool { return tr.steps.reached() || tr.run.hasEnded() })
	return tr.steps.reached()
}

// later undoes something when the fault is healed, or when the trial ends early.
func (tr *trial) later(undo func()) { tr.undo = append(tr.undo, undo) }

// mend is later, for what the server itself may not be able to run with.
func (tr *trial) mend(undo func()) {
	tr.later(func() {
		undo()
		tr.healed = time.Now()
	})
}

func (tr *trial) undoAll() {
	undo := tr.undo
	tr.undo = nil
	for _, f := range slices.Backward(undo) {
		f()
	}
}

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
