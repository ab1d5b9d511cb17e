package pms_test

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/pms"
)

func TestNewTakesASchemeAHostAndAPort(t *testing.T) {
	for _, url := range []string{
		"http://127.0.0.1:32400", "https://127.0.0.1:32400/", "http://localhost", "HTTP://nas.lan:1", "http://[::1]:32400", "https://[fe80::1]",
	} {
		if _, err := pms.New(url, direct, nil); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestNewTakesNothingElseAndDoesNotQuoteIt(t *testing.T) {
	for _, url := range []string{
		"", "127.0.0.1:32400", "localhost:32400", "nas.lan", "ftp://nas.lan", "http://", "http://:32400", "http:nas.lan", "/S3cret",
		"http://me:S3cret@nas.lan:32400", "http://S3cret@nas.lan", "http://nas.lan/S3cret", "http://nas.lan?S3cret", "http://nas.lan?",
		"http://nas.lan/#S3cret", "http://nas.lan:", "http://nas.lan:0", "http://nas.lan:65536", "http://nas.lan:S3cret", "http://na s.lan/S3cret",
		"http://[::1]:99999", "http://[::1",
	} {
		client, err := pms.New(url, direct, nil)
		if err == nil || client != nil {
			t.Errorf("%q is taken", url)
			continue
		}
		wantNoSecret(t, err)
		wantText(t, err, "http(s)://host[:port]: it")
	}
}

func TestNewWantsAWayToReachTheHost(t *testing.T) {
	if _, err := pms.New("http://127.0.0.1:32400", nil, nil); err == nil {
		t.Error("a client without a dialer would look at the wrong machine")
	}
}

func TestTheDialerIsGivenTheServersAddressAndNoProxys(t *testing.T) {
	for url, want := range map[string]string{
		"http://nas.lan:32400": "nas.lan:32400", "http://nas.lan": "nas.lan:80", "https://nas.lan": "nas.lan:443", "http://[::1]:32400": "[::1]:32400",
	} {
		var dialled string
		client := clientOf(t, url, func(_ context.Context, network, address string) (net.Conn, error) {
			dialled = network + " " + address
			return nil, io.ErrClosedPipe
		})
		_, err := client.Identity(t.Context())
		wantError(t, err, pms.ErrUnreachable)
		if dialled != "tcp "+want {
			t.Errorf("%s: dialled %s", url, dialled)
		}
	}
}

func TestEveryRequestHasAConnectionOfItsOwn(t *testing.T) {
	listening := httptest.NewServer(say(200, identity("")))
	t.Cleanup(listening.Close)
	var dialled atomic.Int32
	client := clientOf(t, listening.URL, func(ctx context.Context, network, address string) (net.Conn, error) {
		dialled.Add(1)
		return direct(ctx, network, address)
	})
	for range 3 {
		if _, err := client.Identity(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := dialled.Load(); n != 3 {
		t.Errorf("%d connections, want 3: one kept from before a restart is dead", n)
	}
}

func TestCertificatesAreCheckedExceptOnLoopback(t *testing.T) {
	requests := &recorder{answers: []http.HandlerFunc{say(200, identity(""))}}
	listening := httptest.NewUnstartedServer(requests)
	listening.Config.ErrorLog = log.New(io.Discard, "", 0)
	listening.StartTLS()
	t.Cleanup(listening.Close)
	dial := to(listening.Listener.Addr().String())
	for _, url := range []string{"https://127.0.0.1:32400", "https://127.9.9.9:32400", "https://localhost", "https://LocalHost", "https://[::1]:32400", "https://[::ffff:127.0.0.1]"} {
		if _, err := clientOf(t, url, dial).Identity(t.Context()); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	before := len(requests.seen())
	for _, url := range []string{"https://10.0.0.2:32400", "https://nas.lan", "https://localhost.example", "https://127.0.0.1.example", "https://[fe80::1]"} {
		client := clientOf(t, url, dial)
		_, err := client.Identity(t.Context())
		wantError(t, err, pms.ErrUnreachable)
		wantText(t, err, "certificate is not trusted")
		wantError(t, client.Claim(t.Context(), claimToken), pms.ErrUnreachable)
	}
	if n := len(requests.seen()); n != before {
		t.Errorf("%d requests were sent all the same", n-before)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		other := &recorder{answers: []http.HandlerFunc{say(200, identity(""))}}
		elsewhere := httptest.NewServer(other)
		t.Cleanup(elsewhere.Close)
		client, requests := server(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+r.URL.String(), status)
		})
		_, err := client.Identity(t.Context())
		wantError(t, err, pms.ErrUnexpected)
		err = client.Claim(t.Context(), claimToken)
		wantError(t, err, pms.ErrUnexpected)
		wantText(t, err, "redirect")
		if n := len(other.seen()); n != 0 {
			t.Errorf("%d: the other host was asked %d times", status, n)
		}
		if got := requests.seen()[1].URL.Query().Get("token"); got != claimToken {
			t.Errorf("the first host got %q, so that nothing is shown", got)
		}
	}
}

func TestAnAnswerWithTooMuchHeaderIsNotRead(t *testing.T) {
	answer := func(size int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Much", strings.Repeat("x", size))
			say(200, identity(""))(w, r)
		}
	}
	client, _ := server(t, answer(63<<10))
	if _, err := client.Identity(t.Context()); err != nil {
		t.Errorf("63 KiB: %v", err)
	}
	client, _ = server(t, answer(64<<10))
	_, err := client.Identity(t.Context())
	wantError(t, err, pms.ErrUnreachable)
}

func TestAURLWithTLSForAServerWithoutItIsExplained(t *testing.T) {
	listening := httptest.NewServer(say(200, identity("")))
	t.Cleanup(listening.Close)
	_, err := clientOf(t, strings.Replace(listening.URL, "http", "https", 1), direct).Identity(t.Context())
	wantError(t, err, pms.ErrUnreachable)
	wantText(t, err, "does not speak TLS", "http://")

	_, err = clientOf(t, "https://127.0.0.1:22", func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			_, _ = there.Read(make([]byte, 1<<16))
			_, _ = io.WriteString(there, "SSH-2.0-S3cret\r\n")
		}()
		return here, nil
	}).Identity(t.Context())
	wantError(t, err, pms.ErrUnreachable)
	wantText(t, err, "does not speak TLS")
}
