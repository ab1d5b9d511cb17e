package simtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
)

// keeper is what runs a server: the supervisor of plexsim, or a real service manager.
type keeper interface {
	start() error
	stop() error
	kill() error
	pid() int         // 0: it does not run
	retire() error    // nothing may start it any more
	own(string) error // gives a file to the user who runs the server
	commands() Commands
	manager() string // as server.Service has it; empty without one
	unit() string    // its name there
}

// keep chooses what runs the server, and where it is.
func (s *ServerProcess) keep(manager *Manager, mac *Mac) {
	s.t.Helper()
	lab := os.Getenv(EnvLab)
	if mac == nil && manager == nil && lab == "macos" {
		mac = labMac(s.t)
	}
	if mac != nil {
		s.config.Addr, s.keeper = freeAddr(s.t), mac.adopt(s)
		return
	}
	if _, known := images[lab]; known && manager == nil {
		c := inContainer(s.t, lab)
		s.config.SupportDir, s.config.Addr, s.keeper = c.supportDir(), freeAddr(s.t), c
		return
	}
	if lab != "" && manager == nil {
		u := takeUnit(s.t, lab)
		s.config.SupportDir, s.config.Addr, s.keeper = u.supportDir, u.addr, u
		return
	}
	s.config.SupportDir = filepath.Join(s.t.TempDir(), "Library", "Application Support")
	s.config.Addr = freeAddr(s.t)
	if manager != nil {
		s.keeper = manager.adopt(s)
		return
	}
	s.keeper = supervised{t: s.t, program: s.program, dir: s.config.SupportDir}
}

// supervised is a server that `plexsim start` and `plexsim stop` control.
type supervised struct {
	t       testing.TB
	program string
	dir     string
}

func (k supervised) control(command string) error {
	out, err := exec.Command(k.program, command, k.dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("plexsim %s: %w\n%s", command, err, out)
	}
	return nil
}

func (k supervised) supervisor() plexsim.Supervisor {
	k.t.Helper()
	supervisor, err := plexsim.NewSupervisor(k.dir)
	if err != nil {
		k.t.Fatal(err)
	}
	return supervisor
}

func (k supervised) start() error     { return k.control("start") }
func (k supervised) stop() error      { return k.control("stop") }
func (k supervised) kill() error      { return k.supervisor().Kill() }
func (k supervised) retire() error    { return k.supervisor().Retire() }
func (k supervised) own(string) error { return nil }
func (k supervised) manager() string  { return "" }
func (k supervised) unit() string     { return "" }

func (k supervised) pid() int {
	if pid, running := k.supervisor().Running(); running {
		return pid
	}
	return 0
}

func (k supervised) commands() Commands {
	line := func(command string) string { return quote(k.program) + " " + command + " " + quote(k.dir) }
	return Commands{Stop: line("stop"), Start: line("start"), Status: line("status")}
}
