package simtest

import (
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
// service manager is real: "systemd".
const EnvLab = "PLEX_LAB"

// systemdUnit is one of the units that a lab host has for tests.
type systemdUnit struct {
	name       string
	supportDir string
	addr       string
}

// units are lent to tests one at a time.
var units = sync.OnceValue(func() chan systemdUnit {
	pool := make(chan systemdUnit, 6)
	pool <- systemdUnit{"plexmediaserver.service", "/var/lib/plexmediaserver/Library/Application Support", "127.0.0.1:32400"}
	for i := 1; i <= 5; i++ {
		pool <- systemdUnit{
			fmt.Sprintf("plexmediaserver-%d.service", i),
			fmt.Sprintf("/var/lib/plexmediaserver-%d/Library/Application Support", i),
			fmt.Sprintf("127.0.0.1:%d", 32410+i),
		}
	}
	return pool
})

// takeUnit borrows a unit whose server is stopped and has no files.
func takeUnit(t testing.TB) systemdUnit {
	t.Helper()
	u := <-units()
	t.Cleanup(func() { units() <- u })
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

func systemctl(arguments ...string) (string, error) {
	out, err := exec.Command("systemctl", arguments...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("systemctl %s: %w\n%s", strings.Join(arguments, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

func (u systemdUnit) start() error {
	// A test may start a server more often than the unit allows in a minute. Of
	// a unit that is not loaded nothing was counted.
	_, _ = systemctl("reset-failed", u.name)
	_, err := systemctl("start", u.name)
	return err
}

func (u systemdUnit) stop() error {
	_, err := systemctl("stop", u.name)
	return err
}

func (u systemdUnit) kill() error {
	// First the order to stop: without it systemd would start it again.
	if _, err := systemctl("stop", "--no-block", u.name); err != nil {
		return err
	}
	// Of a server that is gone already there is nothing to kill.
	_, _ = systemctl("kill", "--signal=KILL", u.name)
	return u.stop()
}

func (u systemdUnit) retire() error {
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

func (u systemdUnit) pid() int {
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

func (u systemdUnit) own(path string) error {
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

func (u systemdUnit) commands() Commands {
	return Commands{Stop: "systemctl stop " + u.name, Start: "systemctl start " + u.name, Status: "systemctl is-active --quiet " + u.name}
}

func (u systemdUnit) unit() string { return u.name }
