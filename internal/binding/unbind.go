package binding

import (
	"context"
	"errors"
	"fmt"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Unbind removes the binding that known describes, by its ID and
// TokenFingerprint: it stops the server, removes the four keys, and starts it.
// A server that is unclaimed already is not restarted. One that is bound with
// another token is left alone, with a warning: that is somebody else's binding,
// or the one that replaces known (create_before_destroy). For the same reason a
// binding that this run has made or adopted is left alone.
//
// With deregister the server's device is removed at plex.tv as well, which
// revokes its token.
func (b *Binder) Unbind(ctx context.Context, srv *server.Server, known State, deregister bool) (Result, error) {
	found, err := srv.Inspect(ctx)
	if err != nil {
		return Result{}, err
	}
	r := Result{State: stateOf(found)}
	switch {
	case r.ID != known.ID:
		r.Warnings = append(r.Warnings, fmt.Sprintf(
			"The server on %s is %s now, not %s. It was left alone.", srv.Host(), r.ID, known.ID))
		return r, nil
	case r.Status != Unclaimed && r.TokenFingerprint != known.TokenFingerprint:
		r.Warnings = append(r.Warnings, fmt.Sprintf(
			"The server on %s is bound with another token than the one that this resource made, to %s. It was left alone.", srv.Host(), r.Account()))
		return r, nil
	case r.Status != Unclaimed && b.holds(r.State):
		r.Warnings = append(r.Warnings, fmt.Sprintf(
			"The binding of the server on %s to %s belongs to the resource that was created in its place. It was left alone.", srv.Host(), r.Account()))
		return r, nil
	}
	device, err := b.device(ctx, srv, known, deregister, &r)
	if err != nil {
		return r, err
	}
	if r.Status != Unclaimed {
		if err := b.removeKeys(ctx, srv, known, &r); err != nil {
			return r, err
		}
	}
	if device == "" {
		return r, nil
	}
	if err := b.tv.RemoveDevice(ctx, device); err != nil {
		return r, &server.Error{
			Doing: "Removing the server's device at plex.tv", Host: srv.Host(), Err: err,
			State: "The server is unclaimed and runs as before; its device is still registered.", Next: "Apply again.",
		}
	}
	return r, nil
}

// device is the server's device at plex.tv, looked up before anything is
// stopped: what cannot be deregistered is not unbound either.
func (b *Binder) device(ctx context.Context, srv *server.Server, known State, deregister bool, r *Result) (string, error) {
	if !deregister {
		return "", nil
	}
	id, found, err := b.tv.Device(ctx, known.ID)
	if err != nil {
		next := ""
		if errors.Is(err, plextv.ErrNoAccountToken) {
			next = "on_destroy.deregister needs account_token on the provider."
		}
		return "", &server.Error{
			Doing: "Looking for the server's device at plex.tv", Host: srv.Host(), Err: err,
			State: "Nothing was stopped and nothing was changed.", Next: next,
		}
	}
	if !found {
		r.Warnings = append(r.Warnings, fmt.Sprintf(
			"The account of account_token has no device for the server on %s at plex.tv, so none was removed.", srv.Host()))
	}
	return id, nil
}

func (b *Binder) removeKeys(ctx context.Context, srv *server.Server, known State, r *Result) error {
	report, err := srv.Edit(ctx, func(d prefs.Document) error {
		if documentFingerprint(d) != known.TokenFingerprint {
			return ErrChanged
		}
		return d.Delete(prefs.BindingKeys()...)
	})
	if err != nil {
		return explain(err)
	}
	r.State = stateOf(report.Inspection)
	r.LastBackup, r.Changed = report.Backup, true
	r.Warnings = append(r.Warnings, report.Warnings...)
	return nil
}
