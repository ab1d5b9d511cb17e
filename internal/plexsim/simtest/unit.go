package simtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// EnvLab says that the tests run inside a lab host (docs/design/lab.md), whose
// service manager is real: "systemd" or "openrc"; or, as "macos", with the emulated
// Mac that EnvMac names.
const EnvLab = "PLEX_LAB"

// unit is one of the services that a lab host has for tests.
type unit struct {
	name       string
	supportDir string
	addr       string
	lab        lab
}

// lab is how the service manager of a lab host is talked to.
type lab interface {
	start(name string) error
	stop(name string) error
	kill(u unit) error // also where it would start again what has ended
	pid(u unit) int
	commands(name string) Commands
	manager() string
}

// units are lent to tests one at a time.
var units = sync.OnceValue(func() chan unit {
	pool := make(chan unit, 6)
	pool <- unit{"plexmediaserver", "/var/lib/plexmediaserver/Library/Application Support", "127.0.0.1:32400", nil}
	for i := 1; i <= 5; i++ {
		pool <- unit{
			fmt.Sprintf("plexmediaserver-%d", i),
			fmt.Sprintf("/var/lib/plexmediaserver-%d/Library/Application Support", i),
			fmt.Sprintf("127.0.0.1:%d", 32410+i), nil,
		}
	}
	return pool
})

// takeUnit borrows a unit whose server is stopped and has no files.
func takeUnit(t testing.TB, name string) unit {
	t.Helper()
	lent := <-units()
	u := lent
	t.Cleanup(func() { units() <- lent })
	switch name {
	case "systemd":
		u.lab, u.name = systemd{}, u.name+".service"
	case "openrc":
		u.lab = openrc{}
	default:
		t.Fatalf("%s is %q, which is no service manager of a lab host", EnvLab, name)
	}
	if err := u.retire(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{u.supportDir, filepath.Join(u.supportDir, "Plex Media Server"), filepath.Join(u.supportDir, ".plexsim")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := u.own(dir); err != nil {
			t.Fatal(err)
		}
	}
	return u
}

func (u unit) start() error       { return u.lab.start(u.name) }
func (u unit) stop() error        { return u.lab.stop(u.name) }
func (u unit) kill() error        { return u.lab.kill(u) }
func (u unit) pid() int           { return u.lab.pid(u) }
func (u unit) commands() Commands { return u.lab.commands(u.name) }
func (u unit) manager() string    { return u.lab.manager() }
func (u unit) unit() string       { return u.name }

func (u unit) retire() error {
	if err := u.kill(); err != nil {
		return err
	}
	entries, err := filepath.Glob(filepath.Join(u.supportDir, "*"))
	if err != nil {
		return err
	}
	for _, entry := range append(entries, filepath.Join(u.supportDir, ".plexsim")) {
		if err := os.RemoveAll(entry); err != nil {
			return err
		}
	}
	return nil
}

func (u unit) own(path string) error {
	plex, err := user.Lookup("plex")
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(plex.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(plex.Gid)
	if err != nil {
		return err
	}
	return os.Chown(path, uid, gid)
}

// systemd is the lab host's.
type systemd struct{}

func systemctl(arguments ...string) (string, error) { return tool("systemctl", arguments...) }

func (systemd) start(name string) error {
	// A test may start a server more often than the unit allows in a minute. Of
	// a unit that is not loaded nothing was counted.
	_, _ = systemctl("reset-failed", name)
	_, err := systemctl("start", name)
	return err
}

func (systemd) stop(name string) error {
	_, err := systemctl("stop", name)
	return err
}

func (s systemd) kill(u unit) error {
	// First the order to stop: without it systemd would start it again.
	if _, err := systemctl("stop", "--no-block", u.name); err != nil {
		return err
	}
	// Of a server that is gone already there is nothing to kill.
	_, _ = systemctl("kill", "--signal=KILL", u.name)
	return s.stop(u.name)
}

func (systemd) pid(u unit) int {
	out, err := systemctl("show", "--property=MainPID", "--value", u.name)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(out)
	if err != nil {
		return 0
	}
	return pid
}

func (systemd) commands(name string) Commands {
	return Commands{Stop: "systemctl stop " + name, Start: "systemctl start " + name, Status: "systemctl is-active --quiet " + name}
}

func (systemd) manager() string { return "systemd" }

// openrc is the lab host's.
type openrc struct{}

func (openrc) start(name string) error {
	_, err := tool("rc-service", name, "start")
	return err
}

func (openrc) stop(name string) error {
	_, err := tool("rc-service", name, "stop")
	return err
}

// What is killed has crashed, and to stop it fails; OpenRC has to be told that it
// does not run.
func (o openrc) kill(u unit) error {
	if pid := o.pid(u); pid != 0 {
		if err := kill(pid); err != nil {
			return err
		}
	}
	_, err := tool("rc-service", u.name, "zap")
	return err
}

// OpenRC knows no process for certain; the server keeps a pid file of its own.
func (openrc) pid(u unit) int { return pidFile(u.supportDir) }

// A server that has ended by itself counts as started with OpenRC, and would not
// be started again.
func (openrc) commands(name string) Commands {
	return Commands{
		Stop:   "rc-service " + name + " stop || rc-service " + name + " zap",
		Start:  "rc-service " + name + " zap; rc-service " + name + " start",
		Status: "rc-service " + name + " status && kill -0 \"$(cat /run/" + name + ".pid)\"",
	}
}

func (openrc) manager() string { return "openrc" }

// tool runs a program and returns what it says.
func tool(name string, arguments ...string) (string, error) {
	out, err := exec.Command(name, arguments...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(arguments, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// pidFile is the process that a server has written down, if that runs, or 0.
func pidFile(supportDir string) int {
	data, err := os.ReadFile(filepath.Join(supportDir, plexName, "plexmediaserver.pid"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || !isServer(pid) {
		return 0
	}
	return pid
}

// isServer tells whether a process is a server that has not ended.
func isServer(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, named := strings.Cut(string(stat), " (Plex Media Serv) ")
	return named && !strings.HasPrefix(state, "Z")
}

// kill sends SIGKILL and waits until the server is gone.
func kill(pid int) error {
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	if err := process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return until(ctx, func() bool { return !isServer(pid) })
}
