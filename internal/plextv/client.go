// Package plextv is a client of the plex.tv API: it mints and exchanges claim
// tokens, and says who an account is and which servers it owns. It knows
// nothing of Terraform, of preferences, or of hosts.
//
// Every error matches one of the sentinels of this package with [errors.Is],
// names the step, the address without its query and the HTTP status, and never
// holds a token: not the account's, not a claim token, not a granted one.
package plextv

import (
	"cmp"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	defaultBaseURL = "https://plex.tv"
	product        = "terraform-provider-plex"
)

// Config says how plex.tv is reached and as whom. The zero value reaches the
// real one, without an account.
type Config struct {
	// BaseURL is http(s)://host[:port][/path], by default https://plex.tv.
	BaseURL string
	// AccountToken is the X-Plex-Token of an account (plex-facts 2.1). All
	// methods but Exchange need it. White space around it is dropped.
	AccountToken string `json:"-"`
	// UserAgent, Product and Version are what plex.tv is told about the
	// caller; by default the provider's name, without a version.
	UserAgent, Product, Version string
	// Retry says how long to insist. Zero fields have defaults.
	Retry Retry
	// Transport replaces the network.
	Transport http.RoundTripper
	// Now replaces the clock that claim tokens are timed with.
	Now func() time.Time
}

// Client asks plex.tv. It is safe for concurrent use, and holds no
// state between requests but idle connections.
type Client struct {
	base *url.URL // nil when Config.BaseURL is not an address
	http *http.Client
	// token is a function so that no formatting verb, at whatever depth of
	// whatever struct, can print the account token.
	token func() string
	agent agent
	retry Retry
	now   func() time.Time
}

// agent is what plex.tv is told about the caller.
type agent struct{ userAgent, product, version string }

// New makes a client. It does no I/O; a base URL that is no address is an error
// of every method (ErrInvalid).
func New(cfg Config) *Client {
	token := strings.TrimSpace(cfg.AccountToken)
	c := &Client{
		base:  parseBase(cmp.Or(cfg.BaseURL, defaultBaseURL)),
		token: func() string { return token },
		agent: agent{
			product: cmp.Or(cfg.Product, product),
			version: cfg.Version,
		},
		retry: cfg.Retry.withDefaults(),
		now:   cfg.Now,
	}
	c.agent.userAgent = cmp.Or(cfg.UserAgent, strings.TrimSuffix(c.agent.product+"/"+c.agent.version, "/"))
	if c.now == nil {
		c.now = time.Now
	}
	transport := cfg.Transport
	if transport == nil {
		transport = newTransport()
	}
	c.http = &http.Client{
		Transport: transport,
		Timeout:   c.retry.Timeout,
		// A redirect would carry the token in the query, or in a header of
		// our own that net/http does not know to drop, to wherever it points.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		IdleConnTimeout:        30 * time.Second,
		ForceAttemptHTTP2:      true,
	}
}

// parseBase gives nil for what is not http(s)://host[:port][/path]. The text
// itself is dropped: an address that somebody mistyped may hold a password.
func parseBase(raw string) *url.URL {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	return u
}
