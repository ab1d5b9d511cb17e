package plexsim

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// ClaimLifetime is how long a claim token can be exchanged after it was minted
// (facts 2.2: not returned by the API).
const ClaimLifetime = 4 * time.Minute

// ErrUnknownAccount says that plex.tv has no such account.
var ErrUnknownAccount = errors.New("unknown account")

// Account is one account at plex.tv.
type Account struct {
	Username string `json:"username"`
	Email    string `json:"email"`
	Token    string `json:"token"` // mints claim tokens and lists servers
	// Home says that the account is in a Plex Home; only then do its servers get
	// PlexOnlineHome="1".
	Home bool `json:"home"`
}

// PlexTVOptions is how plex.tv behaves where the facts leave it open.
type PlexTVOptions struct {
	// Clock ages claim tokens; default the computer's.
	Clock Clock
	// ListingDelay passes between an exchange and the server's appearance in
	// resources: up to two minutes in reality (facts 2.4).
	ListingDelay time.Duration
	// ExchangeRefusal is the status for a claim token that is expired, used or
	// unknown; default 401, which is not verified (facts 2.3).
	ExchangeRefusal int
	// RevokeOnExchange makes a new token end the validity of the same device's
	// earlier ones. By default they stay valid (facts 2.5).
	RevokeOnExchange bool
	// RevokeOnSignOut makes a sign-out of the server end its token. By default the
	// token stays valid and only the listing goes (facts 0.4).
	RevokeOnSignOut bool
	// ListRevoked keeps servers in resources whose token was revoked.
	ListRevoked bool
	// RequestsFile gets every request as a line of JSON; none by default.
	RequestsFile string
}

// PlexTV is the part of plex.tv that binds servers to accounts, an http.Handler.
// All its methods are safe for use by several goroutines.
type PlexTV struct {
	options PlexTVOptions
	routes  *http.ServeMux
	admin   *http.ServeMux
	closing chan struct{}
	once    sync.Once
	lines   sync.Mutex // one line of RequestsFile at a time

	mu       sync.Mutex // guards what follows; held while a request is answered
	offset   time.Duration
	accounts []*Account
	tokens   map[string]*holder
	claims   map[string]*claimToken
	devices  []*Device
	shares   []share
	faults   []*Fault
	requests []Request
	lastID   int
}

// holder is who a token belongs to. An account's own token has no device.
type holder struct {
	account *Account
	device  *Device
}

type claimToken struct {
	account *Account
	minted  time.Time
	used    bool
}

// NewPlexTV returns a plex.tv without accounts.
func NewPlexTV(options PlexTVOptions) *PlexTV {
	if options.Clock == nil {
		options.Clock = wallClock{}
	}
	if options.ExchangeRefusal == 0 {
		options.ExchangeRefusal = http.StatusUnauthorized
	}
	t := &PlexTV{
		options: options,
		closing: make(chan struct{}),
		tokens:  map[string]*holder{},
		claims:  map[string]*claimToken{},
		lastID:  1000,
	}
	t.routes = t.publicRoutes()
	t.admin = t.adminRoutes()
	return t
}

// Close lets go of the requests that FaultHang holds.
func (t *PlexTV) Close() { t.once.Do(func() { close(t.closing) }) }

// AddAccount adds an account. For a user name that exists already, it brings the
// account up to date and adds a token to it: a sign-in after a password change.
func (t *PlexTV) AddAccount(a Account) {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.account(a.Username)
	if known == nil {
		known = new(Account)
		t.accounts = append(t.accounts, known)
		defer t.addPlayer(known)
	}
	*known = a
	t.tokens[a.Token] = &holder{account: known}
}

// addPlayer gives the account a device that is no server. A tool that takes every
// resource for a server finds this one.
func (t *PlexTV) addPlayer(a *Account) {
	player := &Device{ID: t.nextID(), ClientID: newHex(12), Name: "Browser", Account: a.Username,
		Product: "Plex Web", Provides: "client,player", Token: newToken(), listed: true}
	t.tokens[player.Token] = &holder{account: a, device: player}
	t.devices = append(t.devices, player)
}

// RevokeToken makes a token worthless, and says whether it was worth anything.
func (t *PlexTV) RevokeToken(token string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, known := t.tokens[token]
	delete(t.tokens, token)
	return known
}

// RevokeAccount revokes every token of an account, its servers' too, as a password
// change does that signs out all devices (facts 1).
func (t *PlexTV) RevokeAccount(username string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	account := t.account(username)
	if account == nil {
		return fmt.Errorf("%w: %s", ErrUnknownAccount, username)
	}
	for token, holder := range t.tokens {
		if holder.account == account {
			delete(t.tokens, token)
		}
	}
	return nil
}

// SetClockOffset moves the clock to d ahead of [PlexTVOptions.Clock].
func (t *PlexTV) SetClockOffset(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.offset = d
}

func (t *PlexTV) now() time.Time { return t.options.Clock.Now().Add(t.offset) }

func (t *PlexTV) account(username string) *Account {
	at := slices.IndexFunc(t.accounts, func(a *Account) bool { return a.Username == username || a.Email == username })
	if at < 0 || username == "" {
		return nil
	}
	return t.accounts[at]
}

func (t *PlexTV) nextID() string {
	t.lastID++
	return strconv.Itoa(t.lastID)
}

// newToken looks like a token of plex.tv: 20 characters.
func newToken() string { return newHex(10) }
