//go:build linux

package faults_test

import (
	"slices"
	"syscall"
	"time"
)

// catalog is every fault, in the order of the table.
var catalog = slices.Concat(controls, ofTerraform, ofTheConnection, ofTheHost, ofTheServer, ofPlexTV, ofTheDisk, ofEditors, ofTheEngine)

// controls are no faults: they show that the places are where they are said to be.
var controls = []fault{{name: noFault, ways: []string{"local", "ssh", "exec"}, operations: []string{"unbind", "rebind", "claim"}, places: placed()[2:], strike: func(*trial) {}}}

const noFault = "none, only held for a moment"

// everywhere is by each transport.
var everywhere = []string{"local", "ssh", "exec", "container"}

// ofTerraform end the program that a person runs, or what it has started.
var ofTerraform = []fault{
	{name: "provider SIGKILL", weight: 4, ways: everywhere, strike: func(tr *trial) {
		for _, pid := range tr.run.providers() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}},
	{name: "Ctrl-C once", weight: 2, ways: everywhere, strike: func(tr *trial) { tr.run.interrupt() }},
	{name: "Ctrl-C twice", weight: 2, ways: everywhere, strike: func(tr *trial) {
		tr.run.interrupt()
		within(time.Duration(tr.random.IntN(500))*time.Millisecond, tr.run.hasEnded)
		tr.run.interrupt()
	}},
	{name: "terraform SIGKILL", weight: 2, ways: everywhere, strike: func(tr *trial) { _ = tr.run.cmd.Process.Kill() }},
}
