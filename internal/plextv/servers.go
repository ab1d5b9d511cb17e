package plextv

import (
	"context"
	"net/http"
	"net/url"
	"strings"
)

// OwnedServers are the machine identifiers (40 hexadecimal digits, plex-facts
// 3.1) of the servers that an account owns.
type OwnedServers map[string]struct{}

// Has reports that the account owns the server.
func (s OwnedServers) Has(machineIdentifier string) bool {
	_, owned := s[machineIdentifier]
	return owned
}

// OwnedServers lists the servers that the account owns, running or not
// (plex-facts 2.6). Servers that others share with it are left out. An account
// without servers has an empty list, and no error.
//
// Errors: as MintClaimToken. A list with an entry that does not say whose it is
// is ErrUnexpected as a whole: half an answer would pass for a revoked binding.
func (c *Client) OwnedServers(ctx context.Context) (OwnedServers, error) {
	what, err := c.forAccount(call{
		step:   "list the account's servers",
		method: http.MethodGet,
		path:   []string{"api", "v2", "resources"},
		query:  url.Values{"includeHttps": {"1"}, "includeRelay": {"1"}},
		limit:  listAnswer,
	})
	if err != nil {
		return nil, err
	}
	body, _, err := c.do(ctx, what)
	if err != nil {
		return nil, err
	}
	var resources []struct {
		ClientIdentifier string  `json:"clientIdentifier"`
		Provides         *string `json:"provides"`
		Owned            *bool   `json:"owned"`
	}
	if err := c.readJSON(what, body, '[', &resources); err != nil {
		return nil, err
	}
	servers := OwnedServers{}
	for _, r := range resources {
		if r.ClientIdentifier == "" || r.Provides == nil || r.Owned == nil {
			return nil, c.unexpected(what, "an entry lacks its clientIdentifier, provides or owned")
		}
		if *r.Owned && providesServer(*r.Provides) {
			servers[r.ClientIdentifier] = struct{}{}
		}
	}
	return servers, nil
}

// providesServer reads a comma-separated list such as "client,player,server".
func providesServer(provides string) bool {
	for one := range strings.SplitSeq(provides, ",") {
		if strings.TrimSpace(one) == "server" {
			return true
		}
	}
	return false
}
