package plextv_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
)

func TestMintGivesAClaimToken(t *testing.T) {
	client, requests := plexTV(t, say(201, minted))
	token, err := client.MintClaimToken(t.Context())
	if err != nil || token.Token != claimToken {
		t.Fatalf("%q, %v", token.Token, err)
	}
	req := requests.seen()[0]
	if got := req.Method + " " + req.URL.String(); got != "GET /api/claim/token.json" {
		t.Errorf("asked %s", got)
	}
	if got := req.Header.Get("Accept"); got != "application/json" {
		t.Errorf("Accept: %s", got)
	}
}

func TestAClaimTokenExpiresFourMinutesAfterTheRequestThatMintedItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var began time.Time
		requests := &recorder{answers: []http.HandlerFunc{say(503, ""), func(w http.ResponseWriter, r *http.Request) {
			began = time.Now()
			time.Sleep(3 * time.Second) // of the fake clock
			say(200, minted)(w, r)
		}}}
		client := plextv.New(plextv.Config{AccountToken: accountToken, Transport: through(requests)})
		token, err := client.MintClaimToken(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want := began.Add(240 * time.Second); !token.ExpiresAt.Equal(want) {
			t.Errorf("expires at %s, want %s", token.ExpiresAt, want)
		}
	})
}

func TestTheClockCanBeReplaced(t *testing.T) {
	now := time.Date(2026, 11, 24, 20, 0, 0, 0, time.UTC)
	requests := &recorder{answers: []http.HandlerFunc{say(200, minted)}}
	client := plextv.New(plextv.Config{AccountToken: accountToken, Transport: through(requests), Now: func() time.Time { return now }})
	token, err := client.MintClaimToken(t.Context())
	if want := now.Add(4 * time.Minute); err != nil || !token.ExpiresAt.Equal(want) {
		t.Errorf("%s, %v, want %s", token.ExpiresAt, err, want)
	}
}

func TestMintTakesNothingElseForAClaimToken(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"another token":  say(200, `{"token":"`+grantedToken+`"}`),
		"inner space":    say(200, `{"token":"claim-ab S3cret"}`),
		"prefix only":    say(200, `{"token":"claim-"}`),
		"no token":       say(200, `{}`),
		"a number":       say(200, `{"token":5}`),
		"null":           say(200, `null`),
		"a list":         say(200, `[]`),
		"no content":     say(204, ``),
		"XML":            say(200, `<MediaContainer token="`+claimToken+`"/>`),
		"half":           say(200, minted[:len(minted)-1]),
		"cut off":        cutOff(minted),
		"something more": say(200, minted+minted),
		"huge":           say(200, `{"token":"`+claimToken+`","x":"`+strings.Repeat("x", 1<<20)+`"}`),
		"an error":       say(200, `{"error":"No such thing"}`),
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := plexTV(t, answer)
			token, err := client.MintClaimToken(t.Context())
			wantError(t, err, plextv.ErrUnexpected)
			wantText(t, err, "mint a claim token", "/api/claim/token.json")
			if name == "an error" {
				wantText(t, err, "No such thing")
			}
			if token.Token != "" {
				t.Errorf("gave %q all the same", token.Token)
			}
		})
	}
}

func TestValuesThatHoldTokensDoNotPrintThem(t *testing.T) {
	config := plextv.Config{BaseURL: "https://plex.tv", AccountToken: accountToken}
	client := plextv.New(config)
	values := []any{
		config, &config, client, *client, struct{ C *plextv.Client }{client}, struct{ inner plextv.Client }{*client},
		plextv.ClaimToken{Token: claimToken}, &plextv.ClaimToken{Token: claimToken},
		plextv.Grant{Token: grantedToken}, &plextv.Grant{Token: grantedToken}, []plextv.Grant{{Token: grantedToken}},
	}
	for _, value := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			if text := fmt.Sprintf(verb, value); strings.Contains(text, "S3cret") || strings.Contains(text, fmt.Sprintf("%x", "S3cret")) {
				t.Errorf("%s of a %T: %s", verb, value, text)
			}
		}
	}
	for _, value := range []any{plextv.ClaimToken{Token: claimToken}, plextv.Grant{Token: grantedToken}} {
		if text, err := json.Marshal(value); err != nil || strings.Contains(string(text), "S3cret") {
			t.Errorf("JSON of a %T: %s, %v", value, text, err)
		}
	}
}
