package plextv_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
)

// Each secret is one that real plex.tv could have given.
const (
	accountToken = "AcctS3cretTokenZ_9xy"
	claimToken   = "claim-ClmS3cret-Token_77Q"
	grantedToken = "GrntS3cretToken-8kLm"
	machine      = "0123456789abcdef0123456789abcdef01234567"
)

var proxy = &recorder{}

// TestMain names a proxy before anything reads the environment, which net/http
// does once. It is not used for loopback addresses, so only for made-up ones.
func TestMain(m *testing.M) {
	server := httptest.NewServer(proxy)
	_ = os.Setenv("HTTP_PROXY", server.URL)
	code := m.Run()
	server.Close()
	os.Exit(code)
}

// recorder answers with a script, and keeps the requests.
type recorder struct {
	mu       sync.Mutex
	requests []*http.Request
	answers  []http.HandlerFunc // in turn; the last one stays
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	r.requests = append(r.requests, req)
	answer := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	if len(r.answers) > 0 {
		answer = r.answers[min(len(r.requests), len(r.answers))-1]
	}
	r.mu.Unlock()
	answer(w, req)
}

func (r *recorder) seen() []*http.Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*http.Request(nil), r.requests...)
}

// quick retries at once, and never waits for long.
var quick = plextv.Retry{Attempts: 4, WaitMin: time.Microsecond, WaitMax: time.Millisecond, Timeout: 5 * time.Second}

// plexTV is a plex.tv that gives these answers in turn, and a client of it.
func plexTV(t *testing.T, answers ...http.HandlerFunc) (*plextv.Client, *recorder) {
	t.Helper()
	requests := &recorder{answers: answers}
	server := httptest.NewServer(requests)
	t.Cleanup(server.Close)
	return clientOf(server.URL), requests
}

func clientOf(url string) *plextv.Client {
	return plextv.New(plextv.Config{BaseURL: url, AccountToken: accountToken, Version: "1.2.3", Retry: quick})
}

func say(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// cutOff announces more than it sends.
func cutOff(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)+100))
		_, _ = io.WriteString(w, body)
	}
}

// hangUp takes the request and closes the connection.
func hangUp(_ http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }

const (
	granted = `<?xml version="1.0" encoding="UTF-8"?>
<user><subscription><username>not this one</username></subscription><username>den</username>
<email>me@example.com</email><authentication-token> ` + grantedToken + ` </authentication-token></user>`
	whoAmI = `{"id":1,"username":"den","email":"me@example.com","authToken":"` + grantedToken + `"}`
	minted = `{"token":"` + claimToken + `"}`
)

// wantError checks an error against all sentinels: exactly these match, and no
// secret is to be found in it, however it is printed or taken apart.
func wantError(t *testing.T, err error, want ...error) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %v", want)
	}
	for _, sentinel := range []error{
		plextv.ErrNoAccountToken, plextv.ErrUnauthorized, plextv.ErrClaimRejected, plextv.ErrRateLimited,
		plextv.ErrUnavailable, plextv.ErrUnexpected, plextv.ErrMaybeConsumed, plextv.ErrInvalid,
	} {
		wanted := slices.Contains(want, sentinel)
		if got := errors.Is(err, sentinel); got != wanted {
			t.Errorf("errors.Is(%q) = %v, want %v, of: %v", sentinel, got, wanted, err)
		}
	}
	wantNoSecret(t, err)
}

func wantNoSecret(t *testing.T, err error) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		text := strings.ToLower(fmt.Sprintf(verb, err))
		for _, secret := range []string{accountToken, claimToken, grantedToken, "S3cret", "?token", "token=", "includeHttps"} {
			if strings.Contains(text, strings.ToLower(secret)) {
				t.Errorf("%s of the error holds %q: %s", verb, secret, text)
			}
		}
	}
	switch inner := err.(type) {
	case interface{ Unwrap() error }:
		if next := inner.Unwrap(); next != nil {
			wantNoSecret(t, next)
		}
	case interface{ Unwrap() []error }:
		for _, next := range inner.Unwrap() {
			wantNoSecret(t, next)
		}
	}
}

func wantText(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}
}
