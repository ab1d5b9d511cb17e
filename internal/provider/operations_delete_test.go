package provider_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

func TestOperationDeleteRemovesTheFourKeysAndNothingElseInOneStop(t *testing.T) {
	t.Parallel()
	o := adopted(t)
	before := o.den.inItsOwnHand()
	o.destroy().did(1, asksOwned)
	o.isUnclaimed(before)
	if o.state() != nil {
		t.Error("it is still in state")
	}
}

func TestOperationDeleteOfAnUnclaimedServerStopsNothing(t *testing.T) {
	t.Parallel()
	o := adopted(t)
	o.den.becomes(simtest.Preferences(o.den.Identity, plexsim.Account{}, ""))
	before := o.den.Preferences()
	o.terraform("destroy", "-auto-approve", "-refresh=false").did(0, asksNothing)
	o.isUnclaimed(before)
}

func TestOperationDeleteLeavesABindingWithAnotherFingerprintAlone(t *testing.T) {
	t.Parallel()
	o := adopted(t)
	o.taken(o.den, simtest.Stranger)
	before := o.den.Preferences()
	got := o.terraform("destroy", "-auto-approve", "-refresh=false")
	got.did(0, asksNothing)
	got.warned("left")
	if !bytes.Equal(o.den.Preferences(), before) {
		t.Error("the preferences were changed")
	}
}

func TestOperationDeleteWithDeregisterRemovesTheDevice(t *testing.T) {
	t.Parallel()
	o := adopted(t, "on_destroy = { deregister = true }")
	isServer := func(d plexsim.Device) bool { return d.ClientID == o.den.Identity.Processed }
	at := slices.IndexFunc(o.tv.Devices(), isServer)
	if at < 0 {
		t.Fatal("plex.tv has no device of the server")
	}
	id, token, before := o.tv.Devices()[at].ID, o.den.token(), o.den.inItsOwnHand()
	o.destroy().did(1, asksOwned, []string{askDevices, "DELETE /devices/" + id + ".xml"})
	o.isUnclaimed(before)
	if slices.ContainsFunc(o.tv.Devices(), isServer) || o.tv.RevokeToken(token) {
		t.Error("plex.tv still has the device, or honours its token")
	}
}

const createFirst = "lifecycle {\n create_before_destroy = true\n }"

func TestOperationReplaceWithCreateBeforeDestroyLeavesTheServerBound(t *testing.T) {
	t.Parallel()
	o := adopted(t, createFirst)
	before := o.den.Preferences()
	o.apply("-replace="+address).did(0, asksOwned, asksOwned)
	if !bytes.Equal(o.den.Preferences(), before) {
		t.Error("the preferences were changed")
	}
	o.isBound(simtest.Owner)
	o.plans([]string{"no-op"}, asksOwned)
}

func TestOperationReplaceWithAnotherAccountAndCreateBeforeDestroyLeavesTheServerBoundToIt(t *testing.T) {
	t.Parallel()
	o := adopted(t, createFirst)
	o.write(o.config(simtest.Stranger, bindingOf("den", o.den, createFirst, `account = "stranger"`, "force_rebind = true")))
	end := o.den.watch()
	defer end()
	o.apply("-replace="+address).did(1, asksOwned, asksOwned, asksClaim)
	if seen := end(); seen.unclaimed != 0 || seen.bound == 0 {
		t.Errorf("the server was seen as %+v, want always bound", seen)
	}
	o.isBound(simtest.Stranger)
	o.plans([]string{"no-op"}, asksOwned)
}

func TestOperationReplaceUnbindsAndClaimsAnewInOneStop(t *testing.T) {
	t.Parallel()
	o := adopted(t)
	before := o.den.token()
	o.apply("-replace="+address).did(1, asksOwned, asksClaim)
	o.isBound(simtest.Owner)
	if o.den.token() == before {
		t.Error("it has its old token")
	}
}

func TestOperationForEachOverFiveServersStopsEachAtDestroyOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dens, entries := []*subject{}, []string{}
	for i := range 5 {
		s := w.unclaimed()
		dens = append(dens, s)
		entries = append(entries, fmt.Sprintf("server%d = %s", i, s.hcl()))
	}
	c := newCLI(t, w.config(simtest.Owner, "locals {\n servers = {\n"+strings.Join(entries, "\n")+"\n }\n}\n"+
		"resource \"plex_server_account_binding\" \"fleet\" {\n for_each = local.servers\n server = each.value\n account = \"owner\"\n}\n"))
	stopped := func(when string, times int) {
		t.Helper()
		for i, s := range dens {
			if n := s.StopCount(); n != times || !s.Running() {
				t.Errorf("%s server %d was stopped %d times, want %d; it runs: %t", when, i, n, times, s.Running())
			}
			if bound := s.token() != ""; bound != (times == 0) {
				t.Errorf("%s server %d is bound: %t", when, i, bound)
			}
		}
	}
	w.tv.ClearRequests()
	c.must("apply", "-auto-approve", "-json")
	stopped("after create", 0)
	if n := len(w.tv.RequestsTo(http.MethodPost, "/api/claim/exchange")); n != len(dens) {
		t.Errorf("%d claim tokens were exchanged, want %d", n, len(dens))
	}
	if n := len(w.tv.RequestsTo(http.MethodGet, "/api/claim/token")); n != len(dens) {
		t.Errorf("%d claim tokens were minted, want %d", n, len(dens))
	}
	w.tv.ClearRequests()
	c.must("plan", "-json", "-detailed-exitcode")
	if got := w.asked(); !slices.Equal(got, asksOwned) {
		t.Errorf("a plan for five servers asked %v, want %v", got, asksOwned)
	}
	w.tv.ClearRequests()
	c.must("destroy", "-auto-approve", "-json")
	stopped("after destroy", 1)
	if got := w.asked(); !slices.Equal(got, asksOwned) {
		t.Errorf("a destroy of five servers asked %v, want %v", got, asksOwned)
	}
}

// isUnclaimed asserts that the server runs, and that nothing but the four keys
// differs from before.
func (o *operations) isUnclaimed(before []byte) {
	o.Helper()
	if !o.den.Running() {
		o.Error("the server does not run")
	}
	want := before
	for _, key := range []string{"PlexOnlineHome", "PlexOnlineMail", "PlexOnlineToken", "PlexOnlineUsername"} {
		start := bytes.Index(want, []byte(" "+key+`="`))
		if start < 0 {
			continue
		}
		value := start + len(key) + 3
		end := value + bytes.IndexByte(want[value:], '"') + 1
		want = slices.Concat(want[:start], want[end:])
	}
	if got := o.den.Preferences(); !bytes.Equal(got, want) {
		o.Errorf("the preferences are\n%s\nwant\n%s", got, want)
	}
}

// inItsOwnHand are the preferences as the server itself writes them: the one that
// is stopped does that once more, and another spelling would be gone.
func (s *subject) inItsOwnHand() []byte {
	s.Stop()
	s.Start()
	s.WaitReady()
	return s.Preferences()
}
