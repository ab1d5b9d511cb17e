package server

import (
	"fmt"
	"math"
	"os"
	"os/user"
	"strings"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
)

// Modes of the script.
const (
	modeInspect = "inspect"
	modeEdit    = "edit"
)

// program is the script with what it has to know before it. Values go as
// quoted assignments on standard input, so that none shows in a process list.
func (s *Server) program(mode, nonce string) string {
	o := s.options
	manager, unit := o.managed()
	var b strings.Builder
	for _, p := range []struct{ name, value string }{
		{"mode", mode}, {"nonce", nonce}, {"holder", holder()},
		{"listen", listenPattern(o.URL)}, {"listen_bsd", listenPatternBSD(o.URL)},
		{"listen_mac", listenPatternMac(o.URL)},
		{"manager", manager}, {"unit", unit}, {"managers", strings.Join(managers, " ")},
		{"platform", o.Platform}, {"rows", rows(o.Platform, manager)}, {"preferences", o.PreferencesPath},
		{"stop", o.Commands.Stop}, {"start", o.Commands.Start}, {"status", o.Commands.Status},
		{"backup_dir", o.Backup.Directory}, {"keep", fmt.Sprint(o.Backup.Keep)},
		{"stop_limit", seconds(o.StopTimeout)}, {"command_limit", seconds(o.Limits.Command)},
		{"lock_limit", seconds(o.Limits.Lock)}, {"silence", seconds(o.Limits.Silence)},
		{"linger", seconds(o.Limits.Linger)}, {"work", work},
	} {
		fmt.Fprintf(&b, "p_%s=%s\n", p.name, host.Quote(p.value))
	}
	return b.String() + script
}

// managed is the manager that is named, and what it calls the server.
func (o Options) managed() (manager, unit string) {
	if o.Commands != (Commands{}) {
		return ManagerCommands, ""
	}
	return o.Service.Manager, o.Service.Name
}

// seconds rounds up: a limit is never shorter than asked for.
func seconds(d time.Duration) string { return fmt.Sprint(int64(math.Ceil(d.Seconds()))) }

// holder names this process to whoever finds the lock taken.
func holder() string {
	name := "somebody"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	machine, err := os.Hostname()
	if err != nil {
		machine = "an unnamed machine"
	}
	return fmt.Sprintf("%s on %s, process %d, since %s", name, machine, os.Getpid(), time.Now().UTC().Format(time.RFC3339))
}
