//go:build linux

package faults_test

import (
	"syscall"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
)

// ofTerraform end the program that a person runs, or what it has started.
var ofTerraform = []fault{
	{name: "provider SIGKILL", weight: 4, ways: everywhere, strike: killProvider},
	{name: "provider crashes", weight: 2, ways: everywhere, strike: crash},
	{name: "provider SIGKILL, server emptied its file", places: whileStopped, strike: killProvider,
		stops: func(c *plexsim.Config) { c.EmptyAtStop = true }},
	{name: "provider SIGKILL, server stopped before", operations: []string{"unbind of a stopped server"}, places: whileStopped, strike: killProvider},
	{name: "Ctrl-C once", weight: 2, ways: everywhere, strike: func(tr *trial) { tr.run.interrupt() }},
	{name: "Ctrl-C twice", weight: 2, ways: everywhere, strike: func(tr *trial) {
		tr.run.interrupt()
		within(time.Duration(tr.random.IntN(500))*time.Millisecond, tr.run.hasEnded)
		tr.run.interrupt()
	}},
	{name: "terraform SIGKILL", weight: 2, ways: everywhere, strike: func(tr *trial) { _ = tr.run.cmd.Process.Kill() }},
}

// whileStopped are the places at which the server does not run.
var whileStopped = []string{"stopped", "write", "flush", "rename", "renamed"}

func killProvider(tr *trial) {
	for _, pid := range tr.run.providers() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}
