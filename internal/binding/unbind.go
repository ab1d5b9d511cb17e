package binding

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
	u := unbinding{Binder: b, srv: srv, known: known, deregister: deregister}
	change := func(d prefs.Document) error { return u.change(ctx, d) }
	report, err := srv.Edit(ctx, change)
	if err != nil && u.looks == 0 {
		// Where there is nothing to do, it does not matter that it could not be done.
		found, unseen := srv.Inspect(ctx)
		if unseen == nil && change(found.Document) == nil && !u.removes {
			report, err = server.Report{Inspection: found}, nil
		}
	}
	r := Result{Warnings: u.warnings}
	if report.Document != nil {
		r.State = stateOf(report.Inspection)
	}
	if err != nil {
		return r, explain(err)
	}
	r.LastBackup, r.Changed = report.Backup, report.Changed
	r.Warnings = append(r.Warnings, report.Warnings...)
	if u.device == "" {
		return r, nil
	}
	if err := b.tv.RemoveDevice(ctx, u.device); err != nil {
		return r, &server.Error{
			Doing: "Removing the server's device at plex.tv", Host: srv.Host(), Err: err,
			State: "The server is unclaimed and runs as before; its device is still registered.", Next: "Apply again.",
		}
	}
	return r, nil
}

// unbinding is one Unbind. Its change decides on what the locked server's own
// preferences say, so that one shell on the host is enough.
type unbinding struct {
	*Binder
	srv        *server.Server
	known      State
	deregister bool

	looks    int    // how often change was asked
	removes  bool   // there are keys to remove
	device   string // to be removed at plex.tv
	warnings []string
}

func (u *unbinding) change(ctx context.Context, d prefs.Document) error {
	u.looks++
	if u.looks == 1 {
		if err := u.decide(ctx, d); err != nil {
			return err
		}
	} else if documentFingerprint(d) != u.known.TokenFingerprint {
		return ErrChanged // as the server stopped
	}
	if !u.removes {
		return nil
	}
	return d.Delete(prefs.BindingKeys()...)
}

// decide sees whose binding this is, and looks up the device to deregister.
func (u *unbinding) decide(ctx context.Context, d prefs.Document) error {
	found := State{TokenFingerprint: documentFingerprint(d)}
	found.ID, _ = d.Get(prefs.KeyMachineIdentifier)
	bound, is := prefs.ReadBinding(d)
	found.Username, found.Email = strings.TrimSpace(bound.Username), strings.TrimSpace(bound.Mail)
	alone := ""
	switch {
	case found.ID != u.known.ID:
		alone = fmt.Sprintf("The server on %s is %s now, not %s.", u.srv.Host(), found.ID, u.known.ID)
	case is && found.TokenFingerprint != u.known.TokenFingerprint:
		alone = fmt.Sprintf("The server on %s is bound with another token than the one that this resource made, to %s.", u.srv.Host(), found.Account())
	case is && u.holds(found):
		alone = fmt.Sprintf("The binding of the server on %s to %s belongs to the resource that was created in its place.", u.srv.Host(), found.Account())
	}
	if alone != "" {
		u.warnings = append(u.warnings, alone+" It was left alone.")
		return nil
	}
	u.removes = is
	if !u.deregister {
		return nil
	}
	return u.findDevice(ctx)
}

// findDevice looks up the server's device at plex.tv, before anything is
// stopped: what cannot be deregistered is not unbound either.
func (u *unbinding) findDevice(ctx context.Context) error {
	id, found, err := u.tv.Device(ctx, u.known.ID)
	if err != nil {
		next := ""
		if errors.Is(err, plextv.ErrNoAccountToken) {
			next = "on_destroy.deregister needs account_token on the provider."
		}
		return &server.Error{
			Doing: "Looking for the server's device at plex.tv", Host: u.srv.Host(), Err: err,
			State: "Nothing was stopped and nothing was changed.", Next: next,
		}
	}
	if !found {
		u.warnings = append(u.warnings, fmt.Sprintf(
			"The account of account_token has no device for the server on %s at plex.tv, so none was removed.", u.srv.Host()))
	}
	u.device = id
	return nil
}
