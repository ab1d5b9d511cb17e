package binding

import (
	"sync"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
)

func TestJudge(t *testing.T) {
	const id = "the-server"
	owner := plextv.Account{Username: "owner", Email: "owner@example.com"}
	owns := ownership{account: owner, servers: plextv.OwnedServers{id: {}}}
	ownsNone := ownership{account: owner, servers: plextv.OwnedServers{"another": {}}}
	silent := ownership{err: plextv.ErrNoAccountToken}
	down := ownership{err: plextv.ErrUnavailable}
	mine := State{ID: id, Status: Bound, Username: "owner", Email: "owner@example.com"}
	theirs := State{ID: id, Status: Bound, Username: "stranger", Email: "stranger@example.com"}
	onlyMail := State{ID: id, Status: Bound, Email: "Owner@Example.com"}
	nameless := State{ID: id, Status: Bound}
	for _, test := range []struct {
		name     string
		seen     State
		account  string
		tv       ownership
		want     Status
		username string
	}{
		{"mine, listed", mine, "owner", owns, Bound, "owner"},
		{"mine, by mail in another case", mine, "OWNER@example.com", owns, Bound, "owner"},
		{"mine, whoever is wanted", mine, "", owns, Bound, "owner"},
		{"mine, not listed", mine, "owner", ownsNone, Revoked, "owner"},
		{"mine, not listed, whoever is wanted", mine, "", ownsNone, Revoked, "owner"},
		{"mine, not listed, another is wanted", mine, "stranger", ownsNone, Revoked, "owner"},
		{"mine, nobody asked", mine, "owner", silent, Bound, "owner"},
		{"mine, plex.tv is down", mine, "owner", down, Bound, "owner"},
		{"mine, another is wanted", mine, "stranger", owns, BoundElsewhere, "owner"},
		{"mine by mail only, not listed", onlyMail, "owner@example.com", ownsNone, Revoked, ""},
		{"theirs", theirs, "owner", ownsNone, BoundElsewhere, "stranger"},
		{"theirs is not revoked for being none of mine", theirs, "stranger", ownsNone, Bound, "stranger"},
		{"theirs, whoever is wanted", theirs, "", ownsNone, Bound, "stranger"},
		{"theirs, nobody asked", theirs, "owner", silent, BoundElsewhere, "stranger"},
		{"nameless, listed", nameless, "owner", owns, Bound, "owner"},
		{"nameless, listed, whoever is wanted", nameless, "", owns, Bound, "owner"},
		{"nameless, listed, another is wanted", nameless, "stranger", owns, BoundElsewhere, "owner"},
		{"nameless, not listed", nameless, "owner", ownsNone, Unknown, ""},
		{"nameless, nobody asked", nameless, "owner", silent, Unknown, ""},
		{"nameless, plex.tv is down", nameless, "owner", down, Unknown, ""},
		{"nameless, whoever is wanted", nameless, "", silent, Bound, ""},
	} {
		got := judge(test.seen, test.account, test.tv)
		if got.Status != test.want || got.Username != test.username {
			t.Errorf("%s: %s of %q, want %s of %q", test.name, got.Status, got.Username, test.want, test.username)
		}
	}
}

func TestLookTellsTheFiveStatusesApart(t *testing.T) {
	w := newWorld(t)
	revoked := w.boundTo(simtest.Owner)
	w.tv.RevokeToken(revoked.Token)
	nameless := w.start(simtest.Options{Token: "tokenThatNobodyKnows"})
	for want, s := range map[Status]*subject{
		Unclaimed: w.unclaimed(), Bound: w.boundTo(simtest.Owner), BoundElsewhere: w.boundTo(simtest.Stranger),
		Revoked: revoked, Unknown: nameless,
	} {
		r := look(t.Context(), t, w.binder(simtest.Owner.Token), s, "owner@example.com", State{})
		if r.Status != want || r.ID != s.Identity.Processed || len(r.Warnings) > 0 || r.Changed {
			t.Errorf("got %+v, want %s", r, want)
		}
		if (r.TokenFingerprint == "") != (want == Unclaimed) || r.TokenFingerprint != Fingerprint(s.token()) {
			t.Errorf("%s: fingerprint is %q", want, r.TokenFingerprint)
		}
		w.wantUntouched(s)
	}
	w.wantNothingSpent()
}

func TestAnEmptyTokenIsUnclaimed(t *testing.T) {
	w := newWorld(t)
	sim := simtest.NewServer(t, simtest.Options{Preferences: []byte(
		`<Preferences ProcessedMachineIdentifier="0123456789012345678901234567890123456789" PlexOnlineToken="" PlexOnlineUsername="owner"/>`)})
	r, err := w.binder("").Look(t.Context(), w.reach(sim), "owner", State{})
	if err != nil || r.Status != Unclaimed || r.TokenFingerprint != "" || r.Username != "" {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestPlexTVIsAskedOnceForAllServers(t *testing.T) {
	w := newWorld(t)
	servers := []*subject{w.boundTo(simtest.Owner), w.boundTo(simtest.Stranger), w.boundTo(simtest.Owner)}
	b := w.binder(simtest.Owner.Token)
	var wg sync.WaitGroup
	for range 4 {
		for _, s := range servers {
			wg.Go(func() {
				if _, err := b.Look(t.Context(), s.srv, "owner", State{}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if users, lists := len(w.ours("GET", pathUser)), len(w.ours("GET", pathServers)); users != 1 || lists != 1 {
		t.Errorf("asked %d times for the account and %d times for its servers, want once", users, lists)
	}
}

func TestPlexTVIsNotAskedAboutUnclaimedServersOrWithoutAToken(t *testing.T) {
	w := newWorld(t)
	unclaimed, bound := w.unclaimed(), w.boundTo(simtest.Owner)
	look(t.Context(), t, w.binder(simtest.Owner.Token), unclaimed, "owner", State{})
	r := look(t.Context(), t, w.binder(""), bound, "owner", State{})
	if r.Status != Bound || len(r.Warnings) > 0 {
		t.Errorf("got %+v", r)
	}
	if got := w.ours("", "/"); len(got) > 0 {
		t.Errorf("plex.tv was asked %+v", got)
	}
}

func TestThePreferencesDecideWherePlexTVDoesNotAnswer(t *testing.T) {
	for name, fault := range map[string]plexsim.Fault{
		"refuses": {Kind: plexsim.FaultRefuse, Count: -1}, "is overloaded": {Status: 503, Count: -1},
		"talks nonsense": {Kind: plexsim.FaultGarbage, Count: -1}, "does not know the token": {Status: 401, Count: -1},
		"has no list": {Status: 500, Count: -1, PathPrefix: pathServers},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := w.boundTo(simtest.Owner)
			w.tv.Fail(fault)
			b := w.binder(simtest.Owner.Token)
			for account, want := range map[string]Status{"owner": Bound, "stranger": BoundElsewhere} {
				r := look(t.Context(), t, b, s, account, State{})
				if r.Status != want || r.Username != "owner" {
					t.Errorf("%s: got %+v", account, r.State)
				}
				wantWarning(t, r, "plex.tv did not say")
			}
			if asked := len(w.ours("", "/")); asked > 3 {
				t.Errorf("plex.tv was asked %d times", asked)
			}
		})
	}
}

func TestLookKeepsTheNamesThatWereRecordedForTheSameToken(t *testing.T) {
	w := newWorld(t)
	s := w.start(simtest.Options{Token: "tokenThatNobodyKnows"})
	b := w.binder("")
	known := s.state()
	known.Username, known.Email = "owner", "owner@example.com"
	if r := look(t.Context(), t, b, s, "owner", known); r.Status != Bound || r.Username != "owner" || r.Email != "owner@example.com" {
		t.Errorf("the same token: %+v", r)
	}
	if r := look(t.Context(), t, b, s, "stranger", known); r.Status != BoundElsewhere {
		t.Errorf("another is wanted: %+v", r)
	}
	known.TokenFingerprint = Fingerprint("another token")
	if r := look(t.Context(), t, b, s, "owner", known); r.Status != Unknown || r.Username != "" {
		t.Errorf("another token: %+v", r)
	}
}

func TestWhatTheServerSaysGoesBeforeWhatWasRecorded(t *testing.T) {
	w := newWorld(t)
	s := w.boundTo(simtest.Stranger)
	known := s.state()
	known.Username = "owner"
	if r := look(t.Context(), t, w.binder(""), s, "owner", known); r.Status != BoundElsewhere || r.Username != "stranger" {
		t.Errorf("got %+v", r)
	}
}
