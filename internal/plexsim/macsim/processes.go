//go:build unix

package macsim

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is what the system under the Mac says about one of its processes.
type process struct {
	pid, ppid, uid int
	state, comm    string // comm is a path, as that of macOS is
	started        string
}

// lookUp finds a process, one that has ended and is not waited for, too.
func lookUp(pid int) (process, bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	end := bytes.LastIndexByte(stat, ')')
	if err != nil || end < 0 {
		return process{}, false
	}
	info, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	if err != nil {
		return process{}, false
	}
	fields := strings.Fields(string(stat[end+1:]))
	ppid, err := strconv.Atoi(fields[1])
	if err != nil {
		return process{}, false
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return process{}, false
	}
	p := process{pid: pid, ppid: ppid, uid: int(owner.Uid), state: fields[0], started: fields[19]}
	if cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil {
		path, _, _ := bytes.Cut(cmdline, []byte{0})
		p.comm = string(path)
	}
	return p, true
}

// all are the Mac's own processes: those of its applications.
func (m Mac) all() []process {
	entries, _ := filepath.Glob("/proc/[0-9]*")
	var found []process
	for _, entry := range entries {
		pid, err := strconv.Atoi(filepath.Base(entry))
		if err != nil {
			continue
		}
		if p, ok := lookUp(pid); ok && strings.HasPrefix(p.comm, m.path("Applications")+"/") {
			found = append(found, p)
		}
	}
	slices.SortFunc(found, func(a, b process) int { return a.pid - b.pid })
	return found
}

// servers are the processes of the application that a user runs.
func (m Mac) servers(uid int) []process {
	var found []process
	for _, p := range m.all() {
		if p.uid == uid && p.comm == m.Executable() && p.state != "Z" {
			found = append(found, p)
		}
	}
	return found
}

// width is what ps of macOS cuts a line to that goes to no terminal, unless it is told -ww.
const width = 79

// ps -axwwo FIELDS | -o FIELDS -p PID, where the fields have no headers.
func (c *call) ps() error {
	var processes []process
	var fields string
	wide := false
	switch {
	case len(c.args) == 2 && strings.HasPrefix(c.args[0], "-ax") && strings.HasSuffix(c.args[0], "o"):
		processes, fields, wide = c.mac.all(), c.args[1], strings.Contains(c.args[0], "ww")
	case len(c.args) == 4 && c.args[0] == "-o" && c.args[2] == "-p":
		pid, err := strconv.Atoi(c.args[3])
		if err != nil {
			return fmt.Errorf("illegal process id: %s", c.args[3])
		}
		p, ok := lookUp(pid)
		if !ok {
			return status(1)
		}
		processes, fields = []process{p}, c.args[1]
	default:
		return c.usage()
	}
	for _, p := range processes {
		line, err := c.mac.line(p, fields)
		if err != nil {
			return err
		}
		if !wide && len(line) > width {
			line = line[:width]
		}
		c.say("%s", line)
	}
	return nil
}

func (m Mac) line(p process, fields string) (string, error) {
	name := strconv.Itoa(p.uid)
	if u, err := m.user(name); err == nil {
		name = u.Name
	}
	values := map[string]string{
		"pid=": fmt.Sprintf("%5d", p.pid), "ppid=": fmt.Sprintf("%5d", p.ppid), "uid=": fmt.Sprintf("%5d", p.uid),
		"user=": fmt.Sprintf("%-16s", name), "state=": fmt.Sprintf("%-4s", p.state+"s"), "comm=": p.comm, "lstart=": m.startOf(p),
	}
	var line []string
	for field := range strings.SplitSeq(fields, ",") {
		value, known := values[field]
		if !known {
			return "", fmt.Errorf("%s: keyword not found", field)
		}
		line = append(line, value)
	}
	return strings.Join(line, " "), nil
}

// startOf is a date as ps writes it, a different one for each start.
func (Mac) startOf(p process) string {
	ticks, err := strconv.ParseInt(p.started, 10, 64)
	if err != nil {
		return ""
	}
	return time.Unix(ticks, 0).UTC().Format(time.ANSIC)
}

// netstat -an -p tcp.
func (c *call) netstat() error {
	if strings.Join(c.args, " ") != "-an -p tcp" {
		return c.usage()
	}
	c.say("Active Internet connections (including servers)")
	c.say("Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)    ")
	return errors.Join(c.listening("tcp4", "/proc/net/tcp"), c.listening("tcp6", "/proc/net/tcp6"))
}

func (c *call) listening(kind, file string) error {
	sockets, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	scan := bufio.NewScanner(bytes.NewReader(sockets))
	for scan.Scan() {
		fields := strings.Fields(scan.Text())
		if len(fields) < 4 || fields[3] != "0A" {
			continue
		}
		address, digits, _ := strings.Cut(fields[1], ":")
		port, err := strconv.ParseUint(digits, 16, 16)
		if err != nil {
			return err
		}
		c.say("%-5s %6d %6d  %-22s %-22s %-11s", kind, 0, 0, fmt.Sprintf("%s.%d", bsdAddress(address), port), "*.*", "LISTEN")
	}
	return nil
}

func bsdAddress(words string) string {
	raw, err := hex.DecodeString(words)
	if err != nil {
		return words
	}
	for word := range slices.Chunk(raw, 4) {
		slices.Reverse(word)
	}
	address, ok := netip.AddrFromSlice(raw)
	if !ok || address.IsUnspecified() {
		return "*"
	}
	return address.Unmap().String()
}

// Servers are the processes of the application that a user runs.
func (m Mac) Servers(u User) []int {
	var pids []int
	for _, p := range m.servers(u.UID) {
		pids = append(pids, p.pid)
	}
	return pids
}
