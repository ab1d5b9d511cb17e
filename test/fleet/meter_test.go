//go:build linux

package fleet_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// cost is what a program took on this machine, in seconds.
type cost struct{ wall, cpu float64 }

// meter runs a program to its end, ends what it left running, and says what it
// took. In a cgroup of their own nothing that it starts can leave the account,
// as Ansible's connections would, which live on when it has ended.
func meter(t *testing.T, cmd *exec.Cmd) cost {
	t.Helper()
	group := filepath.Join(cgroups(t), fmt.Sprintf("plexlab-meter-%d-%d", os.Getpid(), time.Now().UnixNano()))
	must(t, os.Mkdir(group, 0o755))
	defer end(t, group)
	dir, err := os.Open(group)
	must(t, err)
	defer func() { _ = dir.Close() }()
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(dir.Fd())}
	began := time.Now()
	out, err := cmd.CombinedOutput()
	wall := time.Since(began)
	if err != nil && interrupted.Err() == nil {
		t.Fatalf("%s: %v\n%s", cmd, err, out)
	}
	must(t, err)
	return cost{wall.Seconds(), processorTime(t, group)}
}

// cgroups is where the version 2 hierarchy is mounted, which the lab needs anyway.
func cgroups(t *testing.T) string {
	t.Helper()
	mounts, err := os.ReadFile("/proc/mounts")
	must(t, err)
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); fields[2] == "cgroup2" {
			return fields[1]
		}
	}
	t.Fatal("no cgroup version 2 hierarchy is mounted")
	return ""
}

func processorTime(t *testing.T, group string) float64 {
	t.Helper()
	stat, err := os.ReadFile(filepath.Join(group, "cpu.stat"))
	must(t, err)
	_, text, _ := strings.Cut(string(stat), "usage_usec ")
	text, _, _ = strings.Cut(text, "\n")
	used, err := strconv.ParseFloat(text, 64)
	must(t, err)
	return used / 1e6
}

// end kills what is left in a cgroup, and removes it.
func end(t *testing.T, group string) {
	t.Helper()
	err := os.WriteFile(filepath.Join(group, "cgroup.kill"), []byte("1"), 0o200)
	for deadline := time.Now().Add(patience); err == nil; time.Sleep(5 * time.Millisecond) {
		if left := os.Remove(group); left == nil {
			return
		} else if time.Now().After(deadline) {
			err = left
		}
	}
	t.Error(err)
}
