package plextv

import (
	"context"
	"net/http"
	"strings"
)

// Account is who an account token belongs to.
type Account struct {
	Username string // empty when the account has none
	Email    string // empty when plex.tv does not say
}

// Is reports that name is the account's user name or e-mail address, in any
// case. An empty name is nobody.
func (a Account) Is(name string) bool {
	name = strings.TrimSpace(name)
	return name != "" && (strings.EqualFold(name, a.Username) || strings.EqualFold(name, a.Email))
}

// Account asks who the account token belongs to (plex-facts 2.1).
//
// Errors: as MintClaimToken.
func (c *Client) Account(ctx context.Context) (Account, error) {
	what, err := c.forAccount(call{
		step:   "look up the account",
		method: http.MethodGet,
		path:   []string{"api", "v2", "user"},
		limit:  smallAnswer,
	})
	if err != nil {
		return Account{}, err
	}
	body, _, err := c.do(ctx, what)
	if err != nil {
		return Account{}, err
	}
	var answer struct {
		Username string `json:"username"`
		Email    string `json:"email"`
	}
	if err := c.readJSON(what, body, '{', &answer); err != nil {
		return Account{}, err
	}
	if answer.Username == "" && answer.Email == "" {
		return Account{}, c.unexpected(what, "the answer names no account")
	}
	return Account{Username: answer.Username, Email: answer.Email}, nil
}
