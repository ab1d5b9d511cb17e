package binding

import (
	"bytes"
	"net/http"
	"regexp"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
)

func TestUnbindRemovesTheFourKeys(t *testing.T) {
	w := newWorld(t)
	s := w.boundTo(simtest.Owner)
	r, err := w.binder(simtest.Owner.Token).Unbind(t.Context(), s.srv, s.state(), false)
	if err != nil || r.Status != Unclaimed || !r.Changed || r.LastBackup == "" || len(r.Warnings) > 0 {
		t.Errorf("got %+v, %v", r, err)
	}
	if keys := regexp.MustCompile(`\sPlexOnline(Token|Username|Mail|Home)="`).FindAll(s.Preferences(), -1); len(keys) > 0 {
		t.Errorf("still there: %q", keys)
	}
	if !bytes.Contains(s.Preferences(), []byte(`PlexOnlineTokenHint=`)) {
		t.Error("a key with a longer name is gone")
	}
	w.wantRestarts(s, 1)
	if len(w.tv.RequestsTo("", pathDevices)) > 0 {
		t.Error("plex.tv was asked about devices")
	}
}

func TestUnbindLeavesWhatIsNotItsOwn(t *testing.T) {
	for name, test := range map[string]struct {
		start func(*world) *subject
		known func(*subject) State
		says  string
	}{
		"another token": {func(w *world) *subject { return w.boundTo(simtest.Stranger) },
			func(s *subject) State {
				return State{ID: s.Identity.Processed, TokenFingerprint: Fingerprint("old token")}
			}, "another token"},
		"another server": {func(w *world) *subject { return w.boundTo(simtest.Owner) },
			func(s *subject) State { return State{ID: "0123", TokenFingerprint: s.state().TokenFingerprint} }, "0123"},
		"another server, unclaimed": {(*world).unclaimed, func(*subject) State { return State{ID: "0123"} }, "0123"},
		"no fingerprint recorded": {func(w *world) *subject { return w.boundTo(simtest.Owner) },
			func(s *subject) State { return State{ID: s.Identity.Processed} }, "another token"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := test.start(w)
			r, err := w.binder(simtest.Owner.Token).Unbind(t.Context(), s.srv, test.known(s), true)
			if err != nil || r.Changed {
				t.Errorf("got %+v, %v", r, err)
			}
			wantWarning(t, r, test.says)
			w.wantUntouched(s)
			if n := len(w.tv.RequestsTo("", pathDevices)); n > 0 {
				t.Errorf("%d requests about devices", n)
			}
		})
	}
}

// create_before_destroy: the new resource adopts or makes the binding, and then
// the old one, whose state describes the same one, is destroyed.
func TestUnbindLeavesABindingThatThisRunHolds(t *testing.T) {
	for name, hold := range map[string]func(*world, *Binder, *subject) error{
		"adopted": func(w *world, b *Binder, s *subject) error {
			_, err := b.Bind(w.Context(), s.srv, Wanted{Account: "owner"})
			return err
		},
		"made": func(w *world, b *Binder, s *subject) error {
			_, err := b.Rebind(w.Context(), s.srv, Wanted{Account: "owner"}, true)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := w.boundTo(simtest.Owner)
			b := w.binder(simtest.Owner.Token)
			if err := hold(w, b, s); err != nil {
				t.Fatal(err)
			}
			stops := s.StopCount()
			r, err := b.Unbind(t.Context(), s.srv, s.state(), true)
			if err != nil || r.Changed || s.StopCount() != stops || s.token() == "" {
				t.Errorf("got %+v, %v", r, err)
			}
			wantWarning(t, r, "created in its place")
			if w.asked("DELETE", pathDevices) > 0 {
				t.Error("its device was removed")
			}
			// Another run holds nothing.
			if _, err := w.binder("").Unbind(t.Context(), s.srv, s.state(), false); err != nil || s.token() != "" {
				t.Errorf("another run could not unbind: %v", err)
			}
		})
	}
}

func TestUnbindOfAnUnclaimedServerStopsNothing(t *testing.T) {
	w := newWorld(t)
	s := w.unclaimed()
	r, err := w.binder("").Unbind(t.Context(), s.srv, State{ID: s.Identity.Processed, TokenFingerprint: Fingerprint("old token")}, false)
	if err != nil || r.Changed || len(r.Warnings) > 0 || r.Status != Unclaimed {
		t.Errorf("got %+v, %v", r, err)
	}
	w.wantUntouched(s)
}

func TestDeregisterLooksBeforeTheStopAndRemovesAfterIt(t *testing.T) {
	w := newWorld(t)
	s := w.boundTo(simtest.Owner)
	r, err := w.binder(simtest.Owner.Token).Unbind(t.Context(), s.srv, s.state(), true)
	if err != nil || !r.Changed || len(r.Warnings) > 0 {
		t.Fatalf("got %+v, %v", r, err)
	}
	looks, removals := w.tv.RequestsTo("GET", pathDevices), w.tv.RequestsTo("DELETE", pathDevices)
	if len(looks) != 1 || len(removals) != 1 {
		t.Fatalf("%d looks, %d removals", len(looks), len(removals))
	}
	for _, event := range s.Events() {
		if event.Event == plexsim.EventStopping && (!looks[0].Time.Before(event.Time) || !event.Time.Before(removals[0].Time)) {
			t.Errorf("looked at %v, stopped at %v, removed at %v", looks[0].Time, event.Time, removals[0].Time)
		}
	}
	w.wantRestarts(s, 1)
	if w.tv.RevokeToken(s.Token) {
		t.Error("the token is still valid")
	}
}

func TestNothingIsStoppedWhereTheDeviceCannotBeLookedUp(t *testing.T) {
	for name, test := range map[string]struct {
		token string
		fault plexsim.Fault
		want  error
		says  string
	}{
		"no account token": {"", plexsim.Fault{PathPrefix: "/none"}, plextv.ErrNoAccountToken, "on_destroy.deregister needs account_token"},
		"plex.tv is down":  {simtest.Owner.Token, plexsim.Fault{PathPrefix: pathDevices, Count: -1}, plextv.ErrUnavailable, "503"},
		"token is revoked": {"revokedAccountToken", plexsim.Fault{PathPrefix: "/none"}, plextv.ErrUnauthorized, "account_token"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			s := w.boundTo(simtest.Owner)
			w.tv.Fail(test.fault)
			_, err := w.binder(test.token).Unbind(t.Context(), s.srv, s.state(), true)
			wantError(t, err, test.want, test.says, untouched)
			w.wantUntouched(s)
		})
	}
}

func TestAServerWithoutADeviceIsUnboundWithAWarning(t *testing.T) {
	w := newWorld(t)
	s := w.boundTo(simtest.Stranger)
	r, err := w.binder(simtest.Owner.Token).Unbind(t.Context(), s.srv, s.state(), true)
	if err != nil || !r.Changed || r.Status != Unclaimed {
		t.Errorf("got %+v, %v", r, err)
	}
	wantWarning(t, r, "no device")
	if w.asked("DELETE", pathDevices) > 0 {
		t.Error("some device was removed")
	}
}

func TestAnUnclaimedServerWhoseDeviceIsLeftIsDeregisteredByApplyingAgain(t *testing.T) {
	w := newWorld(t)
	s := w.boundTo(simtest.Owner)
	b, known := w.binder(simtest.Owner.Token), s.state()
	w.tv.Fail(plexsim.Fault{Method: "DELETE", PathPrefix: pathDevices, Count: 2})
	_, err := b.Unbind(t.Context(), s.srv, known, true)
	wantError(t, err, plextv.ErrUnavailable, "unclaimed", "still registered", "Apply again")
	w.wantRestarts(s, 1)
	if r, err := b.Unbind(t.Context(), s.srv, known, true); err != nil || r.Status != Unclaimed {
		t.Errorf("got %+v, %v", r, err)
	}
	w.wantRestarts(s, 1)
	if w.tv.RevokeToken(s.Token) {
		t.Error("the token is still valid")
	}
}

func TestUnbindLeavesABindingThatChangesBeforeTheStop(t *testing.T) {
	w := newWorld(t)
	s := w.boundTo(simtest.Owner)
	known := s.state()
	b := w.binder(simtest.Owner.Token, before(pathDevices, 1, func() { w.handOver(s, simtest.Stranger) }))
	_, err := b.Unbind(t.Context(), s.srv, known, true)
	wantError(t, err, ErrChanged, "runs again with the preferences that it had")
	s.WaitReady() // it was told to start, and nobody has waited for it
	w.wantRestarts(s, 1)
	found, err := s.srv.Inspect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := stateOf(found); got.Username != simtest.Stranger.Username || got.TokenFingerprint == known.TokenFingerprint {
		t.Errorf("it is bound to %+v", got)
	}
	if w.asked("DELETE", pathDevices) > 0 {
		t.Error("its device was removed")
	}
}

// handOver signs the running server out, and claims it for another account,
// through its own API.
func (w *world) handOver(s *subject, to plexsim.Account) {
	w.Helper()
	token, err := w.tv.MintClaim(to.Username)
	if err != nil {
		w.Fatal(err)
	}
	for _, ask := range [][2]string{
		{http.MethodDelete, s.URL() + "/myplex/account"},
		{http.MethodPost, s.URL() + "/myplex/claim?token=" + token},
	} {
		request, err := http.NewRequestWithContext(w.Context(), ask[0], ask[1], http.NoBody)
		if err != nil {
			w.Fatal(err)
		}
		request.Header.Set("X-Plex-Token", simtest.Owner.Token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			w.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusOK {
			w.Fatalf("%s /myplex: HTTP %d", ask[0], response.StatusCode)
		}
	}
}
