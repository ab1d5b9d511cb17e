// Package server is one Plex Media Server on one host: it locates it, inspects
// it, and edits its preferences as one transaction (docs/design/edit.md).
package server

import (
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/pms"
)

// DefaultURL is where a media server listens, as seen from its own host.
const DefaultURL = "http://127.0.0.1:32400"

// DefaultStopTimeout is how long a server may take to stop. Ten seconds were
// measured to be too short for a real library (plex-facts section 4).
const DefaultStopTimeout = 90 * time.Second

// DefaultKeep is for how many operations the copies are kept.
const DefaultKeep = 5

// Options say which server is meant and how it is handled. The zero value is
// the one server that is found on the host.
type Options struct {
	Platform        string // one of Platforms; empty: detected
	PreferencesPath string // absolute path of Preferences.xml; empty: found by the service
	Service         Service
	Commands        Commands // replace the service manager
	URL             string   // default DefaultURL
	StopTimeout     time.Duration
	Backup          Backup
	Limits          Limits
}

// Service is one of a service manager, which is one of Managers. Either may be
// empty: the usual names are looked for under that manager, or that name under
// every manager that is there.
type Service struct{ Manager, Name string }

// Commands are shell commands that stop and start the server and tell whether
// it runs. Status ends with 0 when it runs and with 1, 2 or 3 when it does not
// (3 is what init scripts say); any other status is an error.
type Commands struct{ Stop, Start, Status string }

// Backup says where copies of the preferences are kept and of how many
// operations. They hold the token.
type Backup struct {
	Directory string // absolute; empty: beside the data directory
	Keep      int    // 0: DefaultKeep
}

// Limits bound every step that waits. Zero values are the defaults.
type Limits struct {
	Command time.Duration // one start or status command: 60 s
	Lock    time.Duration // until another editor is done: 2 min
	Silence time.Duration // the far side says nothing, whatever is waited for: 30 s
	Verify  time.Duration // from started until it answers as meant: 5 min
	Linger  time.Duration // for a server that did not stop in time to stop after all: 10 min
	Answer  time.Duration // a running server answers /identity: 1 min
}

func (l Limits) withDefaults() Limits {
	for _, d := range []struct {
		limit *time.Duration
		value time.Duration
	}{
		{&l.Command, time.Minute}, {&l.Lock, 2 * time.Minute}, {&l.Silence, 30 * time.Second},
		{&l.Verify, 5 * time.Minute}, {&l.Linger, 10 * time.Minute}, {&l.Answer, time.Minute},
	} {
		if *d.limit <= 0 {
			*d.limit = d.value
		}
	}
	return l
}

// Server is one media server on one host. It is safe for concurrent use; the
// lock on the host keeps edits apart.
type Server struct {
	host    host.Host
	api     *pms.Client
	options Options
}

// New returns the server that options mean on h. It does no I/O. The error is
// one of the URL.
func New(h host.Host, options Options) (*Server, error) {
	if options.URL == "" {
		options.URL = DefaultURL
	}
	if options.StopTimeout <= 0 {
		options.StopTimeout = DefaultStopTimeout
	}
	if options.Backup.Keep <= 0 {
		options.Backup.Keep = DefaultKeep
	}
	options.Limits = options.Limits.withDefaults()
	api, err := pms.New(options.URL, dialer(h), relay{h, options.Platform == PlatformWindows})
	if err != nil {
		return nil, err
	}
	return &Server{host: h, api: api, options: options}, nil
}

// Host names the machine in messages.
func (s *Server) Host() string { return s.host.Name() }

// API is the server's own HTTP interface, reached as its host reaches it.
func (s *Server) API() *pms.Client { return s.api }

// hostAs is h as a T, also where it is wrapped.
func hostAs[T host.Host](h host.Host) (T, bool) {
	for {
		if as, ok := h.(T); ok {
			return as, true
		}
		wrapper, ok := h.(interface{ Unwrap() host.Host })
		if !ok {
			var none T
			return none, false
		}
		h = wrapper.Unwrap()
	}
}
