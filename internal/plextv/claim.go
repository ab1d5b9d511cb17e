package plextv

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"time"
)

const (
	claimPrefix = "claim-"
	// ClaimTokenLifetime is how long a claim token can be used. The API does
	// not say; clients agree on four minutes (plex-facts 2.2).
	ClaimTokenLifetime = 4 * time.Minute
)

// claimToken is the form of one. Its length is not documented.
var claimToken = regexp.MustCompile(`^claim-[A-Za-z0-9_-]{1,256}$`)

// ClaimToken lets one server be bound to the account that minted it, once.
type ClaimToken struct {
	Token     string `json:"-"` // "claim-" and about 20 characters
	ExpiresAt time.Time
}

// Format keeps the token out of whatever prints it.
func (t ClaimToken) Format(f fmt.State, _ rune) {
	withoutSecrets(f, fmt.Sprintf("plextv.ClaimToken{ExpiresAt:%s}", t.ExpiresAt.Format(time.RFC3339)))
}

// MintClaimToken makes a claim token for the account (plex-facts 2.2). Its life
// is counted from before the request, so that it never seems longer than it is.
//
// Errors: ErrNoAccountToken, ErrUnauthorized, ErrRateLimited, ErrUnavailable,
// ErrUnexpected, ErrInvalid.
func (c *Client) MintClaimToken(ctx context.Context) (ClaimToken, error) {
	what, err := c.forAccount(call{
		step:   "mint a claim token",
		method: http.MethodGet,
		path:   []string{"api", "claim", "token.json"},
		limit:  smallAnswer,
	})
	if err != nil {
		return ClaimToken{}, err
	}
	body, asked, err := c.do(ctx, what)
	if err != nil {
		return ClaimToken{}, err
	}
	var answer struct {
		Token string `json:"token"`
	}
	if err := c.readJSON(what, body, '{', &answer); err != nil {
		return ClaimToken{}, err
	}
	if !claimToken.MatchString(answer.Token) {
		bad := c.unexpected(what, "the answer holds no claim token")
		bad.status, bad.said = http.StatusOK, reason(body, what.secrets)
		return ClaimToken{}, bad
	}
	return ClaimToken{Token: answer.Token, ExpiresAt: asked.Add(ClaimTokenLifetime)}, nil
}
