package plextv_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
)

// accountCalls are all that need the account token.
var accountCalls = map[string]func(context.Context, *plextv.Client) error{
	"MintClaimToken": func(ctx context.Context, c *plextv.Client) error { _, err := c.MintClaimToken(ctx); return err },
	"Account":        func(ctx context.Context, c *plextv.Client) error { _, err := c.Account(ctx); return err },
	"OwnedServers":   func(ctx context.Context, c *plextv.Client) error { _, err := c.OwnedServers(ctx); return err },
	"Device":         func(ctx context.Context, c *plextv.Client) error { _, _, err := c.Device(ctx, machine); return err },
	"RemoveDevice":   func(ctx context.Context, c *plextv.Client) error { return c.RemoveDevice(ctx, "42") },
}

func exchange(ctx context.Context, c *plextv.Client) error {
	_, err := c.Exchange(ctx, claimToken, machine)
	return err
}

func eachCall(t *testing.T, test func(t *testing.T, call func(context.Context, *plextv.Client) error)) {
	for name, call := range accountCalls {
		t.Run(name, func(t *testing.T) { test(t, call) })
	}
	t.Run("Exchange", func(t *testing.T) { test(t, exchange) })
}

func eachAccountCall(t *testing.T, test func(t *testing.T, call func(context.Context, *plextv.Client) error)) {
	for name, call := range accountCalls {
		t.Run(name, func(t *testing.T) { test(t, call) })
	}
}

func TestAccountCallsSayWhoAsks(t *testing.T) {
	eachAccountCall(t, func(t *testing.T, call func(context.Context, *plextv.Client) error) {
		client, requests := plexTV(t, say(200, "{}"))
		_ = call(t.Context(), client)
		header := requests.seen()[0].Header
		for name, want := range map[string]string{
			"X-Plex-Token":             accountToken,
			"X-Plex-Client-Identifier": "terraform-provider-plex",
			"X-Plex-Product":           "terraform-provider-plex",
			"X-Plex-Version":           "1.2.3",
			"User-Agent":               "terraform-provider-plex/1.2.3",
		} {
			if got := header.Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if got := requests.seen()[0].URL.RawQuery; strings.Contains(got, accountToken) {
			t.Errorf("the account token is in the query %q", got)
		}
	})
}

func TestAccountCallsWithoutAUsableTokenSendNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		token string
		want  error
		says  string
	}{
		"none":         {"", plextv.ErrNoAccountToken, "PLEX_TOKEN"},
		"white space":  {" \n", plextv.ErrNoAccountToken, "PLEX_TOKEN"},
		"claim token":  {claimToken, plextv.ErrUnauthorized, "is a claim token"},
		"line break":   {"Acct\nS3cret", plextv.ErrUnauthorized, "characters"},
		"inner space":  {"Acct S3cret", plextv.ErrUnauthorized, "characters"},
		"not ASCII":    {"AcctS3crét", plextv.ErrUnauthorized, "characters"},
		"control byte": {"AcctS3cret\x7f", plextv.ErrUnauthorized, "characters"},
	} {
		t.Run(name, func(t *testing.T) {
			eachAccountCall(t, func(t *testing.T, call func(context.Context, *plextv.Client) error) {
				_, requests := plexTV(t)
				client := plextv.New(plextv.Config{AccountToken: tt.token, Transport: through(requests)})
				err := call(t.Context(), client)
				wantError(t, err, tt.want)
				wantText(t, err, tt.says)
				if n := len(requests.seen()); n != 0 {
					t.Errorf("%d requests were sent", n)
				}
			})
		})
	}
}

func TestAccountTokenIsTrimmed(t *testing.T) {
	_, requests := plexTV(t)
	requests.answers = []http.HandlerFunc{say(200, whoAmI)}
	client := plextv.New(plextv.Config{AccountToken: " " + accountToken + "\n", Transport: through(requests)})
	if _, err := client.Account(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := requests.seen()[0].Header.Get("X-Plex-Token"); got != accountToken {
		t.Errorf("sent %q", got)
	}
}

func TestARefusedAccountTokenIsUnauthorizedAndNotRepeated(t *testing.T) {
	for _, status := range []int{401, 403} {
		eachAccountCall(t, func(t *testing.T, call func(context.Context, *plextv.Client) error) {
			client, requests := plexTV(t, say(status, `{"errors":[{"code":1001,"message":"User could not be authenticated"}]}`))
			err := call(t.Context(), client)
			wantError(t, err, plextv.ErrUnauthorized)
			wantText(t, err, "http://127.0.0.1:", "account_token", "User could not be authenticated", http.StatusText(status))
			if n := len(requests.seen()); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

func TestOtherStatusesOfAccountCalls(t *testing.T) {
	for status, want := range map[int]error{
		400: plextv.ErrUnexpected, 405: plextv.ErrUnexpected, 429: plextv.ErrRateLimited,
		408: plextv.ErrUnavailable, 500: plextv.ErrUnavailable, 503: plextv.ErrUnavailable, 304: plextv.ErrUnexpected,
	} {
		eachAccountCall(t, func(t *testing.T, call func(context.Context, *plextv.Client) error) {
			client, _ := plexTV(t, say(status, ""))
			wantError(t, call(t.Context(), client), want)
		})
	}
}

func TestABaseURLThatIsNoAddressIsInvalidAndNotQuoted(t *testing.T) {
	for _, base := range []string{
		"plex.tv", "ftp://plex.tv", "https://", "https://:443", "https://me:S3cret@plex.tv", "https://plex.tv?token=S3cret",
		"https://plex.tv/#S3cret", "ht tp://S3cret", "https://plex.tv:S3cret",
	} {
		eachCall(t, func(t *testing.T, call func(context.Context, *plextv.Client) error) {
			client := plextv.New(plextv.Config{BaseURL: base, AccountToken: accountToken, Transport: through(nil)})
			err := call(t.Context(), client)
			wantError(t, err, plextv.ErrInvalid)
			wantText(t, err, "plextv_url")
		})
	}
}

func TestABaseURLMayHaveAPath(t *testing.T) {
	requests := &recorder{answers: []http.HandlerFunc{say(200, whoAmI)}}
	client := plextv.New(plextv.Config{BaseURL: "https://sim.lan/plex/", AccountToken: accountToken, Transport: through(requests)})
	if _, err := client.Account(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := requests.seen()[0].URL.String(); got != "https://sim.lan/plex/api/v2/user" {
		t.Errorf("asked %s", got)
	}
}

func TestTheDefaultIsPlexTV(t *testing.T) {
	requests := &recorder{answers: []http.HandlerFunc{say(200, whoAmI)}}
	client := plextv.New(plextv.Config{AccountToken: accountToken, Transport: through(requests)})
	if _, err := client.Account(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := requests.seen()[0].URL.String(); got != "https://plex.tv/api/v2/user" {
		t.Errorf("asked %s", got)
	}
	if got := requests.seen()[0].Header.Values("X-Plex-Version"); len(got) != 0 {
		t.Errorf("a version was made up: %q", got)
	}
}

func TestAClientIsSafeForConcurrentUse(t *testing.T) {
	client, requests := plexTV(t, say(503, ""), say(200, whoAmI))
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			if _, err := client.Account(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if n := len(requests.seen()); n != 17 {
		t.Errorf("%d requests, want 17: one of them was turned away", n)
	}
}
