// Package bench measures what an edit costs a server in downtime, and what the
// provider costs Terraform in time and memory. `make bench` runs it.
package bench_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/test/figures"
)

var (
	measure    = flag.Bool("measure", false, "measure; without it nothing runs")
	fastRounds = flag.Int("fast", 30, "rounds with a server that stops and starts at once")
	slowRounds = flag.Int("slow", 8, "rounds with a server that takes 2 s to stop and 3 s to start")
	planRounds = flag.Int("plans", 5, "rounds of plan and apply, for each number of servers")
)

// interrupted ends the rounds, so that what they have started is stopped.
var interrupted context.Context

func TestMain(m *testing.M) {
	// What the person who measures has set must not reach terraform.
	for _, name := range []string{"TF_CLI_CONFIG_FILE", "TF_LOG", "PLEX_TOKEN", "PLEXTV_URL"} {
		_ = os.Unsetenv(name)
	}
	_ = os.Setenv("CHECKPOINT_DISABLE", "1")
	var stop func()
	interrupted, stop = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := m.Run()
	stop()
	os.Exit(code)
}

// wanted skips a test that was not asked to measure.
func wanted(t *testing.T) {
	t.Helper()
	if !*measure {
		t.Skip("make bench measures")
	}
}

// proceed fails the test after Ctrl-C.
func proceed(t *testing.T) {
	t.Helper()
	if interrupted.Err() != nil {
		t.Fatal("interrupted")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		proceed(t)
		t.Fatal(err)
	}
}

// sample is what was measured, a value a round.
type sample []float64

// at is the value below which a part of the sample lies.
func (s sample) at(part float64) float64 { return figures.Quantile(s, part) }

func (s sample) median() float64 { return s.at(0.5) }

// cells are the median, the spread and the number of rounds, in a format.
func (s sample) cells(format string) string {
	if s.median() == 0 {
		return fmt.Sprintf("— | — | — | %d", len(s))
	}
	f := func(v float64) string { return fmt.Sprintf(format, v) }
	return strings.Join([]string{f(s.median()), f(s.at(0.1)), f(s.at(0.9)), fmt.Sprint(len(s))}, " | ")
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func TestSampleTellsItsSpread(t *testing.T) {
	s := sample{5, 1, 3, 2, 4}
	if got := s.cells("%.1f"); got != "3.0 | 1.4 | 4.6 | 5" {
		t.Errorf("median, p10, p90, n: %s", got)
	}
}
