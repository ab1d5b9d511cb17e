//go:build linux

// Package faults runs operations with real Terraform, injects one fault into
// each, and judges what is left: the server runs, its preferences are wholly the
// old or wholly the new, there is a good copy, and the next apply converges.
// `make faults` runs it; docs/design/reliability.md holds what came out.
package faults_test

import (
	"context"
	"flag"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"testing"
	"time"
)

var (
	runs    = flag.Int("runs", 0, "how many faults to inject; without it nothing runs")
	seed    = flag.Uint64("seed", 0, "of all choices; 0: a new one")
	replay  = flag.Int("trial", -1, "inject this one alone, of the seed")
	only    = flag.String("only", "", "only trials whose name (fault/transport/operation/place) this regular expression matches")
	without = flag.String("without", "^$", "no trials whose name this matches")
	budget  = flag.Duration("budget", 0, "begin no trial after so long; 0: no limit")
	results = flag.String("results", "", "file that gets a line of JSON for each trial; with -runs 0 the table of all that it holds is printed")
	by      = flag.String("transports", "local,ssh,exec", "by which transports; container needs an engine, and host a lab (test/lab/faults.sh)")
)

// wanted is -only, and unwanted -skip.
var wanted, unwanted *regexp.Regexp

// interrupted ends the run, so that what it has started is stopped.
var interrupted context.Context

func TestMain(m *testing.M) {
	flag.Parse()
	unwanted = regexp.MustCompile(*without)
	wanted = regexp.MustCompile(*only)
	// What the person who runs this has set must not reach terraform.
	for _, name := range []string{"TF_CLI_CONFIG_FILE", "TF_LOG", "PLEX_TOKEN", "PLEXTV_URL", "SSH_AUTH_SOCK"} {
		_ = os.Unsetenv(name)
	}
	_ = os.Setenv("CHECKPOINT_DISABLE", "1")
	for *seed == 0 {
		*seed = uint64(time.Now().UnixNano()) % 1_000_000
	}
	var stop func()
	interrupted, stop = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := m.Run()
	stop()
	removeBuilt()
	os.Exit(code)
}
