package plextv

import (
	"context"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Grant binds a server to an account.
type Grant struct {
	Token    string `json:"-"` // becomes PlexOnlineToken; a credential of the whole account
	Username string // empty when plex.tv does not say
	Email    string // empty when plex.tv does not say
}

// Format keeps the token out of whatever prints it.
func (g Grant) Format(f fmt.State, _ rune) {
	withoutSecrets(f, fmt.Sprintf("plextv.Grant{Username:%q, Email:%q}", g.Username, g.Email))
}

var machineID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// serverHeaders describe the server that is claimed, as the container images do
// (plex-facts 2.3). The server replaces them when it next reports to plex.tv.
func serverHeaders(machineIdentifier string) map[string]string {
	return map[string]string{
		"Accept":                   "application/xml",
		"X-Plex-Client-Identifier": machineIdentifier,
		"X-Plex-Product":           "Plex Media Server",
		"X-Plex-Version":           "1.1",
		"X-Plex-Provides":          "server",
		"X-Plex-Platform":          "Linux",
		"X-Plex-Platform-Version":  "1.0",
		"X-Plex-Device-Name":       "PlexMediaServer",
		"X-Plex-Device":            "Linux",
	}
}

// Exchange turns a claim token into the token of one server, given by its
// ProcessedMachineIdentifier (plex-facts 2.3, 3.1). The server takes no part in
// it, and the account token is neither needed nor sent. A claim token does not
// survive it: it is repeated, with the same one, only where that cannot be used
// up yet, and no longer than a claim token lives.
//
// Errors: ErrClaimRejected, ErrRateLimited, ErrUnavailable, ErrUnexpected,
// ErrInvalid. The second and third of them leave the claim token usable unless
// ErrMaybeConsumed comes with them.
func (c *Client) Exchange(ctx context.Context, token, machineIdentifier string) (Grant, error) {
	token = strings.TrimSpace(token)
	what := call{
		step:    "exchange the claim token",
		method:  http.MethodPost,
		path:    []string{"api", "claim", "exchange"},
		query:   url.Values{"token": {token}},
		header:  serverHeaders(machineIdentifier),
		limit:   smallAnswer,
		once:    true,
		expires: c.now().Add(ClaimTokenLifetime),
		secrets: []string{token, strings.TrimPrefix(token, claimPrefix)},
		refused: ErrClaimRejected,
	}
	if !claimToken.MatchString(token) {
		return Grant{}, &failure{step: what.step, kinds: []error{ErrClaimRejected},
			detail: `it does not have the form "claim-…", so it was not sent`}
	}
	if !machineID.MatchString(machineIdentifier) {
		return Grant{}, &failure{step: what.step, kinds: []error{ErrInvalid},
			detail: "the server's machine identifier is empty or malformed"}
	}
	body, _, err := c.do(ctx, what)
	if err != nil {
		return Grant{}, err
	}
	return c.readGrant(what, body)
}

// readGrant reads the answer of an exchange that took place. Where it holds no
// grant the claim token is spent all the same.
func (c *Client) readGrant(what call, body []byte) (Grant, error) {
	var root element
	if xml.Unmarshal(body, &root) != nil {
		bad := c.unexpected(what, "the answer is not XML, or is cut off")
		bad.kinds = append(bad.kinds, ErrMaybeConsumed)
		return Grant{}, bad
	}
	token, found := root.find("authentication-token")
	_, refused := root.find("error")
	switch {
	case token == "" && (found || refused):
		// A refusal need not have a status of its own: the images look for an
		// empty token (plex-facts 2.3).
		return Grant{}, &failure{step: what.step, where: c.where(what), status: http.StatusOK, said: reason(body, what.secrets),
			detail: "the answer grants nothing", kinds: []error{ErrClaimRejected}}
	case token == "", strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		bad := c.unexpected(what, "the answer holds no token")
		bad.kinds = append(bad.kinds, ErrMaybeConsumed)
		return Grant{}, bad
	}
	username, _ := root.find("username")
	email, _ := root.find("email")
	return Grant{Token: token, Username: username, Email: email}, nil
}
