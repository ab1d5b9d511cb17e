package server_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Rule 9: no core dump of the script's shell, which holds the new preferences; and
// the server that it starts has the limit that it would have had.
func TestTheScriptDumpsNoCoreAndTheServerHasItsOwnLimit(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		if sim.Unit() != "" {
			t.Skip("NOT RUN: here the service manager starts the server")
		}
		asked := append([]string{"sh", "-c", `ulimit -S -c 1000 || exit; exec "$@"`, "sh"}, h.(host.Local).Interpreter...)
		limited := filepath.Join(t.TempDir(), "limit")
		s := newServer(t, host.Local{Interpreter: asked}, options(sim, byCommands(sim, func(c *server.Commands) {
			c.Start = "ulimit -S -c >" + limited + "; " + c.Start
		})))
		mustEdit(t, s, func(d prefs.Document) error {
			limits := string(read(t, fmt.Sprintf("/proc/%d/limits", scriptPID(t, sim))))
			for line := range strings.Lines(limits) {
				if rest, found := strings.CutPrefix(line, "Max core file size"); found && strings.Fields(rest)[0] != "0" {
					t.Errorf("the script may dump core: %s", line)
				}
			}
			return unbind(d)
		})
		if got := strings.TrimSpace(string(read(t, limited))); got != "1000" {
			t.Errorf("the server was started with a limit of %q blocks", got)
		}
	})
}

// What another user of the machine sees of the copies: that they are there.
func TestAnotherUserSeesNothingOfTheCopies(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("NOT RUN: only root can be somebody else; make testlab runs it")
	}
	everyShell(t, func(t *testing.T, h host.Host) {
		report := mustEdit(t, newServer(t, h, options(bound(t, nil))), setToken("another"))
		simtest.OthersSeeNothing(t, filepath.Dir(report.Backup))
	})
}
