package pms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// maintenance is on the page that a server shows while it starts (plex-facts 2.4).
var maintenance = []byte("running startup maintenance tasks")

// call is one thing to ask the server.
type call struct {
	method  string
	path    string
	query   url.Values
	timeout time.Duration // of the request with its answer
}

// do gives the status and body of an answer that is complete, and not one of a
// server that is starting.
func (c *Client) do(ctx context.Context, what call) (status int, body []byte, err error) {
	limited, cancel := context.WithTimeout(ctx, what.timeout)
	defer cancel()
	target := *c.base
	target.Path, target.RawQuery = what.path, what.query.Encode()
	req, err := http.NewRequestWithContext(limited, what.method, target.String(), http.NoBody)
	if err != nil { // its text holds the URL
		return 0, nil, c.failed(what, errors.New("the request cannot be made"))
	}
	req.Header.Set("Accept", "application/xml")
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, nil, c.failed(what, transportError(ctx, err))
	}
	defer func() { _ = resp.Body.Close() }()

	body, err = io.ReadAll(io.LimitReader(resp.Body, answerLimit+1))
	starting := resp.StatusCode == http.StatusServiceUnavailable || bytes.Contains(bytes.ToLower(body), maintenance)
	switch {
	case starting:
		return 0, nil, c.failed(what, ErrStarting)
	case resp.StatusCode/100 != 2: // the status says enough
		return resp.StatusCode, nil, nil
	case err != nil && limited.Err() != nil:
		return 0, nil, c.failed(what, transportError(ctx, limited.Err()))
	case err != nil:
		return 0, nil, c.failed(what, fmt.Errorf("%w: it is cut off", ErrUnexpected))
	case len(body) > answerLimit:
		return 0, nil, c.failed(what, fmt.Errorf("%w: it is larger than %d bytes", ErrUnexpected, answerLimit))
	}
	return resp.StatusCode, body, nil
}

// failed says what was asked, and where; never with the query.
func (c *Client) failed(what call, err error) error {
	return fmt.Errorf("%s %s%s: %w", what.method, c.base, what.path, err)
}

func unexpectedStatus(status int) error {
	if status/100 == 3 {
		return fmt.Errorf("%w: HTTP %d, a redirect, which is not followed", ErrUnexpected, status)
	}
	return fmt.Errorf("%w: HTTP %d %s", ErrUnexpected, status, http.StatusText(status))
}
