package binding

import (
	"context"
	"errors"
	"fmt"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Wanted is the binding that is asked for.
type Wanted struct {
	ID         string // machine identifier of the server that is meant; empty: whichever is there
	Account    string // user name or e-mail address that must own the server; empty: whoever
	ClaimToken string // got elsewhere; empty: one is minted with the account token
	Force      bool   // take the server over from another account
}

// Conditions that callers act on; match them with errors.Is.
var (
	ErrBoundElsewhere = errors.New("the server is bound to another account")
	ErrUnknownAccount = errors.New("the server is bound, and nothing says to whom")
	ErrNoClaimToken   = errors.New("there is nothing to claim the server with")
	ErrWrongAccount   = errors.New("this would bind the server to another account than the one that is wanted")
	ErrChanged        = errors.New("the binding was changed by somebody else in the meantime")
	ErrUnverified     = errors.New("the server was bound, but not seen to be as meant")
	ErrOtherServer    = errors.New("this is another server than the one that is meant")
)

// Bind makes the server bound as wanted. One that already is, is adopted: it is
// not restarted, and no claim token is spent.
func (b *Binder) Bind(ctx context.Context, srv *server.Server, wanted Wanted) (Result, error) {
	seen, err := b.find(ctx, srv, wanted)
	if err != nil {
		return Result{}, err
	}
	if seen.Status == Bound {
		b.hold(seen.State)
		return seen, nil
	}
	if !wanted.Force {
		if err := mayTake(seen.State, wanted); err != nil {
			return seen, refused(srv, err)
		}
	}
	return b.take(ctx, srv, seen, wanted)
}

// find looks at the server, and refuses another one than the one that is meant.
func (b *Binder) find(ctx context.Context, srv *server.Server, wanted Wanted) (Result, error) {
	seen, err := b.Look(ctx, srv, wanted.Account, State{})
	if err == nil && wanted.ID != "" && seen.ID != wanted.ID {
		err = refused(srv, fmt.Errorf("%w: it is %s, not %s", ErrOtherServer, seen.ID, wanted.ID))
	}
	return seen, err
}

// mayTake refuses to take a server over from another account. A revoked binding
// of the account that is wanted is nobody else's.
func mayTake(s State, wanted Wanted) error {
	switch s.Status {
	case BoundElsewhere:
		return fmt.Errorf("%w: %s", ErrBoundElsewhere, s.Account())
	case Unknown:
		return ErrUnknownAccount
	case Revoked:
		if wanted.Account != "" && !s.Is(wanted.Account) {
			return fmt.Errorf("%w: %s, whose token plex.tv has revoked", ErrBoundElsewhere, s.Account())
		}
	case Unclaimed, Bound:
	}
	return nil
}

// Rebind binds the server anew: a new token, in one stop and one start, so that
// at no moment it runs unclaimed. An unclaimed server is claimed. rotate says
// that a server which is bound as wanted gets a new token too; without it such
// a server is left alone.
func (b *Binder) Rebind(ctx context.Context, srv *server.Server, wanted Wanted, rotate bool) (Result, error) {
	seen, err := b.find(ctx, srv, wanted)
	if err != nil {
		return Result{}, err
	}
	if seen.Status == Bound && !rotate {
		b.hold(seen.State)
		return seen, nil
	}
	return b.take(ctx, srv, seen, wanted)
}

// take binds the server, whoever has it now.
func (b *Binder) take(ctx context.Context, srv *server.Server, seen Result, wanted Wanted) (Result, error) {
	if err := b.mayClaim(ctx, wanted); err != nil {
		return seen, refused(srv, err)
	}
	if seen.Status == Unclaimed && seen.Running && claimableOnline(wanted) {
		done, err := b.claimOnline(ctx, srv, seen, wanted)
		if err == nil || !errors.Is(err, errNotOnline) {
			return done, err
		}
	}
	return b.claimOffline(ctx, srv, seen, wanted)
}

// mayClaim sees that there is something to claim with, and that it belongs to
// the account that is wanted, before a claim token is spent.
func (b *Binder) mayClaim(ctx context.Context, wanted Wanted) error {
	if wanted.ClaimToken != "" {
		return nil // whose it is, only the exchange tells
	}
	account, err := b.tv.Account(ctx)
	if errors.Is(err, plextv.ErrNoAccountToken) {
		return ErrNoClaimToken
	}
	if err != nil {
		return err
	}
	if wanted.Account != "" && !account.Is(wanted.Account) {
		return fmt.Errorf("%w: account is %q, and account_token belongs to %s", ErrWrongAccount, wanted.Account, nameOf(account))
	}
	return nil
}

// refused is the error of a binding that was not begun.
func refused(srv *server.Server, err error) error {
	return &server.Error{
		Doing: "Binding the server", Host: srv.Host(), Err: err,
		State: "Nothing was stopped and nothing was changed.", Next: ways(err),
	}
}

// ways out of an error, for the person who has to act.
func ways(err error) string {
	for _, w := range []struct {
		err error
		way string
	}{
		{ErrBoundElsewhere, "Set force_rebind = true to take it over, or account to the one that it is bound to."},
		{ErrUnknownAccount, "Set account_token on the provider, so that plex.tv can be asked, or force_rebind = true."},
		{ErrNoClaimToken, "Set account_token on the provider (or PLEX_TOKEN), or claim_token_wo on the resource."},
		{ErrWrongAccount, "Use a token of that account, or change account."},
		{ErrOtherServer, "Correct how the server is reached, or run plan again: it shows whether the resource has to be replaced."},
		{ErrChanged, "Run plan again and look at who has it now."},
	} {
		if errors.Is(err, w.err) {
			return w.way
		}
	}
	return ""
}
