package binding

import (
	"errors"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
)

func TestJudgeTellsTheStatuses(t *testing.T) {
	const id = "0123456789012345678901234567890123456789"
	mine := plextv.Account{Username: "me", Email: "me@example.com"}
	owned := ownership{account: mine, servers: plextv.OwnedServers{id: {}}}
	notOwned := ownership{account: mine, servers: plextv.OwnedServers{}}
	silent := ownership{err: errors.New("no answer")}
	me := State{ID: id, Status: Bound, Username: "me", Email: "me@example.com"}
	other := State{ID: id, Status: Bound, Username: "other", Email: "other@example.com"}
	nameless := State{ID: id, Status: Bound}
	for name, test := range map[string]struct {
		state   State
		account string
		said    ownership
		want    Status
		named   string
	}{
		"mine and listed":                          {me, "me@example.com", owned, Bound, "me"},
		"by user name, in any case":                {me, "ME", owned, Bound, "me"},
		"mine and not listed":                      {me, "me@example.com", notOwned, Revoked, "me"},
		"mine, not listed, any account":            {me, "", notOwned, Revoked, "me"},
		"mine, plex.tv silent":                     {me, "me@example.com", silent, Bound, "me"},
		"another's":                                {other, "me@example.com", notOwned, BoundElsewhere, "other"},
		"another's, plex.tv silent":                {other, "me@example.com", silent, BoundElsewhere, "other"},
		"another's, any account":                   {other, "", notOwned, Bound, "other"},
		"nameless, listed":                         {nameless, "me@example.com", owned, Bound, "me"},
		"nameless, listed, for another":            {nameless, "other", owned, BoundElsewhere, "me"},
		"nameless, not listed":                     {nameless, "me@example.com", notOwned, Unknown, ""},
		"nameless, plex.tv silent":                 {nameless, "me@example.com", silent, Unknown, ""},
		"nameless, plex.tv silent and any account": {nameless, "", silent, Bound, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge(test.state, test.account, test.said)
			if got.Status != test.want || got.Username != test.named {
				t.Errorf("got %s for %q, want %s for %q", got.Status, got.Username, test.want, test.named)
			}
		})
	}
}

func TestAFingerprintTellsTokensApartAndHoldsNone(t *testing.T) {
	if Fingerprint("") != "" {
		t.Error("no token has a fingerprint")
	}
	// printf %s token | sha256sum
	if got, want := Fingerprint("token"), "3c469e9d6c5875d3"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
