package plextv

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

const (
	smallAnswer = 1 << 20  // bytes: a token, an account
	listAnswer  = 16 << 20 // bytes: all that an account has
)

var errTooLarge = errors.New("the answer is too large")

// call is one thing to ask plex.tv.
type call struct {
	step    string // for errors, "look up the account"
	method  string
	path    []string // segments below the base URL
	query   url.Values
	header  map[string]string
	limit   int64     // bytes of the answer
	once    bool      // what it spends is gone when it arrives
	expires time.Time // when repeating has no use any more; zero is never
	gone    bool      // 404 is as good as success
	secrets []string  // never to be seen in what the server says
	refused error     // what a refusal of this call means
}

// do asks, and insists as far as is safe. It gives the body of a 2xx answer and
// the time at which that request began.
func (c *Client) do(ctx context.Context, what call) ([]byte, time.Time, error) {
	if c.base == nil {
		return nil, time.Time{}, &failure{step: what.step, kinds: []error{ErrInvalid},
			detail: "plextv_url is not of the form http(s)://host[:port]"}
	}
	a := &attempts{retry: c.retry, now: c.now, call: what}
	if ctx.Err() != nil {
		return nil, time.Time{}, a.failure(ctx, c.where(what))
	}
	target := c.base.JoinPath(what.path...)
	target.RawQuery = what.query.Encode()
	req, err := retryablehttp.NewRequestWithContext(a.trace(ctx), what.method, target.String(), nil)
	if err != nil { // its text holds the URL
		return nil, time.Time{}, &failure{step: what.step, kinds: []error{ErrInvalid}, detail: "the request cannot be made"}
	}
	req.Header.Set("User-Agent", c.agent.userAgent)
	for name, value := range what.header {
		req.Header.Set(name, value)
	}
	req.SetResponseHandler(a.readBody)

	loop := &retryablehttp.Client{
		HTTPClient:     c.http,
		Logger:         nil, // it would log URLs
		RetryMax:       c.retry.Attempts - 1,
		RequestLogHook: a.begin,
		CheckRetry:     a.check,
		Backoff:        a.backoff,
		ErrorHandler:   retryablehttp.PassthroughErrorHandler,
	}
	// What it returns is dropped: its errors name the URL, and the state has
	// all there is to know.
	resp, err := loop.Do(req)
	if resp != nil {
		_ = resp.Body.Close()
	}
	if err == nil && a.err == nil && a.succeeded() {
		return a.body, a.started, nil
	}
	return nil, time.Time{}, a.failure(ctx, c.where(what))
}

// where is the method and address of a call for an error: no query.
func (c *Client) where(what call) string {
	return what.method + " " + c.base.JoinPath(what.path...).String()
}

func (a *attempts) succeeded() bool {
	return a.status/100 == 2 || a.call.gone && a.status == http.StatusNotFound
}

// readBody is a retryablehttp.ResponseHandlerFunc.
func (a *attempts) readBody(resp *http.Response) error {
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, a.call.limit+1))
	switch {
	case resp.StatusCode/100 != 2: // the status says enough, whatever becomes of its explanation
		a.body = body
		return nil
	case err != nil:
		return err
	case int64(len(body)) > a.call.limit:
		return errTooLarge
	}
	a.body = body
	return nil
}

// forAccount makes a call with the account token, or says why that cannot work.
func (c *Client) forAccount(what call) (call, error) {
	token := c.token()
	bad := &failure{step: what.step, kinds: []error{ErrUnauthorized}}
	switch {
	case token == "":
		bad.kinds = []error{ErrNoAccountToken}
		return call{}, bad
	case strings.HasPrefix(token, claimPrefix):
		bad.detail = "account_token is a claim token, not the token of an account"
		return call{}, bad
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		bad.detail = "account_token holds characters that no token has"
		return call{}, bad
	}
	what.refused = ErrUnauthorized
	what.secrets = []string{token}
	what.header = map[string]string{
		"Accept":                   cmp.Or(what.header["Accept"], "application/json"),
		"X-Plex-Token":             token,
		"X-Plex-Client-Identifier": product,
		"X-Plex-Product":           c.agent.product,
	}
	if c.agent.version != "" {
		what.header["X-Plex-Version"] = c.agent.version
	}
	return what, nil
}
