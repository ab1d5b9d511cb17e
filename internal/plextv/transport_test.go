package plextv_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
)

func TestATokenIsNotTakenAlongToWhereARedirectPoints(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		eachCall(t, func(t *testing.T, call func(context.Context, *plextv.Client) error) {
			other := &recorder{}
			elsewhere := httptest.NewServer(other)
			t.Cleanup(elsewhere.Close)
			client, requests := plexTV(t, func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, elsewhere.URL+r.URL.String()+"?token="+claimToken, status)
			})
			err := call(t.Context(), client)
			wantError(t, err, plextv.ErrUnexpected)
			wantText(t, err, "redirect", http.StatusText(status))
			if n := len(other.seen()); n != 0 {
				t.Errorf("the other host was asked %d times", n)
			}
			sent := requests.seen()[0]
			if sent.Header.Get("X-Plex-Token")+sent.URL.Query().Get("token") == "" {
				t.Error("no token was sent to the first host either, so that nothing is shown")
			}
		})
	}
}

func TestARedirectWithinTheHostIsNotFollowedEither(t *testing.T) {
	client, requests := plexTV(t, say(307, "", "Location", "/api/v2/user/"), say(200, whoAmI))
	_, err := client.Account(t.Context())
	wantError(t, err, plextv.ErrUnexpected)
	if n := len(requests.seen()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestCookiesAreNotKept(t *testing.T) {
	client, requests := plexTV(t, say(200, whoAmI, "Set-Cookie", "session=1; Path=/"))
	for range 2 {
		if _, err := client.Account(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := requests.seen()[1].Header.Get("Cookie"); got != "" {
		t.Errorf("sent the cookie %q", got)
	}
}

// never answers until the test is over.
func never(t *testing.T, first string) http.HandlerFunc {
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	return func(w http.ResponseWriter, r *http.Request) {
		if first != "" {
			_, _ = io.WriteString(w, first)
			w.(http.Flusher).Flush()
		}
		select {
		case <-over:
		case <-r.Context().Done():
		}
	}
}

func impatient(url string, attempts int) *plextv.Client {
	return plextv.New(plextv.Config{BaseURL: url, AccountToken: accountToken,
		Retry: plextv.Retry{Attempts: attempts, WaitMin: time.Microsecond, Timeout: 200 * time.Millisecond}}) // in which the request arrives, on a busy machine, too
}

func TestNoAnswerInTimeIsUnavailable(t *testing.T) {
	for name, first := range map[string]string{"nothing comes": "", "the rest does not come": `{"token":"`} {
		t.Run(name, func(t *testing.T) {
			eachAccountCall(t, func(t *testing.T, call func(context.Context, *plextv.Client) error) {
				requests := &recorder{}
				server := httptest.NewServer(requests)
				t.Cleanup(server.Close)
				requests.answers = []http.HandlerFunc{never(t, first)}
				err := call(t.Context(), impatient(server.URL, 2))
				wantError(t, err, plextv.ErrUnavailable)
				if errors.Is(err, context.DeadlineExceeded) {
					t.Error("it looks as if the caller's time were over")
				}
				if n := len(requests.seen()); n != 2 {
					t.Errorf("%d requests, want 2", n)
				}
			})
		})
	}
}

func TestATimeOutOfAnExchangeMayHaveSpentTheClaimToken(t *testing.T) {
	for _, first := range []string{"", "<user>"} {
		requests := &recorder{}
		server := httptest.NewServer(requests)
		t.Cleanup(server.Close)
		requests.answers = []http.HandlerFunc{never(t, first)}
		_, err := impatient(server.URL, 4).Exchange(t.Context(), claimToken, machine)
		wantError(t, err, plextv.ErrUnavailable, plextv.ErrMaybeConsumed)
		wantText(t, err, "in", "new claim token")
		if n := len(requests.seen()); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
	}
}

func TestAnInterruptedCallSaysSo(t *testing.T) {
	eachAccountCall(t, func(t *testing.T, call func(context.Context, *plextv.Client) error) {
		err := interrupted(t, call)
		wantError(t, err, plextv.ErrUnavailable)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("does not match context.Canceled: %v", err)
		}
	})
}

func TestAnInterruptedExchangeMayHaveSpentTheClaimToken(t *testing.T) {
	err := interrupted(t, exchange)
	wantError(t, err, plextv.ErrUnavailable, plextv.ErrMaybeConsumed)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("does not match context.Canceled: %v", err)
	}
}

// interrupted makes the call, and interrupts it in the middle of the answer.
func interrupted(t *testing.T, call func(context.Context, *plextv.Client) error) error {
	t.Helper()
	server := httptest.NewServer(never(t, "<user>"))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	return call(ctx, plextv.New(plextv.Config{BaseURL: server.URL, AccountToken: accountToken, Retry: quick,
		Transport: roundTripper(func(req *http.Request) (*http.Response, error) {
			resp, err := http.DefaultTransport.RoundTrip(req)
			cancel()
			return resp, err
		})}))
}

func TestAnAnswerWithTooMuchHeaderIsNotRead(t *testing.T) {
	client, _ := plexTV(t, say(200, whoAmI, "X-Much", strings.Repeat("x", 63<<10)))
	if _, err := client.Account(t.Context()); err != nil {
		t.Errorf("63 KiB: %v", err)
	}
	client, _ = plexTV(t, say(200, whoAmI, "X-Much", strings.Repeat("x", 64<<10)))
	_, err := client.Account(t.Context())
	wantError(t, err, plextv.ErrUnavailable)
}

func TestTroubleWithTheConnectionKeepsTheClaimToken(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	for name, tt := range map[string]struct{ url, says string }{
		"nothing listens": {"http://" + closedPort(t), "refused"},
		"no TLS there":    {strings.Replace(plain.URL, "http", "https", 1), "does not speak TLS"},
	} {
		t.Run(name, func(t *testing.T) {
			eachCall(t, func(t *testing.T, call func(context.Context, *plextv.Client) error) {
				err := call(t.Context(), clientOf(tt.url))
				wantError(t, err, plextv.ErrUnavailable)
				wantText(t, err, tt.url, tt.says, "network")
			})
		})
	}
}

func TestTroubleWithTheConnectionIsNamed(t *testing.T) {
	for says, fault := range map[string]error{
		`"plex.tv" cannot be resolved`: &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "plex.tv", IsNotFound: true}},
		"does not speak TLS":           tls.RecordHeaderError{Msg: claimToken},
	} {
		client := plextv.New(plextv.Config{AccountToken: accountToken, Retry: quick,
			Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, fault })})
		_, err := client.Account(t.Context())
		wantError(t, err, plextv.ErrUnavailable)
		wantText(t, err, says)
	}
}

func TestAnUntrustedCertificateEndsTheCallBeforeATokenIsSent(t *testing.T) {
	eachCall(t, func(t *testing.T, call func(context.Context, *plextv.Client) error) {
		var connections atomic.Int32
		requests := &recorder{}
		server := httptest.NewUnstartedServer(requests)
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connections.Add(1)
			}
		}
		server.StartTLS()
		t.Cleanup(server.Close)
		err := call(t.Context(), clientOf(server.URL))
		wantError(t, err, plextv.ErrUnavailable)
		wantText(t, err, "certificate is not trusted")
		if n, m := len(requests.seen()), connections.Load(); n != 0 || m != 1 {
			t.Errorf("%d requests over %d connections", n, m)
		}
	})
}

func TestTheProxyOfTheEnvironmentIsUsed(t *testing.T) {
	client := plextv.New(plextv.Config{BaseURL: "http://plex.example", AccountToken: accountToken, Retry: quick})
	_, _ = client.Account(t.Context())
	for _, req := range proxy.seen() {
		if req.Host == "plex.example" {
			return
		}
	}
	t.Error("the proxy was not asked")
}

func closedPort(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	return listener.Addr().String()
}
