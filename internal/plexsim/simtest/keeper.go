package simtest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

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
func (s *ServerProcess) keep(options Options) {
	s.t.Helper()
	if options.Host != nil {
		h, err := onHost(options.Host)
		s.must(err)
		s.config.SupportDir, s.config.Addr, s.keeper = h.supportDir(), h.Addr, h
		return
	}
	manager, mac := options.Manager, options.Mac
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
	if lab != "" && lab != wineLab && manager == nil {
		u := takeUnit(s.t, lab)
		s.config.SupportDir, s.config.Addr, s.keeper = u.supportDir, u.addr, u
		return
	}
	s.config.SupportDir, s.config.Addr, s.config.Store = s.system.supportDir(), freeAddr(s.t), s.system.store()
	switch {
	case manager != nil:
		s.keeper = manager.adopt(s)
	case lab == wineLab && len(s.system.runner) > 0:
		s.keeper = wine{s.system, s.config.SupportDir}
	default:
		s.keeper = supervised{s.system, s.config.SupportDir}
	}
}

// supervised is a server that `plexsim start` and `plexsim stop` control.
type supervised struct {
	system
	dir string
}

func (k supervised) control(command string) error {
	_, err := k.plexsim(nil, command, k.dir)
	return err
}

func (k supervised) supervisor() plexsim.Supervisor {
	k.t.Helper()
	supervisor, err := plexsim.NewSupervisor(k.dir)
	if err != nil {
		k.t.Fatal(err)
	}
	return supervisor
}

func (k supervised) start() error { return k.control("start") }
func (k supervised) stop() error  { return k.control("stop") }
func (k supervised) kill() error  { return k.supervisor().Kill() }

func (k supervised) retire() error {
	if !k.windows {
		return k.supervisor().Retire()
	}
	err := k.supervisor().Kill()
	_, removed := k.plexsim(nil, "preferences", "--remove", k.dir) // while the directory still says where they are
	if err := errors.Join(err, removed, k.supervisor().Retire()); err != nil {
		return err
	}
	// A process that has ended may keep its log for a moment, and the directory with it.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = until(ctx, func() bool {
		err := os.Remove(filepath.Join(k.dir+".retired", ".plexsim", "log"))
		return err == nil || errors.Is(err, fs.ErrNotExist)
	})
	return nil
}

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
	line := func(command string) string { return k.quote(k.program) + " " + command + " " + k.quote(k.dir) }
	return Commands{Stop: line("stop"), Start: line("start"), Status: line("status")}
}
