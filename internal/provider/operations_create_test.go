package provider_test

import (
	"bytes"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

func TestOperationCreateClaimsAnUnclaimedServerOnlineWithoutAStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.unclaimed()
	o := operate(w, den, w.config(simtest.Owner, bindingOf("den", den, `account = "owner"`)))
	o.apply().did(0, asksClaim)
	o.isBound(simtest.Owner)
}

func TestOperationCreateClaimsAServerThatRefusesOnlineInOneStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.unclaimed(func(c *plexsim.Config) { c.RefuseClaim = true })
	o := operate(w, den, w.config(simtest.Owner, bindingOf("den", den, `account = "owner"`)))
	o.apply().did(1, asksClaimTwice)
	o.exchangedBeforeStop()
	o.isBound(simtest.Owner)
}

func TestOperationCreateSpendsAGivenClaimTokenOnceWhereOnlineIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.unclaimed(func(c *plexsim.Config) { c.RefuseClaim = true })
	o := operate(w, den, w.config(plexsim.Account{}, bindingOf("den", den, "claim_token_wo = "+quote(w.claimToken(simtest.Owner)))))
	o.apply().did(1, []string{askExchange})
	o.exchangedBeforeStop()
	o.isBound(simtest.Owner)
}

func TestOperationCreateAdoptsAServerThatIsBoundToTheAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	before := den.Preferences()
	o := operate(w, den, w.config(simtest.Owner, bindingOf("den", den, `account = "owner@example.com"`)))
	o.apply().did(0, asksOwned)
	o.isBound(simtest.Owner)
	if !bytes.Equal(den.Preferences(), before) {
		t.Error("the preferences were changed")
	}
}

func TestOperationCreateAdoptsWhoeverWhereNoAccountIsSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Stranger)
	o := operate(w, den, w.config(plexsim.Account{}, bindingOf("den", den)))
	o.apply().did(0, asksNothing)
	o.isBound(simtest.Stranger)
	// The record is not empty because nothing is ever recorded.
	o.write(w.config(simtest.Owner, bindingOf("den", den)))
	o.terraform("plan").did(0, asksOwned)
}

func TestOperationCreateRefusesAServerOfAnotherAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Stranger)
	before := den.Preferences()
	o := operate(w, den, w.config(simtest.Owner, bindingOf("den", den, `account = "owner"`)))
	o.apply().failed([]string{"stranger@example.com", "force_rebind", "Nothing was stopped"}, asksOwned)
	if o.state() != nil || !bytes.Equal(den.Preferences(), before) {
		t.Error("something was changed")
	}
}

func TestOperationCreateTakesOverWithForceRebindInOneStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Stranger)
	o := operate(w, den, w.config(simtest.Owner, bindingOf("den", den, `account = "owner"`, "force_rebind = true")))
	end := den.watch()
	defer end()
	o.apply().did(1, asksOwned, asksOwned, asksClaim)
	o.exchangedBeforeStop()
	if seen := end(); seen.unclaimed != 0 || seen.bound == 0 {
		t.Errorf("the server was seen as %+v, want always bound", seen)
	}
	o.isBound(simtest.Owner)
}
