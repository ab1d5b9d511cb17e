//go:build linux

package fleet_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"

	"github.com/homelab-iac/terraform-provider-plex/test/figures"
)

// TestRivals compares the provider with what people use in its place. Everything
// is measured on the same hosts in the same run, and the rounds of all alternate.
func TestRivals(t *testing.T) {
	if !*measure {
		t.Skip("test/lab/fleet.sh bench measures")
	}
	all := fleet(t)
	b := &bench{mirror: plugins(t), all: all, bound: make([][]byte, len(all))}
	tv := servePlexTV(t)
	for i := range all {
		identity := simtest.NewIdentity()
		device, err := tv.RegisterServer(simtest.Owner.Username, identity.Processed, all[i].name)
		must(t, err)
		b.bound[i] = simtest.Preferences(identity, simtest.Owner, device.Token)
	}
	fmt.Printf("\n## Other ways to do it\n\nUnbinding the servers of lab hosts, over SSH. Load average before: %s.\n\n", figures.Load())
	fmt.Print("| servers | added round trip | with | wall s, median | p10 | p90 | CPU s, median | p10 | p90 | downtime ms, median | p10 | p90 | n |\n|" +
		strings.Repeat("---|", 13) + "\n")
	for _, line := range []string{"0", "50ms"} {
		b.setLine(t, line)
		for _, count := range []int{1, len(all)} {
			b.compare(t, count, line, 0, 0, *rounds)
		}
	}
	for _, count := range []int{1, len(all)} {
		b.compare(t, count, "50ms", 2*time.Second, 3*time.Second, *slow)
	}
	b.setLine(t, "0")
	fmt.Print("\nThe medians of this provider as multiples of those of the others:\n\n" +
		"| servers | added round trip | with | wall, to remote-exec | to Ansible | to plain ssh | downtime, to remote-exec | to Ansible | to plain ssh |\n|" +
		strings.Repeat("---|", 9) + "\n" + b.ratios)
	fmt.Printf("\nLoad average after: %s.\n", figures.Load())
}

type bench struct {
	mirror string
	all    []labHost
	bound  [][]byte // preferences of each, bound
	ratios string   // lines of a table
}

func (b *bench) setLine(t *testing.T, delay string) {
	t.Helper()
	out, err := exec.CommandContext(interrupted, "../lab/net.sh", "delay", delay).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// score is what one rival took.
type score struct{ wall, cpu, downtime sample }

// compare measures all rivals on the first hosts of the fleet, whose servers take
// some time to stop and to start.
func (b *bench) compare(t *testing.T, count int, line string, stop, start time.Duration, rounds int) {
	t.Helper()
	if rounds <= 0 {
		return
	}
	hosts := b.all[:count]
	b.bind(t, hosts, stop, start)
	field := rivals(t, b.mirror, hosts)
	scores := make([]score, len(field))
	for round := range rounds {
		for i := range field {
			place := (i + round) % len(field) // each comes first once
			b.measure(t, hosts, stop, start, field[place], &scores[place])
		}
	}
	servers := fmt.Sprint(count)
	if stop+start > 0 {
		servers = fmt.Sprintf("%d, %v to stop and %v to start", count, stop, start)
	}
	medians := map[string]score{}
	for i, r := range field {
		s := scores[i]
		medians[r.name] = s
		fmt.Printf("| %s | %s | %s | %s | %s | %s | %d |\n", servers, line, r.name, s.wall.cells("%.2f"), s.cpu.cells("%.2f"), s.downtime.cells("%.0f"), rounds)
	}
	for _, us := range []string{ours, ourPlan} {
		row := fmt.Sprintf("| %s | %s | %s ", servers, line, us)
		for _, part := range []func(score) sample{func(s score) sample { return s.wall }, func(s score) sample { return s.downtime }} {
			for _, them := range []string{remote, ansible, plain} {
				row += fmt.Sprintf("| ×%.2f ", part(medians[us]).median()/part(medians[them]).median())
			}
		}
		b.ratios += row + "|\n"
	}
}

func (b *bench) measure(t *testing.T, hosts []labHost, stop, start time.Duration, r rival, s *score) {
	t.Helper()
	b.bind(t, hosts, stop, start)
	r.prepare(t)
	before := make([]int, len(hosts))
	for i, h := range hosts {
		before[i] = len(h.events(t))
	}
	cost := meter(t, r.command())
	s.wall, s.cpu = append(s.wall, cost.wall), append(s.cpu, cost.cpu)
	for i, h := range hosts {
		s.downtime = append(s.downtime, float64(h.downtime(t, before[i]))/float64(time.Millisecond))
		h.check(t, phase{name: r.name}, nil)
		if got := plexsim.Count(h.events(t)[before[i]:], plexsim.EventStopping); got != 1 {
			t.Errorf("%s: the server of host %s was stopped %d times", r.name, h.name, got)
		}
	}
}

// bind gives the servers their account back, and says how they stop and start.
func (b *bench) bind(t *testing.T, hosts []labHost, stop, start time.Duration) {
	t.Helper()
	before := make([]int, len(hosts))
	config := fmt.Sprintf(`{"stop_delay":%q,"start_delay":%q}`, stop, start)
	each(t, hosts, func(i int, h labHost) error {
		before[i] = len(h.events(t))
		return h.run(b.bound[i], "sh", "-ec", rebind, "rebind", unit, supportDir, config)
	})
	for i, h := range hosts {
		h.listening(t, before[i])
	}
}

// rebind is quick and unkind, which no server minds that is emulated. What the
// unit counts of its starts is forgotten: it allows three in a minute.
const rebind = `
systemctl stop --no-block "$1"
systemctl kill --signal=KILL "$1" || true
systemctl stop "$1"
rm -f "$2/Plex Media Server/plexmediaserver.pid"
cat > "$2/Plex Media Server/Preferences.xml"
echo "$3" > "$2/plexsim.json"
systemctl reset-failed "$1"
systemctl start "$1"
`
