//go:build linux

package faults_test

import (
	"syscall"
	"time"
)

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
