package simtest

import (
	"net/http/httptest"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
)

// Owner and Stranger are the accounts that NewPlexTV knows.
var (
	Owner = plexsim.Account{Username: "owner", Email: "owner@example.com",
		Token: "ownerAccountToken001", Home: true}
	Stranger = plexsim.Account{Username: "stranger", Email: "stranger@example.com",
		Token: "strangerAccountTok02", Home: true}
)

// PlexTV is a plex.tv that a test can reach at URL.
type PlexTV struct {
	*plexsim.PlexTV
	URL string
}

// NewPlexTV starts a plex.tv that knows Owner and Stranger, and ends it with the
// test.
func NewPlexTV(t testing.TB, options ...func(*plexsim.PlexTVOptions)) *PlexTV {
	t.Helper()
	var o plexsim.PlexTVOptions
	for _, change := range options {
		change(&o)
	}
	plexTV := plexsim.NewPlexTV(o)
	plexTV.AddAccount(Owner)
	plexTV.AddAccount(Stranger)
	server := httptest.NewServer(plexTV)
	t.Cleanup(func() {
		plexTV.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return &PlexTV{PlexTV: plexTV, URL: server.URL}
}
