package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/pms"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// Report is what an edit did.
type Report struct {
	Inspection        // as the server is now
	Changed    bool   // false: change wanted nothing, and nothing was stopped
	Restarted  bool   // false: nothing was stopped, or it was stopped to begin with
	Backup     string // the newest good copy of the preferences as they were
}

// Edit stops the server, applies change to its preferences document, and starts
// it again, as one transaction. A server that was stopped stays stopped.
//
// change is called twice: first on the preferences of the running server, when
// everything else has been checked and nothing has been stopped, and again on
// what the stopped server left, which it may have rewritten. An error of the
// first call leaves the server untouched: what can fail or spends something,
// such as the exchange of a claim token, belongs there. A first call that
// changes nothing ends the edit, with Report.Changed false.
//
// Once the server has been told to stop, the context no longer ends the edit:
// it is carried to where the server runs again. The context then only bounds
// the wait for the server to be seen as meant. Errors are *Error.
func (s *Server) Edit(ctx context.Context, change func(prefs.Document) error) (Report, error) {
	c, err := s.open(ctx, modeEdit)
	if err != nil {
		return Report{}, err
	}
	e := &edit{Server: s, session: c, change: change, farewell: 15 * time.Second}
	defer func() { e.session.close(e.farewell) }()
	if err := e.rehearse(ctx); err != nil || !e.report.Changed {
		return e.report, err
	}
	if err := e.replace(context.WithoutCancel(ctx)); err != nil {
		return e.report, err
	}
	if err := e.verify(ctx); err != nil {
		return e.report, err
	}
	_ = e.session.say("done", nil)
	return e.report, nil
}

type edit struct {
	*Server
	session  *session
	change   func(prefs.Document) error
	farewell time.Duration // how long to wait for the script to clean up

	was    Inspection     // before anything was stopped
	old    prefs.Document // what the new preferences were made from
	next   prefs.Document // the new preferences
	report Report
}

// rehearse does all that can fail before the stop.
func (e *edit) rehearse(ctx context.Context) error {
	found, err := e.ready(ctx, e.session)
	if err != nil {
		return err
	}
	defer e.session.attend(e.attention())()
	e.was, e.report.Inspection = found, found
	if found.State != Running && found.State != Stopped {
		return &Error{
			Doing: doingPlan, Host: e.Host(), State: stateUntouched,
			Err:  fmt.Errorf("%w: %s says %q %s", ErrMoving, found.Service(), found.State, found.Detail),
			Next: failures["moving"].next,
		}
	}
	if err := e.identify(ctx, &e.was); err != nil {
		return err
	}
	e.report.Inspection = e.was
	if err := e.quiet(ctx); err != nil {
		return err
	}
	next, err := e.apply(e.was.Document)
	if said := (*Error)(nil); errors.As(err, &said) {
		return said // by change itself
	}
	if err != nil {
		return &Error{Doing: doingPlan, Host: e.Host(), Err: err, State: stateUntouched}
	}
	e.report.Changed = len(prefs.Diff(e.was.Document, next)) > 0
	if !e.report.Changed {
		return nil
	}
	if err := e.session.stage(ctx, e.was.Document, next); err != nil {
		return e.interrupted(doingPlan, err)
	}
	return nil
}

// attention is how often a script that waits hears that somebody is there: a
// little delay on the way is no silence yet.
func (e *edit) attention() time.Duration { return e.options.Limits.Silence / 3 }

// quiet sees that a server on Windows that is said to be stopped does not answer:
// which process is whose is less certain there.
func (e *edit) quiet(ctx context.Context) error {
	if !e.session.dialect.batch || e.was.State != Stopped {
		return nil
	}
	identity, err := e.api.Identity(ctx)
	if err != nil || identity.MachineIdentifier != e.was.ID {
		return nil //nolint:nilerr // nobody who answers is what is wanted
	}
	return &Error{
		Doing: doingPlan, Host: e.Host(), State: stateUntouched,
		Err:  fmt.Errorf("%w: %s says that it is stopped, and it answers at %s", ErrMoving, e.was.Service(), e.options.URL),
		Next: "Set server.service to what runs the server, or server.commands to the commands that stop it, start it and tell its status.",
	}
}

// apply returns document with the change made, and document as it was.
func (e *edit) apply(document prefs.Document) (prefs.Document, error) {
	next, err := e.was.Format.Parse(document.Bytes())
	if err != nil {
		return nil, err
	}
	if err := e.change(next); err != nil {
		return nil, err
	}
	if id, _ := next.Get(prefs.KeyMachineIdentifier); id != e.was.ID {
		return nil, fmt.Errorf("the edit would change %s", prefs.KeyMachineIdentifier)
	}
	return next, nil
}

// replace goes from the running server to the one that was started again. Its
// time is bounded by the script's own limits; the bound here is for a script
// that has died.
func (e *edit) replace(ctx context.Context) error {
	l := e.options.Limits
	ctx, cancel := context.WithTimeout(ctx, e.options.StopTimeout+2*l.Command+3*l.Silence)
	defer cancel()
	if err := e.session.say("go "+e.was.ID, nil); err != nil {
		return e.interrupted(doingStop, err)
	}
	left, err := e.await(ctx, "stopped", doingStop)
	if err != nil {
		return err
	}
	command, err := e.write(left)
	if err != nil {
		return e.kept(ctx, err)
	}
	if err := e.session.write(ctx, command, e.old, e.next); err != nil {
		return e.lost(err)
	}
	return e.started(ctx)
}

// write makes the new preferences from what the stopped server left, or from
// the copy from before the stop when that is not in order any more.
func (e *edit) write(left []byte) (command string, err error) {
	command = "write"
	document, err := e.was.Format.Parse(left)
	if err == nil {
		if id, _ := document.Get(prefs.KeyMachineIdentifier); id != e.was.ID {
			err = errors.New("it holds the preferences of another server")
		}
	}
	e.old = document
	if err != nil {
		command, e.old = "write-from-before", e.was.Document
		e.report.Warnings = append(e.report.Warnings, fmt.Sprintf(
			"The server damaged its preferences as it stopped (%v). They were restored from the copy from before the stop.", err))
	}
	e.next, err = e.apply(e.old)
	if err != nil {
		return "", err
	}
	commands, err := e.alterations(document)
	if err != nil {
		return "", err
	}
	return strings.Join(append(commands, command), "\n"), nil
}

// kept ends an edit whose change failed on the stopped server: it starts as it is.
func (e *edit) kept(ctx context.Context, cause error) error {
	if err := e.session.say("keep", nil); err != nil {
		return e.lost(errors.Join(cause, err))
	}
	if err := e.started(ctx); err != nil && !errors.Is(err, ErrNotWritten) {
		return errors.Join(cause, err)
	}
	return &Error{Doing: "Editing the preferences", Host: e.Host(), Err: cause, State: e.restored()}
}

// restored is the state when the old preferences are in place again.
func (e *edit) restored() string {
	if e.was.State == Running {
		return stateRestored
	}
	return stateAsItWas
}

// started reads how the start went.
func (e *edit) started(ctx context.Context) error {
	how, err := e.await(ctx, "started", "Starting the server")
	if err != nil {
		return err
	}
	copies := map[string]string{}
	for _, name := range []string{"copy_before", "copy_after"} {
		path, err := e.await(ctx, name, "Starting the server")
		if err != nil {
			return err
		}
		copies[name] = string(path)
	}
	e.report.Backup = copies["copy_after"]
	if e.old == e.was.Document {
		e.report.Backup = copies["copy_before"]
	}
	outcome, detail, _ := strings.Cut(string(how), " ")
	switch outcome {
	case "yes":
		e.report.Restarted = true
		return nil
	case "left":
		return nil
	case "failed":
		return e.revert(ctx, fmt.Errorf("%w: %s", ErrStartFailed, detail))
	}
	e.report.Restarted = e.was.State == Running
	return &Error{
		Doing: "Writing the new preferences", Host: e.Host(), State: e.restored(),
		Err: fmt.Errorf("%w: %s", ErrNotWritten, strings.Join(e.report.Warnings, " ")),
	}
}

// verify waits until the server is what was meant. Nothing is assumed: not that
// a start command that succeeded has started a server, nor that a server that
// runs has read what was written.
func (e *edit) verify(ctx context.Context) error {
	defer e.session.attend(e.attention())()
	if e.was.State == Running {
		if err := e.verifyAnswer(ctx); err != nil {
			return err
		}
	}
	now, err := e.check(ctx)
	if err != nil {
		return e.unverified(err)
	}
	if wrong := e.wrong(now); len(wrong) > 0 {
		return e.revert(context.WithoutCancel(ctx), fmt.Errorf("its preferences are not as written: %s", strings.Join(wrong, ", ")))
	}
	if others := e.others(now); len(others) > 0 {
		e.report.Warnings = append(e.report.Warnings, "The server itself has changed more of its preferences as it started: "+strings.Join(others, ", ")+".")
	}
	e.report.Document = now
	return nil
}

func (e *edit) verifyAnswer(ctx context.Context) error {
	_, bound := prefs.ReadBinding(e.next)
	limited, cancel := context.WithTimeout(ctx, e.options.Limits.Verify)
	defer cancel()
	identity, err := e.api.WaitIdentity(limited, func(i pms.Identity) bool {
		// A server that does not say whether it is claimed is not contradicted.
		return i.MachineIdentifier == e.was.ID &&
			(i.Claimed == pms.ClaimedUnknown || (i.Claimed == pms.ClaimedYes) == bound)
	})
	switch {
	case err == nil:
		e.report.Identity = identity
		return nil
	case errors.Is(err, pms.ErrNoRoute):
		// That nothing could be asked has been said before the stop. Its
		// preferences are looked at next.
		return nil
	case ctx.Err() != nil, errors.Is(err, pms.ErrStarting):
		// It runs and may only need longer, as with a migration of its database.
		return e.unverified(err)
	default:
		return e.revert(context.WithoutCancel(ctx), err)
	}
}

func (e *edit) unverified(err error) error {
	return &Error{
		Doing: "Waiting for the server to be as meant", Host: e.Host(),
		Err:   fmt.Errorf("%w: %w", ErrUnverified, err),
		State: "It was started with its new preferences.",
		Next:  "Look at the server, then apply again: what is as it should be is left as it is.",
	}
}

// check reads the preferences as they are now, past a reading that catches the
// server while it writes.
func (e *edit) check(ctx context.Context) (prefs.Document, error) {
	for attempt := 1; ; attempt++ {
		if err := e.session.say("check", nil); err != nil {
			return nil, err
		}
		data, err := e.await(ctx, "preferences", doingRead)
		if err != nil {
			return nil, err
		}
		document, err := e.was.Format.Parse(data)
		if err == nil || attempt == readings {
			return document, err
		}
		if err := pause(ctx, attempt); err != nil {
			return nil, err
		}
	}
}

// wrong are the names that are not what the edit meant them to be. A server
// fills in the name and mail of its account from its token by itself.
func (e *edit) wrong(now prefs.Document) []string {
	var wrong []string
	_, bound := prefs.ReadBinding(e.next)
	filled := map[string]bool{prefs.KeyHome: bound, prefs.KeyMail: bound, prefs.KeyUsername: bound}
	for _, name := range append(prefs.Diff(e.old, e.next), prefs.KeyMachineIdentifier) {
		want, _ := e.next.Get(name)
		got, _ := now.Get(name)
		if got != want && !filled[name] {
			wrong = append(wrong, name)
		}
	}
	return wrong
}

// others are names that nobody meant to change and that a server does not
// change at every start.
func (e *edit) others(now prefs.Document) []string {
	binding := map[string]bool{}
	for _, name := range prefs.BindingKeys() {
		binding[name] = true
	}
	var others []string
	for _, name := range prefs.Diff(e.next, now) {
		if !binding[name] && !prefs.ServerOwned(name) {
			others = append(others, name)
		}
	}
	return others
}

// revert puts the old preferences back, and sees the server answer with them.
func (e *edit) revert(ctx context.Context, cause error) error {
	l := e.options.Limits
	ctx, cancel := context.WithTimeout(ctx, e.options.StopTimeout+l.Command+3*l.Silence)
	defer cancel()
	failed := &Error{
		Doing: "Starting the server with its new preferences", Host: e.Host(),
		Err: fmt.Errorf("%w: %w", ErrReverted, cause), State: e.restored(),
		Next: "Look at the server's log before you apply again.",
	}
	if err := e.session.say("revert", nil); err != nil {
		return e.lost(errors.Join(cause, err))
	}
	how, err := e.await(ctx, "reverted", "Putting the old preferences back")
	if err != nil {
		return errors.Join(failed.Err, err)
	}
	if detail, not := strings.CutPrefix(string(how), "no "); not {
		failed.State = fmt.Sprintf("Putting the old preferences back failed: %s. A good copy is %s.", detail, e.report.Backup)
		return failed
	}
	if e.was.State != Running {
		failed.State = "The old preferences are back; the server was left stopped, as it was."
		return failed
	}
	_, err = e.api.WaitIdentity(ctx, func(i pms.Identity) bool { return i.MachineIdentifier == e.was.ID })
	if err != nil {
		failed.State = fmt.Sprintf("The old preferences are back and the server was started, but it does not answer: %v. A good copy is %s.", err, e.report.Backup)
	}
	return failed
}

// lost is for a shell that has gone in the middle: the script finishes alone.
func (e *edit) lost(err error) error {
	e.farewell = 0
	return &Error{
		Doing: "Editing the server's preferences", Host: e.Host(),
		Err:   fmt.Errorf("%w: %w", ErrDisconnected, err),
		State: "The script on the host finishes by itself: the server runs again within a minute or two, with its old preferences or its new ones, whole.",
		Next:  "Apply again: what is as it should be is left as it is.",
	}
}

// await reads until the record name. What the script says by the way becomes a
// warning; a failure ends the edit.
func (e *edit) await(ctx context.Context, name, doing string) ([]byte, error) {
	for {
		r, err := e.session.next(ctx)
		if err != nil {
			lost := e.lost(err)
			var said *Error
			if errors.As(lost, &said) {
				said.Doing = doing
			}
			return nil, lost
		}
		switch r.name {
		case name:
			return r.value, nil
		case "written":
			answer := "refuse"
			if e.accepts(r.value) {
				answer = "accept"
			}
			if err := e.session.say(answer, nil); err != nil {
				return nil, e.lost(err)
			}
		case "note", "warning":
			e.report.warn(r.value)
		case "failed":
			err := e.failed(r.value)
			if errors.Is(err, ErrStopTimeout) {
				e.farewell = 0 // the script stays, for a server that stops late
			}
			return nil, err
		}
	}
}
