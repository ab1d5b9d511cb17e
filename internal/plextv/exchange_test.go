package plextv_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
)

func TestExchangeGivesTheServersTokenAndItsOwner(t *testing.T) {
	client, requests := plexTV(t, say(200, granted))
	grant, err := client.Exchange(t.Context(), "\t"+claimToken+"\n", machine)
	if err != nil {
		t.Fatal(err)
	}
	if grant.Token != grantedToken || grant.Username != "den" || grant.Email != "me@example.com" {
		t.Errorf("granted %q to %q, %q", grant.Token, grant.Username, grant.Email)
	}
	req := requests.seen()[0]
	if got := req.Method + " " + req.URL.String(); got != "POST /api/claim/exchange?token="+claimToken {
		t.Errorf("asked %s", got)
	}
	if req.ContentLength != 0 {
		t.Errorf("sent a body of %d bytes", req.ContentLength)
	}
	for name, want := range map[string]string{
		"X-Plex-Client-Identifier": machine,
		"X-Plex-Product":           "Plex Media Server",
		"X-Plex-Version":           "1.1",
		"X-Plex-Provides":          "server",
		"X-Plex-Platform":          "Linux",
		"X-Plex-Platform-Version":  "1.0",
		"X-Plex-Device-Name":       "PlexMediaServer",
		"X-Plex-Device":            "Linux",
		"Accept":                   "application/xml",
		"X-Plex-Token":             "",
	} {
		if got := req.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestExchangeNeedsNoAccountToken(t *testing.T) {
	requests := &recorder{answers: []http.HandlerFunc{say(200, `<a><authentication-token>`+grantedToken+`</authentication-token></a>`)}}
	client := plextv.New(plextv.Config{Transport: through(requests)})
	grant, err := client.Exchange(t.Context(), claimToken, machine)
	if err != nil || grant.Token != grantedToken || grant.Username != "" || grant.Email != "" {
		t.Errorf("%q %q %q, %v", grant.Token, grant.Username, grant.Email, err)
	}
}

func TestExchangeSendsNothingThatIsNoClaimToken(t *testing.T) {
	for name, tt := range map[string]struct {
		token, machine string
		want           error
	}{
		"an account token":       {accountToken, machine, plextv.ErrClaimRejected},
		"no claim token":         {"", machine, plextv.ErrClaimRejected},
		"the prefix only":        {"claim-", machine, plextv.ErrClaimRejected},
		"the prefix inside":      {"xclaim-S3cret", machine, plextv.ErrClaimRejected},
		"an inner space":         {"claim-S3cret S3cret", machine, plextv.ErrClaimRejected},
		"more of a query":        {"claim-S3cret&a=b", machine, plextv.ErrClaimRejected},
		"a whole URL":            {"https://plex.tv/claim?token=" + claimToken, machine, plextv.ErrClaimRejected},
		"no machine identifier":  {claimToken, "", plextv.ErrInvalid},
		"a header of one's own":  {claimToken, "a\r\nX-Plex-Token: b", plextv.ErrInvalid},
		"something much too big": {"claim-" + strings.Repeat("S3cret", 100), machine, plextv.ErrClaimRejected},
	} {
		t.Run(name, func(t *testing.T) {
			client, requests := plexTV(t, say(200, granted))
			_, err := client.Exchange(t.Context(), tt.token, tt.machine)
			wantError(t, err, tt.want)
			if n := len(requests.seen()); n != 0 {
				t.Errorf("%d requests were sent", n)
			}
		})
	}
}

func TestARefusedClaimTokenIsRejectedAndNotRepeated(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"400":              say(400, `{"error":"Invalid token"}`),
		"401":              say(401, `<html>401 Unauthorized</html>`),
		"403":              say(403, ``),
		"404":              say(404, ``),
		"410":              say(410, ``),
		"422":              say(422, `<errors><error>Token has expired</error></errors>`),
		"an empty token":   say(200, `<user><authentication-token/></user>`),
		"an error in XML":  say(200, `<errors><error>Token has expired</error></errors>`),
		"error and no use": say(200, `<user><error>no</error><authentication-token> </authentication-token></user>`),
	} {
		t.Run(name, func(t *testing.T) {
			client, requests := plexTV(t, answer)
			_, err := client.Exchange(t.Context(), claimToken, machine)
			wantError(t, err, plextv.ErrClaimRejected)
			wantText(t, err, "exchange the claim token: POST http://127.0.0.1:", "/api/claim/exchange: HTTP ", "https://plex.tv/claim")
			if n := len(requests.seen()); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

func TestWhatPlexTVGivesAsItsReasonIsSaid(t *testing.T) {
	for name, body := range map[string]string{
		"error":   `{"error":"Token has expired"}`,
		"errors":  `{"errors":[{"message":"Token has expired"}]}`,
		"element": `<errors><error>Token has expired</error></errors>`,
	} {
		client, _ := plexTV(t, say(400, body))
		_, err := client.Exchange(t.Context(), claimToken, machine)
		if !strings.Contains(err.Error(), `it says "Token has expired"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnAnswerWithoutAGrantMayHaveSpentTheClaimToken(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"cut off":            cutOff(granted[:len(granted)-20]),
		"half":               say(200, granted[:len(granted)-20]),
		"not XML":            say(200, `{"authentication-token":"`+grantedToken+`"}`),
		"nothing":            say(200, ``),
		"no content":         say(204, ``),
		"another document":   say(200, `<html><body>Log in to the hotel</body></html>`),
		"token with a break": say(200, "<u><authentication-token>S3cret\nS3cret</authentication-token></u>"),
		"huge":               say(200, granted+strings.Repeat(" ", 1<<20)),
		"token as a tag":     say(200, `<`+claimToken+`></other>`),
		"unknown entity":     say(200, `<u><authentication-token>&`+grantedToken+`;</authentication-token></u>`),
	} {
		t.Run(name, func(t *testing.T) {
			client, requests := plexTV(t, answer)
			grant, err := client.Exchange(t.Context(), claimToken, machine)
			wantError(t, err, plextv.ErrUnexpected, plextv.ErrMaybeConsumed)
			wantText(t, err, "/api/claim/exchange")
			if grant.Token != "" {
				t.Error("gave a grant all the same")
			}
			if n := len(requests.seen()); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}
