package pms

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// claimToken is the form of one; its length is not documented (plex-facts 2.2).
var claimToken = regexp.MustCompile(`^claim-[A-Za-z0-9_-]{1,256}$`)

// Claim has the running server exchange a claim token, which binds it to the
// token's account without a restart (plex-facts 2.4). It works only from the
// server's own host or subnet, on a server that is not claimed, and takes at
// most 60 s. It is never repeated. A nil error is what the server says; Identity
// tells whether it is so.
//
// Errors: ErrRefused, ErrStarting, ErrNoRoute, ErrClaimRefused, ErrUnreachable,
// ErrUnexpected. ErrRefused and ErrNoRoute leave the claim token usable; the
// last two may come of a claim that took place.
func (c *Client) Claim(ctx context.Context, token string) error {
	token = strings.TrimSpace(token)
	what := call{
		method:  http.MethodPost,
		path:    "/myplex/claim",
		query:   url.Values{"token": {token}},
		timeout: claimTimeout,
	}
	if !claimToken.MatchString(token) {
		// It may be the token of an account, which the server must not get.
		return c.failed(what, fmt.Errorf(`%w: it does not have the form "claim-…", so it was not sent`, ErrClaimRefused))
	}
	status, _, err := c.do(ctx, what)
	switch {
	case err != nil:
		return err
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return c.failed(what, fmt.Errorf("%w: HTTP %d", ErrClaimRefused, status))
	case status/100 != 2:
		return c.failed(what, unexpectedStatus(status))
	}
	return nil
}
