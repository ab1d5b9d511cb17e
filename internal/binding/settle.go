package binding

import (
	"context"
	"fmt"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// settle verifies a binding that has just been made: whose it is, and that
// plex.tv lists the server. grant is what the exchange said, if it was ours.
func (b *Binder) settle(ctx context.Context, srv *server.Server, done Result, wanted Wanted, grant plextv.Grant) (Result, error) {
	b.hold(done.State)
	owner := plextv.Account{Username: grant.Username, Email: grant.Email}
	if wanted.ClaimToken == "" {
		// A minted claim token belongs to the account of the account token.
		account, err := b.tv.Account(ctx)
		if err == nil {
			owner = account
		}
	}
	if owner != (plextv.Account{}) {
		done.Username, done.Email = owner.Username, owner.Email
	} else if done.Running {
		named, err := b.poll(ctx, srv, b.patience.names, func(s State) bool { return s.Username+s.Email != "" })
		if err == nil {
			done.Username, done.Email = named.Username, named.Email
		}
	}
	done.Status = Bound
	switch {
	case wanted.Account == "" || done.Is(wanted.Account):
	case done.Username+done.Email == "":
		done.Warnings = append(done.Warnings,
			"The server was bound, but does not name its account yet; it learns the name from plex.tv, which it may not reach.")
	default:
		return done, &server.Error{
			Doing: "Verifying the account of the server", Host: srv.Host(),
			Err:   fmt.Errorf("%w: account is %q, and the claim token belonged to %s", ErrWrongAccount, wanted.Account, done.Account()),
			State: "The server is bound to that account now.", Next: ways(ErrWrongAccount),
		}
	}
	if warning := b.waitListed(ctx, done.State); warning != "" {
		done.Warnings = append(done.Warnings, warning)
	}
	return done, nil
}

// waitListed waits until plex.tv lists the server for the account of the
// account token, where that is the account that it was bound to: until then
// the next plan would take the new token for revoked.
func (b *Binder) waitListed(ctx context.Context, s State) (warning string) {
	account, err := b.tv.Account(ctx)
	if err != nil || !isAccount(s, account) {
		return ""
	}
	b.mu.Lock()
	b.asked = nil // what plex.tv said before is out of date
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, b.patience.listing)
	defer cancel()
	pause := b.patience.pause
	for {
		servers, err := b.tv.OwnedServers(ctx)
		if err == nil && servers.Has(s.ID) {
			return ""
		}
		select {
		case <-ctx.Done():
			return "plex.tv does not list the server for its account yet. It may need some more minutes; or the server cannot reach plex.tv."
		case <-time.After(pause):
			pause = min(2*pause, 10*time.Second)
		}
	}
}
