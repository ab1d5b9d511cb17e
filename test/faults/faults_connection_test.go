//go:build linux

package faults_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

var bySSH = []string{"ssh", "exec", "host"}

// ofTheConnection cut it, in each way that differs.
var ofTheConnection = []fault{
	{name: "connection reset", weight: 2, ways: bySSH, strike: func(tr *trial) { tr.way.sshd.reset() }},
	// Longer than the provider waits for an answer to its keepalives.
	{name: "connection silent", weight: 2, ways: bySSH, lasts: 45 * time.Second, strike: func(tr *trial) { tr.way.sshd.silence() }},
	{name: "sshd's processes SIGKILL", ways: bySSH, strike: func(tr *trial) { tr.way.sshd.killDaemons() }},
	{name: "sshd stopped", ways: bySSH, lasts: 10 * time.Second, strike: func(tr *trial) {
		tr.way.sshd.refuse()
		tr.later(tr.way.sshd.accept)
		tr.way.sshd.killDaemons()
	}},
}

// ofTheHost kill what does the work there.
var ofTheHost = []fault{
	{name: "script SIGKILL", weight: 3, strike: killScripts},
	{name: "script SIGKILL, server stopped before", operations: []string{"unbind of a stopped server"}, places: whileStopped, strike: killScripts},
	{name: "script and its parents SIGKILL", weight: 2, strike: func(tr *trial) {
		for _, script := range tr.scripts() {
			for pid := script; pid > 1 && pid != os.Getpid() && pid != tr.run.cmd.Process.Pid; {
				parent, _ := parentOf(pid)
				_ = syscall.Kill(pid, syscall.SIGKILL)
				pid = parent
			}
		}
	}},
	// As at the end of a session that takes all its processes with it.
	{name: "script and guard SIGKILL", weight: 3, ways: []string{"local", "ssh", "exec", "host"}, owed: true, strike: func(tr *trial) {
		for _, pid := range tr.holders() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}},
	{name: "script SIGHUP, SIGTERM", strike: func(tr *trial) {
		for _, pid := range tr.scripts() {
			_ = syscall.Kill(pid, syscall.SIGHUP)
			_ = syscall.Kill(pid, syscall.SIGTERM)
		}
	}},
	{name: "guard SIGKILL", strike: func(tr *trial) {
		for _, script := range tr.scripts() {
			for _, pid := range below(script)[1:] {
				if slices.Contains(tr.holders(), pid) && nameOf(pid) == "sh" {
					_ = syscall.Kill(pid, syscall.SIGKILL)
				}
			}
		}
	}, places: []string{"stopping", "start", "starting"}},
}

func killScripts(tr *trial) {
	for _, pid := range tr.scripts() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// holders are the processes that hold the lock: the script, its guard, and what
// they run.
func (tr *trial) holders() []int {
	lock := tr.sim.HostPath(tr.lock())
	found := tr.namedHolders()
	for _, pid := range processes() {
		if tr.host != nil && !tr.host.has(pid) {
			continue
		}
		descriptors, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		for _, d := range descriptors {
			if target, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, d.Name())); err == nil && target == lock {
				found = append(found, pid)
				break
			}
		}
	}
	return found
}

// namedHolders are those that the lock names, where there is no flock.
func (tr *trial) namedHolders() []int {
	data, err := os.ReadFile(tr.lock() + ".held")
	if err != nil {
		return nil
	}
	var found []int
	for i, line := range strings.Split(string(data), "\n") {
		var pid int
		if _, err := fmt.Sscan(line, &pid); err == nil && i > 1 {
			if _, lives := parentOf(pid); lives {
				found = append(found, pid)
			}
		}
	}
	return found
}

// scripts are those holders that were not started by another one.
func (tr *trial) scripts() []int {
	held := tr.holders()
	return slices.DeleteFunc(slices.Clone(held), func(pid int) bool {
		parent, _ := parentOf(pid)
		return slices.Contains(held, parent)
	})
}
