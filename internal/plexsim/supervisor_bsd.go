//go:build unix && !linux

package plexsim

import (
	"os/exec"
	"strconv"
	"strings"
)

const descriptorDir = "/dev/fd"

// lookUp asks ps about a process. A zombie is gone. The path stays unknown: ps does
// not say where it ends.
func lookUp(pid int) (found processInfo, exists bool) {
	ps := exec.Command("ps", "-o", "state=,lstart=,args=", "-p", strconv.Itoa(pid))
	ps.Env = []string{"LC_ALL=C", "PATH=/bin:/usr/bin"}
	out, err := ps.Output()
	if err != nil {
		return processInfo{}, false
	}
	fields := strings.Fields(string(out)) // state, five of the time, the path
	if len(fields) < 7 || strings.HasPrefix(fields[0], "Z") {
		return processInfo{}, false
	}
	return processInfo{
		started: strings.Join(fields[1:6], " "),
		named:   strings.Contains(string(out), ServerName),
	}, true
}
