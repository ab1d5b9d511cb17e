// Package pms is a client of the media server's own HTTP API, as seen from the
// host that it runs on: who it is, whether it is claimed, and claiming it. It
// knows nothing of Terraform, of preferences, or of how the host is reached.
//
// No error of this package holds a claim token, a query, or bytes of the answer
// to a request that carried one.
package pms

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	// identityTimeout leaves room for a machine that is busy booting.
	identityTimeout = 10 * time.Second
	// claimTimeout: the server asks plex.tv before it answers; "this request
	// may take a while" (plex-facts 2.4).
	claimTimeout = 60 * time.Second
	// answerLimit is more than any answer of these calls, in bytes.
	answerLimit = 1 << 20
)

// Dialer connects to an address as seen from the server's host, for example
// through SSH.
//
// It ends when ctx does. An error that means that nothing listens there matches
// syscall.ECONNREFUSED with errors.Is, and one that means that the host lets no
// connection through matches ErrNoRoute. Errors are shown to people: they name
// the host, and hold no secret.
type Dialer func(ctx context.Context, network, address string) (net.Conn, error)

// Client asks one media server. It is safe for concurrent use. Every request has
// a connection of its own, since the server is restarted between them.
type Client struct {
	base *url.URL
	http *http.Client
}

// New makes a client for a server at http(s)://host[:port], and does no I/O.
// Anything more in the URL, and a nil dialer, are errors; they do not quote it,
// as it may hold a password.
//
// Where dial says ErrNoRoute, requests go through relay, if there is one; its
// errors are as the dialer's.
func New(baseURL string, dial Dialer, relay http.RoundTripper) (*Client, error) {
	base, err := parseBase(baseURL)
	if err != nil {
		return nil, err
	}
	if dial == nil {
		return nil, errors.New("no way to reach the server's host is given")
	}
	return &Client{base: base, http: &http.Client{
		Transport: &route{direct: newTransport(base, dial), relay: relay},
		// A redirect could carry the claim token to another server.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func newTransport(base *url.URL, dial Dialer) *http.Transport {
	return &http.Transport{
		// A proxy that is meant for this machine's traffic must not see, or be
		// asked for, the loopback address of another.
		Proxy: nil,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			if err != nil {
				return nil, &dialError{err}
			}
			return conn, nil
		},
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: 64 << 10,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12,
			// The server's certificate is for *.plex.direct or its own, and is
			// never good for a loopback address. Nobody is in between: the
			// connection is made on the server's own host.
			InsecureSkipVerify: isLoopback(base.Hostname()), //nolint:gosec // G402: see above
		},
	}
}

func parseBase(raw string) (*url.URL, error) {
	bad := func(why string) (*url.URL, error) {
		return nil, fmt.Errorf("the server's url must have the form http(s)://host[:port]: %s", why)
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return bad("it cannot be parsed")
	case u.Scheme != "http" && u.Scheme != "https":
		return bad("it does not begin with http:// or https://")
	case u.Hostname() == "":
		return bad("it names no host")
	case u.User != nil:
		return bad("it holds a user name")
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return bad("it goes on after the host and port")
	}
	if _, port, found := strings.Cut(strings.TrimPrefix(u.Host, "["+u.Hostname()+"]"), ":"); found {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return bad("its port is not a number from 1 to 65535")
		}
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
