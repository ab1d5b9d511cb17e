package binding

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Paths at plex.tv.
const (
	pathMint     = "/api/claim/token"
	pathExchange = "/api/claim/exchange"
	pathUser     = "/api/v2/user"
	pathServers  = "/api/v2/resources"
	pathDevices  = "/devices"
)

// world is a plex.tv and the servers of a test.
type world struct {
	*testing.T
	tv *simtest.PlexTV
}

func newWorld(t *testing.T, options ...func(*plexsim.PlexTVOptions)) *world {
	t.Helper()
	return &world{T: t, tv: simtest.NewPlexTV(t, options...)}
}

// subject is a server under test, and how it is reached.
type subject struct {
	*simtest.ServerProcess
	srv    *server.Server
	before []byte
}

// start runs a server with options, and forgets what it asked plex.tv.
func (w *world) start(options simtest.Options, changes ...func(*server.Options)) *subject {
	w.Helper()
	options.PlexTV = w.tv
	sim := simtest.NewServer(w.T, options)
	sim.Start()
	sim.WaitReady()
	s := &subject{ServerProcess: sim, srv: w.reach(sim, changes...), before: sim.Preferences()}
	w.tv.ClearRequests()
	return s
}

func (w *world) reach(sim *simtest.ServerProcess, changes ...func(*server.Options)) *server.Server {
	w.Helper()
	o := server.Options{PreferencesPath: sim.PreferencesPath(), URL: sim.URL(), Limits: server.Limits{
		Command: 20 * time.Second, Lock: 20 * time.Second, Silence: 20 * time.Second,
		Verify: 20 * time.Second, Linger: 10 * time.Second, Answer: 10 * time.Second,
	}}
	if sim.Unit() != "" {
		o.Service = server.Service{Manager: server.ManagerSystemd, Name: sim.Unit()}
	} else {
		o.Commands = server.Commands(sim.Commands())
	}
	for _, change := range changes {
		change(&o)
	}
	srv, err := server.New(host.Local{}, o)
	if err != nil {
		w.Fatal(err)
	}
	return srv
}

func (w *world) unclaimed() *subject {
	w.Helper()
	return w.start(simtest.Options{})
}

// claimableOffline is an unclaimed server that does not let itself be claimed
// through its own API.
func (w *world) claimableOffline() *subject {
	w.Helper()
	return w.start(simtest.Options{Configure: func(c *plexsim.Config) { c.RefuseClaim = true }})
}

func (w *world) boundTo(account plexsim.Account) *subject {
	w.Helper()
	return w.start(simtest.Options{Account: &account})
}

// binder speaks to plex.tv for an account; "" has no account token.
func (w *world) binder(accountToken string, changes ...func(*plextv.Config)) *Binder {
	w.Helper()
	config := plextv.Config{BaseURL: w.tv.URL, AccountToken: accountToken, Retry: plextv.Retry{
		Attempts: 2, WaitMin: time.Millisecond, WaitMax: 2 * time.Millisecond, Timeout: 10 * time.Second}}
	for _, change := range changes {
		change(&config)
	}
	b := New(plextv.New(config))
	b.patience = patience{claim: 10 * time.Second, lostClaim: time.Second, names: 5 * time.Second,
		listing: time.Second, pause: 10 * time.Millisecond}
	return b
}

func (w *world) mint(account plexsim.Account) string {
	w.Helper()
	token, err := w.tv.MintClaim(account.Username)
	if err != nil {
		w.Fatal(err)
	}
	return token
}

// asked is how often plex.tv was asked, by anybody.
func (w *world) asked(method, path string) int {
	w.Helper()
	return len(w.tv.RequestsTo(method, path))
}

// ours are the requests of the provider. A server asks plex.tv too, when it likes.
func (w *world) ours(method, path string) []plexsim.Request {
	w.Helper()
	return slices.DeleteFunc(w.tv.RequestsTo(method, path), func(r plexsim.Request) bool {
		return r.ClientID != "terraform-provider-plex"
	})
}

func (w *world) wantNothingSpent() {
	w.Helper()
	if mints, exchanges := w.asked("GET", pathMint), w.asked("POST", pathExchange); mints+exchanges > 0 {
		w.Errorf("%d claim tokens were minted, and %d exchanges tried", mints, exchanges)
	}
}

// wantUntouched checks that the server was neither stopped nor changed.
func (w *world) wantUntouched(s *subject) {
	w.Helper()
	if n := s.StopCount(); n != 0 || !s.Running() {
		w.Errorf("the server was stopped %d times; running %v", n, s.Running())
	}
	if string(s.Preferences()) != string(s.before) {
		w.Error("the preferences have changed")
	}
}

// wantRestarts checks how often the server was stopped, and that it runs.
func (w *world) wantRestarts(s *subject, want int) {
	w.Helper()
	if stops, starts := s.StopCount(), s.StartCount(); stops != want || starts != want+1 || !s.Running() {
		w.Errorf("stopped %d and started %d times, running %v; want %d restarts", stops, starts, s.Running(), want)
	}
}

// token is the one in the preferences.
func (s *subject) token() string {
	m := regexp.MustCompile(`\sPlexOnlineToken="([^"]*)"`).FindSubmatch(s.Preferences())
	if m == nil {
		return ""
	}
	return string(m[1])
}

func (s *subject) state() State {
	return State{ID: s.Identity.Processed, TokenFingerprint: Fingerprint(s.token())}
}

// wantError checks the condition, and that a person reads what state the server
// is in, and no token.
func wantError(t *testing.T, err, want error, texts ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want one that is %q", err, want)
	}
	for _, text := range append(texts, "this machine") {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error does not say %q: %v", text, err)
		}
	}
	if strings.Contains(err.Error(), simtest.Owner.Token) || regexp.MustCompile(`claim-[0-9a-f]{20}`).MatchString(err.Error()) {
		t.Errorf("the error holds a token: %v", err)
	}
}

const untouched = "Nothing was stopped and nothing was changed."

func wantWarning(t *testing.T, r Result, text string) {
	t.Helper()
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], text) {
		t.Errorf("warnings are %q, want one that says %q", r.Warnings, text)
	}
}

// before has do run before the nth request to path, counted from 1, is sent.
func before(path string, nth int, do func()) func(*plextv.Config) {
	return func(c *plextv.Config) {
		n := 0
		c.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.HasPrefix(r.URL.Path, path) {
				if n++; n == nth {
					do()
				}
			}
			return http.DefaultTransport.RoundTrip(r)
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func look(ctx context.Context, t *testing.T, b *Binder, s *subject, account string, known State) Result {
	t.Helper()
	r, err := b.Look(ctx, s.srv, account, known)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
