package plextv_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
)

func TestAnExchangeThatIsTurnedAwayIsRepeatedWithTheSameClaimToken(t *testing.T) {
	client, requests := plexTV(t, say(429, "", "Retry-After", "0"), say(503, ""), say(200, granted))
	if _, err := client.Exchange(t.Context(), claimToken, machine); err != nil {
		t.Fatal(err)
	}
	seen := requests.seen()
	if len(seen) != 3 {
		t.Fatalf("%d requests, want 3", len(seen))
	}
	for _, req := range seen {
		if req.URL.RawQuery != "token="+claimToken || req.Header.Get("X-Plex-Client-Identifier") != machine {
			t.Errorf("asked %s as %s", req.URL, req.Header.Get("X-Plex-Client-Identifier"))
		}
	}
}

func TestAnExchangeThatIsTurnedAwayForGoodKeepsItsClaimToken(t *testing.T) {
	for status, want := range map[int]error{429: plextv.ErrRateLimited, 503: plextv.ErrUnavailable} {
		client, _ := plexTV(t, say(status, ""))
		_, err := client.Exchange(t.Context(), claimToken, machine)
		wantError(t, err, want)
	}
}

func TestAnExchangeOfUnknownOutcomeIsNotRepeated(t *testing.T) {
	for name, bad := range map[string]http.HandlerFunc{
		"408": say(408, ""), "500": say(500, ""), "502": say(502, ""), "504": say(504, ""), "hung up": hangUp,
	} {
		t.Run(name, func(t *testing.T) {
			client, requests := plexTV(t, bad, say(200, granted))
			_, err := client.Exchange(t.Context(), claimToken, machine)
			wantError(t, err, plextv.ErrUnavailable, plextv.ErrMaybeConsumed)
			if n := len(requests.seen()); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

func TestAnExchangeIsNotRepeatedForLongerThanAClaimTokenLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := &timed{recorder: recorder{answers: []http.HandlerFunc{say(503, "", "Retry-After", "50")}}}
		client := plextv.New(plextv.Config{Transport: through(script), Retry: plextv.Retry{Attempts: 100}})
		began := time.Now()
		_, err := client.Exchange(t.Context(), claimToken, machine)
		wantError(t, err, plextv.ErrUnavailable)
		if took := time.Since(began); took < 3*time.Minute || took >= 4*time.Minute {
			t.Errorf("gave up after %s", took)
		}
	})
}

// failing is a transport that fails a number of times, in a given state of its
// connection, before it works.
func failing(times int, fault error, trace func(*httptrace.ClientTrace), then http.Handler) (http.RoundTripper, *int) {
	calls := 0
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if calls++; calls <= times {
			trace(httptrace.ContextClientTrace(req.Context()))
			return nil, fault
		}
		return through(then).RoundTrip(req)
	}), &calls
}

func TestAnExchangeIsRepeatedOnlyIfItDidNotLeave(t *testing.T) {
	get := func(t *httptrace.ClientTrace) { t.GetConn("plex.tv:443") }
	got := func(t *httptrace.ClientTrace) { t.GotConn(httptrace.GotConnInfo{}) }
	for name, tt := range map[string]struct {
		trace  func(*httptrace.ClientTrace)
		repeat bool
	}{
		"while connecting":                    {get, true},
		"while connecting again":              {func(t *httptrace.ClientTrace) { get(t); got(t); get(t) }, true},
		"once connected":                      {func(t *httptrace.ClientTrace) { get(t); got(t) }, false},
		"in a transport that does not say so": {func(*httptrace.ClientTrace) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			for _, fault := range []error{syscall.ECONNREFUSED, syscall.ECONNRESET, io.EOF, errors.New(claimToken)} {
				transport, calls := failing(2, fault, tt.trace, say(200, granted))
				client := plextv.New(plextv.Config{Transport: transport, Retry: quick})
				_, err := client.Exchange(t.Context(), claimToken, machine)
				switch {
				case tt.repeat && (err != nil || *calls != 3):
					t.Errorf("%d requests, %v", *calls, err)
				case !tt.repeat:
					wantError(t, err, plextv.ErrUnavailable, plextv.ErrMaybeConsumed)
					if *calls != 1 {
						t.Errorf("%d requests, want 1", *calls)
					}
				}
			}
		})
	}
}

func TestAnExchangeThatNeverLeftKeepsItsClaimToken(t *testing.T) {
	transport, calls := failing(99, syscall.ECONNREFUSED, func(t *httptrace.ClientTrace) { t.GetConn("plex.tv:443") }, nil)
	_, err := plextv.New(plextv.Config{Transport: transport, Retry: quick}).Exchange(t.Context(), claimToken, machine)
	wantError(t, err, plextv.ErrUnavailable)
	wantText(t, err, "POST https://plex.tv/api/claim/exchange", "connection refused")
	if *calls != quick.Attempts {
		t.Errorf("%d requests, want %d", *calls, quick.Attempts)
	}
}

func TestOneTryThatDidNotLeaveSaysNothingOfTheNext(t *testing.T) {
	first := true
	transport, calls := failing(99, syscall.ECONNRESET, func(t *httptrace.ClientTrace) {
		if first {
			t.GetConn("plex.tv:443")
		}
		first = false // the second try does not say that it left
	}, nil)
	_, err := plextv.New(plextv.Config{Transport: transport, Retry: quick}).Exchange(t.Context(), claimToken, machine)
	wantError(t, err, plextv.ErrUnavailable, plextv.ErrMaybeConsumed)
	if *calls != 2 {
		t.Errorf("%d requests, want 2", *calls)
	}
}
