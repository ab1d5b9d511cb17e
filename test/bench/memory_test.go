package bench_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// watch is the most memory that terraform, and any of the providers that it has
// started, has held resident. Where there is no /proc it is 0.
//
// The kernel's own high-water marks are read every 10 ms; what a process takes
// in its last 10 ms may be missed.
func watch(terraform int, ended <-chan struct{}) usage {
	var used usage
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		used.terraform = max(used.terraform, peak(terraform, "terraform\n"))
		for _, child := range children(terraform) {
			used.provider = max(used.provider, peak(child, "terraform-provi"))
		}
		select {
		case <-ended:
			return used
		case <-tick.C:
		}
	}
}

// children are the processes that any thread of a process has started.
func children(pid int) []int {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	var found []int
	for _, list := range lists {
		data, _ := os.ReadFile(list)
		for _, field := range strings.Fields(string(data)) {
			if child, err := strconv.Atoi(field); err == nil {
				found = append(found, child)
			}
		}
	}
	return found
}

// peak is a process's high-water mark in MiB, once it has become the program
// whose name begins so. Until then it is still its parent.
func peak(pid int, name string) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil || !strings.HasPrefix(string(status), "Name:\t"+name) {
		return 0
	}
	_, text, _ := strings.Cut(string(status), "\nVmHWM:")
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseFloat(fields[0], 64)
	return kib / 1024
}
