package plextv_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
)

const resources = `[
 {"clientIdentifier":"mine","provides":"server","owned":true,"accessToken":"` + grantedToken + `"},
 {"clientIdentifier":"mine-too","provides":"client, player,server","owned":true},
 {"clientIdentifier":"shared","provides":"server","owned":false},
 {"clientIdentifier":"television","provides":"client,player","owned":true},
 {"clientIdentifier":"browser","provides":"","owned":true},
 {"clientIdentifier":"almost","provides":"pubsub-server,serverless","owned":true}
]`

func TestOwnedServersAreThoseThatAreServersAndOwned(t *testing.T) {
	client, requests := plexTV(t, say(200, resources))
	servers, err := client.OwnedServers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(servers) != 2 || !servers.Has("mine") || !servers.Has("mine-too") {
		t.Errorf("owned: %v", servers)
	}
	for _, other := range []string{"shared", "television", "MINE", ""} {
		if servers.Has(other) {
			t.Errorf("%q is not an owned server", other)
		}
	}
	req := requests.seen()[0]
	if got := req.Method + " " + req.URL.String(); got != "GET /api/v2/resources?includeHttps=1&includeRelay=1" {
		t.Errorf("asked %s", got)
	}
	if got := req.Header.Get("Accept"); got != "application/json" {
		t.Errorf("Accept: %s", got)
	}
}

func TestAnAccountMayOwnNoServers(t *testing.T) {
	client, _ := plexTV(t, say(200, ` [] `))
	servers, err := client.OwnedServers(t.Context())
	if err != nil || servers == nil || len(servers) != 0 {
		t.Errorf("%v, %v", servers, err)
	}
}

// Taking one of these for an empty list would show every binding as revoked.
func TestAListThatIsNotCompleteIsNoList(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"null":           say(200, `null`),
		"nothing":        say(200, ``),
		"no content":     say(204, ``),
		"an object":      say(200, `{"error":"`+accountToken+`"}`),
		"cut off":        cutOff(`[]`),
		"half":           say(200, resources[:len(resources)-3]),
		"XML":            say(200, `<MediaContainer/>`),
		"huge":           say(200, resources+strings.Repeat(" ", 16<<20)),
		"no owned":       say(200, `[{"clientIdentifier":"mine","provides":"server"}]`),
		"no provides":    say(200, `[{"clientIdentifier":"mine","owned":true}]`),
		"no identifier":  say(200, `[{"provides":"server","owned":true}]`),
		"owned as text":  say(200, `[{"clientIdentifier":"mine","provides":"server","owned":"`+grantedToken+`"}]`),
		"something more": say(200, resources+`x`),
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := plexTV(t, answer)
			servers, err := client.OwnedServers(t.Context())
			wantError(t, err, plextv.ErrUnexpected)
			wantText(t, err, "list the account's servers", "/api/v2/resources:")
			if servers != nil {
				t.Errorf("gave %v all the same", servers)
			}
		})
	}
}

func TestAListMayBeMuchLargerThanAnAccount(t *testing.T) {
	client, _ := plexTV(t, say(200, resources+strings.Repeat(" ", 2<<20)))
	if _, err := client.OwnedServers(t.Context()); err != nil {
		t.Error(err)
	}
}
