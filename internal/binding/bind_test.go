package binding

import (
	"context"
	"errors"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

func wantBound(t *testing.T, r Result, s *subject, account plexsim.Account) {
	t.Helper()
	if r.Status != Bound || r.Username != account.Username || r.Email != account.Email || r.ID != s.Identity.Processed {
		t.Errorf("got %+v", r)
	}
	if s.token() == "" || r.TokenFingerprint != Fingerprint(s.token()) || s.token() == s.Token {
		t.Error("the server does not have the new token")
	}
}

func TestAServerThatIsBoundAsWantedIsAdopted(t *testing.T) {
	w := newWorld(t)
	s := w.boundTo(simtest.Owner)
	for _, wanted := range []Wanted{
		{}, {Account: "owner"}, {Account: "owner@example.com", ID: s.Identity.Processed}, {Account: "owner", Force: true},
		{Account: "owner", ClaimToken: w.mint(simtest.Owner)},
	} {
		r, err := w.binder(simtest.Owner.Token).Bind(t.Context(), s.srv, wanted)
		if err != nil || r.Changed || r.Status != Bound || r.Username != "owner" || r.LastBackup != "" {
			t.Errorf("%+v: %+v, %v", wanted, r, err)
		}
	}
	w.wantUntouched(s)
	w.wantNothingSpent()
}

func TestAnUnclaimedServerIsClaimedOnlineWithoutARestart(t *testing.T) {
	for name, wanted := range map[string]func(*world) Wanted{
		"minted": func(*world) Wanted { return Wanted{Account: "owner"} },
		"given":  func(w *world) Wanted { return Wanted{ClaimToken: w.mint(simtest.Owner)} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := w.unclaimed()
			r, err := w.binder(simtest.Owner.Token).Bind(t.Context(), s.srv, wanted(w))
			if err != nil {
				t.Fatal(err)
			}
			wantBound(t, r, s, simtest.Owner)
			w.wantRestarts(s, 0)
			if n := w.asked("POST", pathExchange); n != 1 || !r.Changed || len(r.Warnings) > 0 {
				t.Errorf("%d exchanges; %+v", n, r)
			}
		})
	}
}

func TestAnOnlineClaimThatIsRefusedIsDoneOffline(t *testing.T) {
	w := newWorld(t)
	s := w.claimableOffline()
	r, err := w.binder(simtest.Owner.Token).Bind(t.Context(), s.srv, Wanted{Account: "owner"})
	if err != nil {
		t.Fatal(err)
	}
	wantBound(t, r, s, simtest.Owner)
	w.wantRestarts(s, 1)
	if r.LastBackup == "" || w.asked("POST", pathExchange) != 1 {
		t.Errorf("got %+v", r)
	}
}

// Whose a given token is, only the exchange tells: where that matters the
// server does not get it.
func TestAGivenClaimTokenForANamedAccountIsExchangedBeforeTheServerHasIt(t *testing.T) {
	w := newWorld(t)
	s := w.unclaimed()
	r, err := w.binder("").Bind(t.Context(), s.srv, Wanted{Account: "owner", ClaimToken: w.mint(simtest.Owner)})
	if err != nil {
		t.Fatal(err)
	}
	wantBound(t, r, s, simtest.Owner)
	w.wantRestarts(s, 1)
	w.wantExchangeBeforeStop(s)
}

// wantExchangeBeforeStop compares what plex.tv and what the server recorded.
func (w *world) wantExchangeBeforeStop(s *subject) {
	w.Helper()
	exchanges := w.tv.RequestsTo("POST", pathExchange)
	if len(exchanges) == 0 {
		w.Error("nothing was exchanged")
		return
	}
	for _, event := range s.Events() {
		if event.Event == plexsim.EventStopping {
			if last := exchanges[len(exchanges)-1].Time; !last.Before(event.Time) {
				w.Errorf("the exchange was at %v, the stop at %v", last, event.Time)
			}
			return
		}
	}
	w.Error("the server was never stopped")
}

func TestRebindRotatesTheTokenInOneStopAndStart(t *testing.T) {
	w := newWorld(t)
	s := w.boundTo(simtest.Owner)
	r, err := w.binder(simtest.Owner.Token).Rebind(t.Context(), s.srv, Wanted{Account: "owner"}, true)
	if err != nil {
		t.Fatal(err)
	}
	wantBound(t, r, s, simtest.Owner)
	w.wantRestarts(s, 1)
	w.wantExchangeBeforeStop(s)
	if !r.Changed || r.LastBackup == "" {
		t.Errorf("got %+v", r)
	}
}

func TestRebindWithoutRotationLeavesWhatIsAsWanted(t *testing.T) {
	w := newWorld(t)
	s := w.boundTo(simtest.Owner)
	r, err := w.binder(simtest.Owner.Token).Rebind(t.Context(), s.srv, Wanted{Account: "owner"}, false)
	if err != nil || r.Changed {
		t.Errorf("got %+v, %v", r, err)
	}
	w.wantUntouched(s)
	w.wantNothingSpent()
}

func TestAServerThatIsBoundElsewhereIsTakenOnlyByForce(t *testing.T) {
	w := newWorld(t)
	s := w.boundTo(simtest.Stranger)
	b := w.binder(simtest.Owner.Token)
	_, err := b.Bind(t.Context(), s.srv, Wanted{Account: "owner"})
	wantError(t, err, ErrBoundElsewhere, "stranger", "stranger@example.com", "force_rebind", untouched)
	w.wantUntouched(s)
	w.wantNothingSpent()
	r, err := b.Bind(t.Context(), s.srv, Wanted{Account: "owner", Force: true})
	if err != nil {
		t.Fatal(err)
	}
	wantBound(t, r, s, simtest.Owner)
	w.wantRestarts(s, 1)
}

func TestARevokedBindingOfTheWantedAccountIsRenewed(t *testing.T) {
	w := newWorld(t)
	s := w.boundTo(simtest.Owner)
	w.tv.RevokeToken(s.Token)
	r, err := w.binder(simtest.Owner.Token).Bind(t.Context(), s.srv, Wanted{Account: "owner"})
	if err != nil {
		t.Fatal(err)
	}
	wantBound(t, r, s, simtest.Owner)
	w.wantRestarts(s, 1)
}

func TestNothingIsStoppedAndNothingSpentWhereItCannotBeBoundAsWanted(t *testing.T) {
	open := t.TempDir()
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		start  func(w *world) *subject
		token  string
		wanted Wanted
		want   error
		says   string
	}{
		"another server":           {(*world).claimableOffline, simtest.Owner.Token, Wanted{ID: "0123"}, ErrOtherServer, "0123"},
		"nothing to claim with":    {(*world).claimableOffline, "", Wanted{Account: "owner"}, ErrNoClaimToken, "claim_token_wo"},
		"another's account token":  {(*world).claimableOffline, simtest.Stranger.Token, Wanted{Account: "owner"}, ErrWrongAccount, "stranger"},
		"account token is no good": {(*world).claimableOffline, "revokedAccountToken", Wanted{Account: "owner"}, plextv.ErrUnauthorized, "account_token"},
		"nobody says whose it is": {func(w *world) *subject { return w.start(simtest.Options{Token: "tokenThatNobodyKnows"}) },
			simtest.Owner.Token, Wanted{Account: "owner"}, ErrUnknownAccount, "force_rebind"},
		"backup directory is open": {func(w *world) *subject {
			return w.start(simtest.Options{Account: &simtest.Stranger}, func(o *server.Options) { o.Backup.Directory = open })
		}, simtest.Owner.Token, Wanted{Account: "owner", Force: true}, server.ErrBackupDirectory, "0700"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := test.start(w)
			_, err := w.binder(test.token).Bind(t.Context(), s.srv, test.wanted)
			wantError(t, err, test.want, test.says, untouched)
			w.wantUntouched(s)
			w.wantNothingSpent()
		})
	}
}

func TestNothingIsStoppedWhereTheClaimTokenIsNoGood(t *testing.T) {
	for name, test := range map[string]struct {
		token func(w *world) string
		want  error
		says  string
	}{
		"of another account": {func(w *world) string { return w.mint(simtest.Stranger) }, ErrWrongAccount, "stranger"},
		"expired": {func(w *world) string {
			token := w.mint(simtest.Owner)
			w.tv.SetClockOffset(plexsim.ClaimLifetime)
			return token
		}, plextv.ErrClaimRejected, "four minutes"},
		"used": {func(w *world) string {
			token := w.mint(simtest.Owner)
			if _, err := w.binder("").tv.Exchange(w.Context(), token, "another-server"); err != nil {
				w.Fatal(err)
			}
			return token
		}, plextv.ErrClaimRejected, "works once"},
		"no claim token at all": {func(*world) string { return simtest.Owner.Token }, plextv.ErrClaimRejected, "not sent"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, start := range []func(*world) *subject{(*world).unclaimed, func(w *world) *subject { return w.boundTo(simtest.Stranger) }} {
				w := newWorld(t)
				s := start(w)
				wanted := Wanted{Account: "owner", ClaimToken: test.token(w), Force: true}
				_, err := w.binder(simtest.Owner.Token).Bind(t.Context(), s.srv, wanted)
				wantError(t, err, test.want, test.says, untouched)
				w.wantUntouched(s)
				if n := w.asked("GET", pathMint); n > 0 {
					t.Errorf("%d claim tokens were minted in its place", n)
				}
			}
		})
	}
}

func TestAnOverloadedPlexTVCostsNoSecondClaimToken(t *testing.T) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		w := newWorld(t)
		s := w.boundTo(simtest.Owner)
		w.tv.Fail(plexsim.Fault{PathPrefix: pathExchange, Status: status})
		r, err := w.binder(simtest.Owner.Token).Rebind(t.Context(), s.srv, Wanted{Account: "owner"}, true)
		if err != nil {
			t.Fatal(err)
		}
		wantBound(t, r, s, simtest.Owner)
		if mints, exchanges := w.asked("GET", pathMint), w.asked("POST", pathExchange); mints != 1 || exchanges != 2 {
			t.Errorf("%d: %d claim tokens minted, %d exchanges", status, mints, exchanges)
		}
	}
}

func TestAClaimTokenThatMayBeUsedUpIsReplacedOnce(t *testing.T) {
	for _, kind := range []string{plexsim.FaultLost, plexsim.FaultCutOff, plexsim.FaultGarbage} {
		w := newWorld(t)
		s := w.boundTo(simtest.Owner)
		w.tv.Fail(plexsim.Fault{PathPrefix: pathExchange, Kind: kind})
		r, err := w.binder(simtest.Owner.Token).Rebind(t.Context(), s.srv, Wanted{Account: "owner"}, true)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		wantBound(t, r, s, simtest.Owner)
		w.wantRestarts(s, 1)
		if mints, exchanges := w.asked("GET", pathMint), w.asked("POST", pathExchange); mints != 2 || exchanges != 2 {
			t.Errorf("%s: %d claim tokens minted, %d exchanges", kind, mints, exchanges)
		}
	}
}

func TestNothingIsStoppedWhereTheExchangeIsLostEveryTime(t *testing.T) {
	for name, token := range map[string]func(*world) string{
		"minted": func(*world) string { return "" }, "given": func(w *world) string { return w.mint(simtest.Owner) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := w.boundTo(simtest.Owner)
			w.tv.Fail(plexsim.Fault{PathPrefix: pathExchange, Kind: plexsim.FaultLost, Count: -1})
			_, err := w.binder(simtest.Owner.Token).Rebind(t.Context(), s.srv, Wanted{Account: "owner", ClaimToken: token(w)}, true)
			wantError(t, err, plextv.ErrMaybeConsumed, untouched)
			w.wantUntouched(s)
			if n := w.asked("POST", pathExchange); n > 2 || name == "given" && n != 1 {
				t.Errorf("%d exchanges", n)
			}
		})
	}
}

func TestABindingThatChangesBeforeTheEditIsLeftAlone(t *testing.T) {
	w := newWorld(t)
	s := w.boundTo(simtest.Stranger)
	other := simtest.Preferences(s.Identity, simtest.Stranger, "tokenOfSomebodyElse")
	// The second question after the account is the last one before the edit.
	b := w.binder(simtest.Owner.Token, before(pathUser, 2, func() { s.WritePreferences(other) }))
	_, err := b.Bind(t.Context(), s.srv, Wanted{Account: "owner", Force: true})
	wantError(t, err, ErrChanged, untouched, "plan")
	s.before = other
	w.wantUntouched(s)
	w.wantNothingSpent()
}

// A server whose disk was full when it was claimed has its token in memory alone.
func TestAClaimThatTheServerWritesDownAsItStopsIsAdopted(t *testing.T) {
	for name, owner := range map[string]plexsim.Account{"as wanted": simtest.Owner, "to another": simtest.Stranger} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := w.boundTo(owner)
			s.WritePreferences(simtest.Preferences(s.Identity, plexsim.Account{}, ""))
			got, err := w.binder(simtest.Owner.Token).Bind(t.Context(), s.srv, Wanted{Account: "owner"})
			if owner == simtest.Stranger {
				wantError(t, err, ErrChanged, "plan")
			} else if err != nil || got.Status != Bound || got.TokenFingerprint != Fingerprint(s.Token) {
				t.Errorf("%v %+v", err, got)
			}
			if n := s.StopCount(); n != 1 || !s.Running() {
				t.Errorf("the server was stopped %d times; running %v", n, s.Running())
			}
		})
	}
}

func TestAStoppedServerIsBoundAndStaysStopped(t *testing.T) {
	w := newWorld(t)
	s := w.unclaimed()
	s.Stop()
	r, err := w.binder(simtest.Owner.Token).Bind(t.Context(), s.srv, Wanted{Account: "owner"})
	if err != nil {
		t.Fatal(err)
	}
	wantBound(t, r, s, simtest.Owner)
	if s.Running() || s.StartCount() != 1 || r.Running {
		t.Error("a stopped server was started")
	}
}

func TestABindingThatPlexTVDoesNotListYetIsSaidToNeedTime(t *testing.T) {
	w := newWorld(t, func(o *plexsim.PlexTVOptions) { o.ListingDelay = time.Hour })
	s := w.unclaimed()
	r, err := w.binder(simtest.Owner.Token).Bind(t.Context(), s.srv, Wanted{Account: "owner"})
	if err != nil {
		t.Fatal(err)
	}
	wantBound(t, r, s, simtest.Owner)
	wantWarning(t, r, "does not list the server")
}

func TestTheNextLookAsksPlexTVAgainAfterABinding(t *testing.T) {
	w := newWorld(t)
	seen, s := w.boundTo(simtest.Owner), w.unclaimed()
	b := w.binder(simtest.Owner.Token)
	look(t.Context(), t, b, seen, "owner", State{})
	if _, err := b.Bind(t.Context(), s.srv, Wanted{Account: "owner"}); err != nil {
		t.Fatal(err)
	}
	if r := look(t.Context(), t, b, s, "owner", State{}); r.Status != Bound {
		t.Errorf("what was bound a moment ago is %s", r.Status)
	}
}

func TestSomebodysTimeOutSaysNothingAboutPlexTV(t *testing.T) {
	w := newWorld(t)
	b := w.binder(simtest.Owner.Token)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if o := b.ownership(ctx); !errors.Is(o.err, context.Canceled) {
		t.Errorf("error is %v", o.err)
	}
	if o := b.ownership(t.Context()); o.err != nil || o.account.Username != "owner" {
		t.Errorf("the next one hears %v", o.err)
	}
}
