//go:build linux

package faults_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// ofEditors are others who edit, or did.
var ofEditors = []fault{
	{name: "two applies at once", ways: everywhere, weight: 3, lasts: time.Minute, strike: func(tr *trial) {
		tr.applyToo(newTerraform(tr.t, tr.tf.path))
	}},
	{name: "two machines at once", ways: []string{"ssh"}, operations: twoWays, weight: 2, lasts: time.Minute, strike: twoMachines},
	{name: "two machines at once, no flock", ways: []string{"ssh"}, operations: twoWays, noFlock: true, lasts: time.Minute, strike: twoMachines},
	{name: "two aliases at once", aliases: true, weight: 2, places: atBegin},
	{name: "lock left by a dead holder", places: atBegin, before: func(tr *trial) {
		tr.must(os.WriteFile(tr.lock(), []byte("somebody on another machine, process 1, since 2026-01-01T00:00:00Z\n"), 0o600))
	}},
	{name: "lock left by a dead holder, no flock", noFlock: true, places: atBegin, before: func(tr *trial) {
		gone := exec.Command("true")
		tr.must(gone.Run())
		name, err := os.Hostname()
		tr.must(err)
		text := fmt.Sprintf("somebody on this machine\n%s\n%d 1\n", name, gone.Process.Pid)
		tr.must(os.WriteFile(tr.lock()+".held", []byte(text), 0o600))
	}},
	{name: "script SIGKILL, no flock", noFlock: true, weight: 2, places: placedAfter("lock"), strike: killScripts},
	{name: "lock held for a while", places: atBegin, before: func(tr *trial) { tr.holdLock(5 * time.Second) }},
	{name: "lock held for longer than anybody waits", places: atBegin, lasts: 40 * time.Second, before: func(tr *trial) { tr.holdLock(35 * time.Second) }},
}

// twoWays are the operations whose way to the host is that of the configuration;
// what is destroyed is reached as state says.
var twoWays = []string{"rebind", "claim"}

// twoMachines has the server's own machine apply as well, which has another name
// than the one that comes by SSH.
func twoMachines(tr *trial) {
	second := newTerraform(tr.t, tr.tf.path)
	second.prefix = []string{"unshare", "--uts", "sh", "-ec", `hostname elsewhere; exec "$@"`, "sh"}
	first := tr.way
	tr.way = ways["local"](tr)
	tr.applyToo(second)
	tr.way = first
}

// applyToo has a second terraform apply what is applied, from the same state.
func (tr *trial) applyToo(second *terraform) {
	tr.t.Helper()
	tr.others = append(tr.others, second)
	second.write(tr.target())
	if tr.state != nil {
		tr.must(os.WriteFile(second.stateFile(), tr.state, 0o600))
	}
	r := second.start("apply", "-auto-approve")
	tr.later(func() {
		err := r.wait(2 * time.Minute)
		tr.t.Logf("the second apply ended: %v\n%s", err, tail(r.out.String()))
	})
}

// placedAfter are the places behind one.
func placedAfter(name string) []string {
	names := placed()
	return names[slices.Index(names, name)+1:]
}

func (tr *trial) lock() string {
	return filepath.Join(tr.sim.DataDir(), ".terraform-provider-plex.lock")
}

// holdLock is another editor, who has the lock for some time.
func (tr *trial) holdLock(d time.Duration) {
	holder := exec.Command("flock", tr.lock(), "sleep", fmt.Sprint(d.Seconds()))
	tr.must(holder.Start())
	tr.later(func() { _ = holder.Wait() })
}
