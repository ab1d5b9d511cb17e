//go:build linux

// Package fleet runs Terraform against many lab hosts at once, by SSH, and
// compares the provider with what people use in its place. test/lab/fleet.sh
// boots the hosts and runs it.
package fleet_test

import (
	"context"
	"flag"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

var (
	hostCount = flag.Int("hosts", 0, "how many hosts test/lab/fleet.sh has booted; without them nothing runs")
	measure   = flag.Bool("measure", false, "compare; without it TestRivals does not run")
	rounds    = flag.Int("rounds", 5, "rounds of each comparison, with servers that stop and start at once")
	slow      = flag.Int("slow", 3, "rounds of each comparison, with servers that take 2 s to stop and 3 s to start")
)

// interrupted ends what runs, so that terraform can clean up after itself.
var interrupted context.Context

func TestMain(m *testing.M) {
	// What the person who tests has set must not reach the programs.
	for _, name := range []string{"TF_CLI_CONFIG_FILE", "TF_LOG", "PLEX_TOKEN", "PLEXTV_URL", "SSH_AUTH_SOCK", "ANSIBLE_CONFIG"} {
		_ = os.Unsetenv(name)
	}
	_ = os.Setenv("CHECKPOINT_DISABLE", "1")
	var stop func()
	interrupted, stop = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := m.Run()
	stop()
	os.Exit(code)
}

func must(t *testing.T, err error) {
	t.Helper()
	if interrupted.Err() != nil {
		t.Fatal("interrupted")
	}
	if err != nil {
		t.Fatal(err)
	}
}
