package server

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/pms"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// State of a service, as its manager says.
type State string

// States. Only a server that runs or is stopped is edited.
const (
	Running  State = "running"
	Stopped  State = "stopped"
	Starting State = "starting"
	Stopping State = "stopping"
	Unknown  State = "unknown"
)

// Inspection is what one look at a server finds.
type Inspection struct {
	ID              string // ProcessedMachineIdentifier, 40 hexadecimal digits
	Platform        string // one of Platforms
	PreferencesPath string
	Manager         string // how the service is managed: ManagerSystemd …
	Unit            string // its name there; empty with ManagerCommands
	Owner           string // "user:group" of the preferences
	User            string // who looked
	State           State
	Detail          string         // what the status command said, if anything
	Format          prefs.Format   // how they are stored
	Document        prefs.Document // the preferences as they are
	Identity        pms.Identity   // what the running server says; zero when it does not run, or cannot be asked
	Warnings        []string       // what is out of the ordinary, for the person who applies
}

// Service names what manages the server, for example
// "plexmediaserver.service (systemd)".
func (i Inspection) Service() string {
	switch i.Manager {
	case managerNone:
		return "no service manager that is known"
	case managerOffline:
		return "a disk whose system does not run"
	}
	if i.Unit == "" {
		return i.Manager
	}
	return fmt.Sprintf("%s (%s)", i.Unit, i.Manager)
}

// warn keeps what the script said by the way, as much as a person would read.
func (i *Inspection) warn(said []byte) {
	const most, longest = 20, 1000
	if len(i.Warnings) < most {
		i.Warnings = append(i.Warnings, strings.ToValidUTF8(string(said[:min(len(said), longest)]), "\uFFFD"))
	}
}

// Inspect looks at the server: one shell, and one request to its own API when
// it runs. It changes nothing, but for an edit that was cut off with all that could
// have ended it: that is brought to its end, with a warning. Its errors are *Error.
func (s *Server) Inspect(ctx context.Context) (Inspection, error) {
	c, err := s.open(ctx, modeInspect)
	if err != nil {
		return Inspection{}, err
	}
	defer c.close(10 * time.Second)
	found, err := s.ready(ctx, c)
	if err != nil {
		return Inspection{}, err
	}
	err = s.identify(ctx, &found)
	return found, err
}

// ready reads what the script reports until it waits for a command, with
// preferences that are in order. A server truncates its file before it writes
// (plex-facts section 4), so a reading may catch it in between: it is repeated.
func (s *Server) ready(ctx context.Context, c *session) (Inspection, error) {
	found := Inspection{Warnings: c.warnings}
	if c.dialect.batch {
		found.Format = prefs.FormatRegistry
	}
	for attempt := 1; ; attempt++ {
		data, err := s.report(ctx, c, &found)
		if err != nil {
			return found, err
		}
		document, err := found.Format.Parse(data)
		if err == nil {
			found.Document = document
			found.ID, _ = document.Get(prefs.KeyMachineIdentifier)
			return found, s.checkID(found)
		}
		if attempt == readings || !errors.Is(err, prefs.ErrEmpty) && !errors.Is(err, prefs.ErrTruncated) {
			return found, s.badPreferences(found, err)
		}
		if err := pause(ctx, attempt); err != nil {
			return found, s.interrupted(doingRead, err)
		}
		if err := c.say("again", nil); err != nil {
			return found, s.interrupted(doingRead, err)
		}
	}
}

// Preferences that are not in order are read again: readings times, which takes
// about 5 s. A server rewrites its file in far less, but on a busy disk it may
// wait in the middle.
const (
	readings     = 20
	readingPause = 25 * time.Millisecond
)

// pause passes after a reading, the attempt-th. It is longer after each, and
// random, or a server that writes at intervals would be met in step with them.
func pause(ctx context.Context, attempt int) error {
	longest := 2 * time.Duration(attempt) * readingPause
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(rand.N(longest)): //nolint:gosec // no secret depends on it
		return nil
	}
}

func (s *Server) badPreferences(found Inspection, err error) error {
	return &Error{
		Doing: doingRead, Host: s.Host(), State: stateUntouched,
		Err: fmt.Errorf("%w: %s: %w", ErrBadPreferences, found.PreferencesPath, err),
		Next: "Restore a good copy by hand: stop the server, copy a backup over the file, keep its owner and mode, start the server. " +
			"Do not delete it: the server would come up as a new one, and all shares would be lost.",
	}
}

func (s *Server) checkID(found Inspection) error {
	if found.ID != "" {
		return nil
	}
	return s.badPreferences(found, fmt.Errorf("no %s", prefs.KeyMachineIdentifier))
}

// formats are the names that the script has for them; it says nothing of XML.
var formats = map[string]prefs.Format{"plist": prefs.FormatPropertyList}

// report collects records into found until the script is ready; it returns the
// bytes of the preferences.
func (s *Server) report(ctx context.Context, c *session, found *Inspection) ([]byte, error) {
	var data []byte
	fields := map[string]func(string){
		"platform":         func(v string) { found.Platform = v },
		"manager":          func(v string) { found.Manager = v },
		"unit":             func(v string) { found.Unit = v },
		"format":           func(v string) { found.Format = formats[v] },
		"preferences_path": func(v string) { found.PreferencesPath = v },
		"owner":            func(v string) { found.Owner = v },
		"user":             func(v string) { found.User = v },
		"state":            func(v string) { found.State = State(v) },
		"state_detail":     func(v string) { found.Detail = v },
		"warning":          func(v string) { found.warn([]byte(v)) },
	}
	for {
		r, err := c.next(ctx)
		if err != nil {
			return nil, s.interrupted(doingFind, err)
		}
		switch r.name {
		case "preferences":
			data = r.value
		case "failed":
			return nil, s.about(s.failed(r.value), found.PreferencesPath)
		case "ready":
			return data, nil
		default:
			if set, known := fields[r.name]; known {
				set(string(r.value))
			}
		}
	}
}

// about adds to a failure which preferences were looked at.
func (s *Server) about(err error, path string) error {
	var e *Error
	if path != "" && errors.As(err, &e) {
		e.Err = fmt.Errorf("%w (preferences: %s)", e.Err, path)
	}
	return err
}

func (s *Server) interrupted(doing string, err error) error {
	return &Error{Doing: doing, Host: s.Host(), Err: err, State: stateUntouched}
}

// identify asks a running server who it is, and compares that with its file:
// one address must never be taken for the server of another file.
func (s *Server) identify(ctx context.Context, found *Inspection) error {
	if found.State != Running {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.options.Limits.Answer)
	defer cancel()
	identity, err := s.api.WaitIdentity(ctx, nil)
	if errors.Is(err, pms.ErrNoRoute) {
		found.Warnings = append(found.Warnings, fmt.Sprintf(
			"The server on %s was not asked who it is, so that it uses the preferences at %s is unverified: %v.", s.Host(), found.PreferencesPath, err))
		return nil
	}
	if err != nil {
		return &Error{
			Doing: "Asking the server who it is", Host: s.Host(), State: stateUntouched,
			Err: fmt.Errorf("%w at %s, although %s says that it runs: %w", ErrNotAnswering, s.options.URL, found.Service(), err),
			Next: "If it is still starting, wait and apply again. If it listens elsewhere, set server.url. " +
				"If it hangs, stop the service: a stopped server can be managed too.",
		}
	}
	if identity.MachineIdentifier != found.ID {
		return &Error{
			Doing: "Asking the server who it is", Host: s.Host(), State: stateUntouched,
			Err: fmt.Errorf("%w: %s is %s, the preferences at %s are those of %s",
				ErrOtherServer, s.options.URL, identity.MachineIdentifier, found.PreferencesPath, found.ID),
			Next: "Set server.url and server.preferences_path so that both mean the same server.",
		}
	}
	found.Identity = identity
	return nil
}
