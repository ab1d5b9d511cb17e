package plextv_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
)

func TestAccountSaysWhoTheTokenBelongsTo(t *testing.T) {
	client, requests := plexTV(t, say(200, whoAmI))
	account, err := client.Account(t.Context())
	if want := (plextv.Account{Username: "den", Email: "me@example.com"}); err != nil || account != want {
		t.Errorf("%+v, %v", account, err)
	}
	req := requests.seen()[0]
	if got := req.Method + " " + req.URL.String(); got != "GET /api/v2/user" || req.Header.Get("Accept") != "application/json" {
		t.Errorf("asked %s, %s", got, req.Header.Get("Accept"))
	}
}

func TestAccountMatchesUserNameOrEMailInAnyCase(t *testing.T) {
	whole := plextv.Account{Username: "Den", Email: "Me@Example.com"}
	for _, tt := range []struct {
		account plextv.Account
		name    string
		want    bool
	}{
		{whole, "den", true},
		{whole, "ME@example.COM", true},
		{whole, " Den\n", true},
		{whole, "de", false},
		{whole, "example.com", false},
		{whole, "", false},
		{plextv.Account{Username: "den"}, "", false},
		{plextv.Account{}, "", false},
		{plextv.Account{}, " ", false},
	} {
		if got := tt.account.Is(tt.name); got != tt.want {
			t.Errorf("%+v.Is(%q) = %v", tt.account, tt.name, got)
		}
	}
}

func TestAccountTakesNothingElseForAnAccount(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"nobody":        say(200, `{"username":"","email":null}`),
		"null":          say(200, `null`),
		"XML":           say(200, `<user username="den"/>`),
		"wrong type":    say(200, `{"username":{"S3cret":1}}`),
		"cut off":       cutOff(whoAmI),
		"half":          say(200, whoAmI[:len(whoAmI)-1]),
		"huge":          say(200, whoAmI+strings.Repeat(" ", 1<<20)),
		"empty":         say(200, ``),
		"a portal page": say(200, `<html>`),
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := plexTV(t, answer)
			_, err := client.Account(t.Context())
			wantError(t, err, plextv.ErrUnexpected)
			wantText(t, err, "look up the account", "/api/v2/user", "plextv_url")
		})
	}
}
