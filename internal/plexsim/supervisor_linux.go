package plexsim

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

const descriptorDir = "/proc/self/fd"

// commName is what Linux makes of the server's name (facts 5.2): 15 bytes.
const commName = "Plex Media Serv"

// lookUp reads what the system says about a process. A zombie is gone: it has no
// port and no file open, and whether somebody reaps it is not the server's affair.
func lookUp(pid int) (found processInfo, exists bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return processInfo{}, false
	}
	open, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if open < 0 || end < open {
		return processInfo{}, false
	}
	fields := strings.Fields(string(stat[end+1:]))
	const state, startTime = 0, 19 // counted from the field after the name
	if len(fields) <= startTime || strings.ContainsAny(fields[state], "ZXx") {
		return processInfo{}, false
	}
	cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return processInfo{}, false
	}
	path, _, _ := bytes.Cut(cmdline, []byte{0})
	return processInfo{
		started: fields[startTime],
		named:   string(stat[open+1:end]) == commName,
		path:    string(path),
	}, true
}
