// Package binding is what it means to look at the binding of a Plex Media
// Server to an account, to bind it, to rebind it and to unbind it. It knows no
// Terraform.
package binding

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"

	"github.com/homelab-iac/terraform-provider-plex/internal/plain"
	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Status is what is known of a server's binding (plex-facts section 2.6).
type Status string

// Statuses.
const (
	Unclaimed      Status = "unclaimed"       // no token
	Bound          Status = "bound"           // bound to the account that is wanted, or to any if none is
	BoundElsewhere Status = "bound_elsewhere" // bound to another account than the one that is wanted
	Revoked        Status = "revoked"         // has a token, and plex.tv does not list the server for its account
	Unknown        Status = "unknown"         // has a token, and nobody says whose
)

// State is a server's binding as it was last seen.
type State struct {
	ID               string // ProcessedMachineIdentifier
	Status           Status
	Username, Email  string // of the account; empty when not known
	TokenFingerprint string // see Fingerprint; empty when unclaimed
	Version          string // empty when the server does not run
	FriendlyName     string
	Platform         string
	PreferencesPath  string
	Service          string
	Running          bool
	LastBackup       string // of the operation that gave this State; empty when it made none
}

// Account names the account in messages.
func (s State) Account() string {
	switch {
	case s.Username != "" && s.Email != "":
		return plain.Line(s.Username + " (" + s.Email + ")")
	case s.Username+s.Email != "":
		return plain.Line(s.Username + s.Email)
	}
	return "an account that its preferences do not name"
}

// nameOf is how an account of plex.tv is called, as State.Account.
func nameOf(a plextv.Account) string { return State{Username: a.Username, Email: a.Email}.Account() }

// Is tells whether account, a user name or an e-mail address, is the one that
// the server is bound to.
func (s State) Is(account string) bool {
	return plextv.Account{Username: s.Username, Email: s.Email}.Is(account)
}

// Fingerprint tells tokens apart without holding one: the first 16 hexadecimal
// digits of the token's SHA-256, "" for no token.
func Fingerprint(token string) string {
	if token == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])[:16]
}

func documentFingerprint(d prefs.Document) string {
	b, _ := prefs.ReadBinding(d)
	return Fingerprint(b.Token)
}

// Result is a State and what the person who applies should know of how it came
// about.
type Result struct {
	State
	Changed  bool // false: the server was as it should be
	Warnings []string
}

// Binder binds servers. It asks plex.tv at most once what an account owns, for
// all servers together, and is safe for concurrent use. Make one per run.
type Binder struct {
	tv       *plextv.Client
	patience patience

	mu    sync.Mutex
	asked *ownership        // what plex.tv said; nil: not asked yet
	held  map[string]string // ID → fingerprint of the bindings that this run has made or adopted
}

// New returns a Binder that speaks to plex.tv through tv. It does no I/O.
func New(tv *plextv.Client) *Binder {
	return &Binder{tv: tv, patience: defaultPatience, held: map[string]string{}}
}

// ownership is what plex.tv says of the account of the provider's token.
type ownership struct {
	account plextv.Account
	servers plextv.OwnedServers
	err     error // plextv.ErrNoAccountToken when it was not asked
}

// ownership asks plex.tv the first time. The answer, also that there was none,
// holds for the run: plans over a fleet must not ask once per server.
func (b *Binder) ownership(ctx context.Context) ownership {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.asked == nil {
		o := ownership{}
		if o.account, o.err = b.tv.Account(ctx); o.err == nil {
			o.servers, o.err = b.tv.OwnedServers(ctx)
		}
		if ctx.Err() != nil {
			return o // somebody's time-out says nothing about plex.tv
		}
		b.asked = &o
	}
	return *b.asked
}

// hold remembers that this run has made or adopted a binding; see Unbind.
func (b *Binder) hold(s State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held[s.ID] = s.TokenFingerprint
}

func (b *Binder) holds(s State) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	fingerprint, held := b.held[s.ID]
	return held && fingerprint == s.TokenFingerprint
}

// stateOf is what the server's own preferences say.
func stateOf(found server.Inspection) State {
	s := State{
		ID: found.ID, Status: Unclaimed, Version: found.Identity.Version, Platform: found.Platform,
		PreferencesPath: found.PreferencesPath, Service: found.Service(), Running: found.State == server.Running,
	}
	s.FriendlyName, _ = found.Document.Get(prefs.KeyFriendlyName)
	if bound, is := prefs.ReadBinding(found.Document); is {
		s.Status = Bound
		s.Username, s.Email = strings.TrimSpace(bound.Username), strings.TrimSpace(bound.Mail)
		s.TokenFingerprint = Fingerprint(bound.Token)
	}
	return s
}
