package binding

import (
	"context"
	"errors"
	"fmt"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Look says what the server is bound to, and how that compares with account
// (a user name or e-mail address; empty: whoever it is). known is what was last
// recorded; where the server does not name its account yet, and still has the
// same token, its names are taken from there. Look changes nothing.
func (b *Binder) Look(ctx context.Context, srv *server.Server, account string, known State) (Result, error) {
	found, err := srv.Inspect(ctx)
	if err != nil {
		return Result{}, err
	}
	r := Result{State: stateOf(found), Warnings: found.Warnings}
	if r.Status == Unclaimed {
		return r, nil
	}
	if r.Username+r.Email == "" && r.TokenFingerprint == known.TokenFingerprint {
		r.Username, r.Email = known.Username, known.Email
	}
	o := b.ownership(ctx)
	switch {
	case o.err == nil, errors.Is(o.err, plextv.ErrNoAccountToken):
	default:
		r.Warnings = append(r.Warnings, fmt.Sprintf(
			"plex.tv did not say which servers the account owns, so a token that it has revoked would not be noticed: %v", o.err))
	}
	r.State = judge(r.State, account, o)
	return r, nil
}

// judge tells bound from bound elsewhere, revoked and unknown. Only the account
// that plex.tv was asked for can be told to own a server or not.
func judge(s State, account string, o ownership) State {
	named := s.Username+s.Email != ""
	asked := o.err == nil
	switch {
	case !named && asked && o.servers.Has(s.ID):
		s.Username, s.Email = o.account.Username, o.account.Email
	case !named && account != "":
		s.Status = Unknown
		return s
	case named && asked && isAccount(s, o.account) && !o.servers.Has(s.ID):
		s.Status = Revoked
		return s
	}
	if account != "" && !s.Is(account) {
		s.Status = BoundElsewhere
	}
	return s
}

// isAccount tells whether the server names a as its account.
func isAccount(s State, a plextv.Account) bool {
	return s.Username != "" && a.Is(s.Username) || s.Email != "" && a.Is(s.Email)
}
