//go:build linux

package fleet_test

import (
	"bytes"
	"regexp"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// phase is a command of terraform, and what it may cost each host.
type phase struct {
	name string
	args []string
	// connections: each walk of Terraform over its resources starts a provider of
	// its own, which connects to a host once, however much there is to do.
	connections int
	stops       int
	bound       bool // afterwards
}

const atOnce = "-parallelism=250"

// With a saved plan each command is one walk. To create, a plan has nothing to
// ask a host. To destroy, it reads, and then plans from what was read.
var phases = []phase{
	{"plan to create", []string{"plan", "-out=next", atOnce}, 0, 0, false},
	{"create", []string{"apply", atOnce, "next"}, 1, 0, true},
	{"plan to destroy", []string{"plan", "-destroy", "-out=next", atOnce}, 1, 0, true},
	{"destroy", []string{"apply", atOnce, "next"}, 1, 1, false},
}

// What people type is two walks: a plan and its application.
var typed = []phase{
	{"terraform apply", []string{"apply", "-auto-approve"}, 0 + 1, 0, true},
	{"terraform apply, to rebind", []string{"apply", "-auto-approve", "-var=generation=2"}, 1 + 1, 1, true},
	{"terraform destroy", []string{"destroy", "-auto-approve"}, 1 + 1, 1, false},
}

// TestTerraformOverAFleet takes all hosts at once through the life of a binding,
// and then a few of them, ten at a time as Terraform has it by itself.
func TestTerraformOverAFleet(t *testing.T) {
	hosts := fleet(t)
	w := &world{tv: servePlexTV(t), wire: watchWire(t), mirror: plugins(t)}
	w.run(t, hosts, phases)
	w.run(t, hosts[:min(5, len(hosts))], typed)
}

type world struct {
	tv     *plexsim.PlexTV
	wire   *wire
	mirror string
}

func (w *world) run(t *testing.T, hosts []labHost, phases []phase) {
	t.Helper()
	tf := newTerraform(t, w.mirror, "fleet.tf", map[string]any{
		"hosts": addresses(hosts), "private_key_path": privateKey(), "known_hosts_path": knownHosts(t, hosts),
		"plextv_url": "http://" + plexTV(), "account_token": simtest.Owner.Token,
	})
	for _, p := range phases {
		w.wire.forget()
		before := make([]int, len(hosts))
		for i, h := range hosts {
			before[i] = h.stops(t)
		}
		began := time.Now()
		tf.run(t, p.args...)
		t.Logf("%s, %d hosts: %.1f s; a host: %d TCP connections, %d stops", p.name, len(hosts), time.Since(began).Seconds(), p.connections, p.stops)
		valid := tokens(w.tv)
		for i, h := range hosts {
			if got := w.wire.connections(h); got != p.connections {
				t.Errorf("%s: %d TCP connections to host %s, not %d", p.name, got, h.name, p.connections)
			}
			if got := h.stops(t) - before[i]; got != p.stops {
				t.Errorf("%s: the server of host %s was stopped %d times, not %d", p.name, h.name, got, p.stops)
			}
			h.check(t, p, valid)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
}

// tokens are those that plex.tv has given to servers of simtest.Owner.
func tokens(tv *plexsim.PlexTV) map[string]bool {
	valid := map[string]bool{}
	for _, device := range tv.Devices() {
		if device.Provides == "server" && device.Account == simtest.Owner.Username {
			valid[device.Token] = true
		}
	}
	return valid
}

var (
	keyOfBinding       = regexp.MustCompile(`\sPlexOnline(Home|Mail|Token|Username)="`)
	tokenInPreferences = regexp.MustCompile(`\sPlexOnlineToken="([^"]+)"`)
)

// check looks at the server's preferences: they hold the newest token that
// plex.tv gave to it, or none of the four keys.
func (h labHost) check(t *testing.T, p phase, valid map[string]bool) {
	t.Helper()
	preferences := h.preferences(t)
	token := tokenInPreferences.FindSubmatch(preferences)
	switch {
	case p.bound && token == nil:
		t.Errorf("%s: the server of host %s is bound to nobody", p.name, h.name)
	case p.bound && !valid[string(token[1])]:
		t.Errorf("%s: the server of host %s has a token that plex.tv did not give it last", p.name, h.name)
	case !p.bound && keyOfBinding.Match(preferences):
		t.Errorf("%s: the preferences of host %s still have keys of the binding", p.name, h.name)
	}
	if !bytes.Contains(preferences, []byte(" ProcessedMachineIdentifier=")) {
		t.Errorf("%s: the server of host %s has lost its identity", p.name, h.name)
	}
}
