package simtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
)

// patience is how long a test waits for what should happen at once.
const patience = 20 * time.Second

// pollInterval is how often a condition is looked at.
const pollInterval = time.Millisecond

// Eventually waits until condition holds, and fails the test if it does not come
// to hold; what says what was waited for.
func Eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := until(ctx, condition); err != nil {
		t.Fatalf("waiting for %s: %v", what, err)
	}
}

// WaitListening waits until the server answers on its port. It does not wait for
// the end of its maintenance.
func (s *ServerProcess) WaitListening(ctx context.Context) error {
	err := until(ctx, func() bool {
		conn, err := net.DialTimeout("tcp", s.config.Addr, time.Second)
		if err != nil {
			return false
		}
		return conn.Close() == nil
	})
	if err != nil {
		return fmt.Errorf("waiting for %s: %w", s.config.Addr, err)
	}
	return nil
}

// WaitEvent waits until an event of a kind has happened count times since the
// server was made.
func (s *ServerProcess) WaitEvent(kind string, count int) {
	s.t.Helper()
	Eventually(s.t, fmt.Sprintf("event %q, %d times", kind, count), func() bool {
		return plexsim.Count(s.Events(), kind) >= count
	})
}

// WaitReady waits until /identity answers 200.
func (s *ServerProcess) WaitReady() {
	s.t.Helper()
	Eventually(s.t, "/identity", func() bool {
		request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.URL()+"/identity", nil)
		s.must(err)
		request.Close = true // the next request may reach another process
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return false
		}
		return response.Body.Close() == nil && response.StatusCode == http.StatusOK
	})
}

func until(ctx context.Context, condition func() bool) error {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for !condition() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}

// freeAddr is a loopback address that nobody listens on. Its port is below those
// that the kernel gives to whoever asks for any, so that it is still free when the
// server opens it, and again each time it starts. No other test gets it meanwhile,
// of this process or of another one (hold).
func freeAddr(t testing.TB) string {
	t.Helper()
	for range 1000 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(20000+rand.IntN(12000)))
		release, err := hold(addr)
		if err != nil {
			continue
		}
		listener, err := net.Listen("tcp", addr)
		if err != nil {
			release()
			continue
		}
		t.Cleanup(release)
		if err := listener.Close(); err != nil {
			t.Fatal(err)
		}
		return addr
	}
	t.Fatal("no free port")
	return ""
}

// hold has the same port of UDP, until it is released. Not so on Windows, since
// Wine has no UDP that Go can open; there one test runs at a time.
func hold(addr string) (release func(), err error) {
	if runtime.GOOS == "windows" {
		return func() {}, nil
	}
	held, err := net.ListenPacket("udp", addr)
	return func() { _ = held.Close() }, err
}
