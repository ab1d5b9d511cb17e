package pms_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/pms"
)

const (
	claimToken = "claim-ClmS3cret-Token_77Q"
	machine    = "0123456789abcdef0123456789abcdef01234567"
)

// TestMain names a proxy before anything reads the environment, which net/http
// does once: whatever went there would fail.
func TestMain(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY"} {
		_ = os.Setenv(name, "http://127.0.0.1:1")
	}
	os.Exit(m.Run())
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
	answer := r.answers[min(len(r.requests), len(r.answers))-1]
	r.mu.Unlock()
	answer(w, req)
}

func (r *recorder) seen() []*http.Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*http.Request(nil), r.requests...)
}

// server is a media server that gives these answers in turn, and a client of it.
func server(t *testing.T, answers ...http.HandlerFunc) (*pms.Client, *recorder) {
	t.Helper()
	requests := &recorder{answers: answers}
	listening := httptest.NewServer(requests)
	t.Cleanup(listening.Close)
	return clientOf(t, listening.URL, direct), requests
}

func direct(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

// to is a dialer that ends up at one address, whichever is asked for.
func to(address string) pms.Dialer {
	return func(ctx context.Context, network, _ string) (net.Conn, error) { return direct(ctx, network, address) }
}

func fails(err error) pms.Dialer {
	return func(context.Context, string, string) (net.Conn, error) { return nil, err }
}

func clientOf(t *testing.T, url string, dial pms.Dialer) *pms.Client {
	t.Helper()
	client, err := pms.New(url, dial, nil)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func say(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
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

func identity(claimed string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<MediaContainer size="0" apiVersion="1.1.1" ` + claimed + ` machineIdentifier="` + machine + `" version="1.43.3.10861-abc"></MediaContainer>`
}

// wantError checks an error against all sentinels: exactly these match, and no
// secret is to be found in it, however it is printed or taken apart.
func wantError(t *testing.T, err error, want ...error) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %v", want)
	}
	for _, sentinel := range []error{
		pms.ErrRefused, pms.ErrStarting, pms.ErrClaimRefused, pms.ErrUnreachable, pms.ErrUnexpected, pms.ErrNotAccepted,
		context.Canceled, context.DeadlineExceeded,
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
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		text := strings.ToLower(fmt.Sprintf(verb, err))
		for _, secret := range []string{"s3cret", "token="} {
			if strings.Contains(text, secret) {
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
