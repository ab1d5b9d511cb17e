package binding

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
	"github.com/homelab-iac/terraform-provider-plex/internal/pms"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// errNotOnline: the server did not take the claim token through its own API.
var errNotOnline = errors.New("the server does not let itself be claimed through its own API")

// claimableOnline tells whether the server's own API may be used. It spends the
// claim token and binds at once, so it must be certain beforehand whose the
// token is, or not matter.
func claimableOnline(wanted Wanted) bool {
	return wanted.ClaimToken == "" || wanted.Account == ""
}

// claimOnline claims a running, unclaimed server through its loopback API. It
// exchanges the claim token itself and needs no restart (plex-facts section
// 2.4). Its error wraps errNotOnline when the server is still unclaimed.
func (b *Binder) claimOnline(ctx context.Context, srv *server.Server, seen Result, wanted Wanted) (Result, error) {
	token := wanted.ClaimToken
	if token == "" {
		minted, err := b.tv.MintClaimToken(ctx)
		if err != nil {
			return seen, refused(srv, err)
		}
		token = minted.Token
	}
	claimErr := srv.API().Claim(ctx, token)
	if errors.Is(claimErr, pms.ErrClaimRefused) || errors.Is(claimErr, pms.ErrNoRoute) {
		return seen, fmt.Errorf("%w: %w", errNotOnline, claimErr)
	}
	// The answer may have been lost and the claim done, so the server is looked
	// at in any case.
	limit := b.patience.claim
	if claimErr != nil {
		limit = b.patience.lostClaim
	}
	after, err := b.poll(ctx, srv, limit, func(s State) bool { return s.Status != Unclaimed })
	if err != nil || after.Status == Unclaimed {
		return seen, fmt.Errorf("%w: %w", errNotOnline, errors.Join(claimErr, err))
	}
	return b.settle(ctx, srv, Result{State: after, Changed: true, Warnings: seen.Warnings}, wanted, plextv.Grant{})
}

// claimOffline exchanges a claim token and writes what it gives into the
// preferences, in one edit. The exchange comes after everything else that can
// fail, and before anything is stopped.
func (b *Binder) claimOffline(ctx context.Context, srv *server.Server, seen Result, wanted Wanted) (Result, error) {
	var grant plextv.Grant
	report, err := srv.Edit(ctx, func(d prefs.Document) error {
		if documentFingerprint(d) != seen.TokenFingerprint {
			return ErrChanged
		}
		if grant.Token == "" {
			g, err := b.exchange(ctx, seen.ID, wanted)
			if err != nil {
				return err
			}
			grant = g
		}
		if err := d.Delete(prefs.BindingKeys()...); err != nil {
			return err
		}
		return d.Set(prefs.KeyToken, grant.Token)
	})
	if errors.Is(err, ErrChanged) && seen.Status == Unclaimed {
		// A server whose disk takes nothing keeps a claim in memory, and brings it
		// with the last write of a later stop: here. Then it is what was wanted.
		if own, failed := b.find(ctx, srv, wanted); failed == nil && own.Status == Bound {
			own.Changed, own.Warnings = true, append(own.Warnings, "The server had been claimed before, and had not written that down until it was stopped.")
			b.hold(own.State)
			return own, nil
		}
	}
	if err != nil {
		return seen, explain(err)
	}
	done := Result{State: stateOf(report.Inspection), Changed: true}
	done.LastBackup = report.Backup
	done.Warnings = slices.Concat(seen.Warnings, report.Warnings)
	return b.settle(ctx, srv, done, wanted, grant)
}

// explain adds the ways out to an error of the edit.
func explain(err error) error {
	var e *server.Error
	if errors.As(err, &e) && e.Next == "" {
		e.Next = ways(e.Err)
	}
	return err
}

// exchange gives the server's new token. A minted claim token that may be used
// up is replaced by another, once; one that was given is all there is.
func (b *Binder) exchange(ctx context.Context, id string, wanted Wanted) (plextv.Grant, error) {
	grant, err := b.exchangeOnce(ctx, id, wanted)
	if wanted.ClaimToken == "" && (errors.Is(err, plextv.ErrMaybeConsumed) || errors.Is(err, plextv.ErrClaimRejected)) {
		grant, err = b.exchangeOnce(ctx, id, wanted)
	}
	if err != nil {
		return plextv.Grant{}, err
	}
	owner := plextv.Account{Username: grant.Username, Email: grant.Email}
	if wanted.Account != "" && owner != (plextv.Account{}) && !owner.Is(wanted.Account) {
		return plextv.Grant{}, fmt.Errorf("%w: account is %q, and the claim token belongs to %s", ErrWrongAccount, wanted.Account, nameOf(owner))
	}
	return grant, nil
}

func (b *Binder) exchangeOnce(ctx context.Context, id string, wanted Wanted) (plextv.Grant, error) {
	token := wanted.ClaimToken
	if token == "" {
		minted, err := b.tv.MintClaimToken(ctx)
		if err != nil {
			return plextv.Grant{}, err
		}
		token = minted.Token
	}
	return b.tv.Exchange(ctx, token, id)
}

// patience is how long what happens at plex.tv and inside the server after a
// claim is waited for.
type patience struct {
	claim     time.Duration // the server writes its new token down
	lostClaim time.Duration // the same, when its answer was lost
	names     time.Duration // it asks plex.tv for the names of its account
	listing   time.Duration // plex.tv lists it: up to two minutes (plex-facts section 2.4)
	pause     time.Duration // between two looks
}

var defaultPatience = patience{
	claim: time.Minute, lostClaim: 5 * time.Second, names: 15 * time.Second, listing: 2 * time.Minute, pause: 200 * time.Millisecond,
}

// poll looks at the server until enough says so or the limit is over, and
// returns the last that was seen.
func (b *Binder) poll(ctx context.Context, srv *server.Server, limit time.Duration, enough func(State) bool) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var last State
	for {
		found, err := srv.Inspect(ctx)
		if err == nil {
			last = stateOf(found)
			if enough(last) {
				return last, nil
			}
		}
		select {
		case <-ctx.Done():
			return last, err
		case <-time.After(b.patience.pause):
		}
	}
}
