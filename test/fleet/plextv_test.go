//go:build linux

package fleet_test

import (
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// plexTV is where the hosts' servers look for plex.tv: this machine's end of the
// lab's network.
func plexTV() string {
	if address := os.Getenv("FLEET_PLEXTV"); address != "" {
		return address
	}
	return "10.98.0.1:32480"
}

// servePlexTV starts a plex.tv that knows simtest.Owner.
func servePlexTV(t *testing.T) *plexsim.PlexTV {
	t.Helper()
	tv := plexsim.NewPlexTV(plexsim.PlexTVOptions{})
	tv.AddAccount(simtest.Owner)
	listener, err := net.Listen("tcp", plexTV())
	must(t, err)
	server := &http.Server{Handler: tv, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() {
		tv.Close()
		_ = server.Close()
	})
	return tv
}
