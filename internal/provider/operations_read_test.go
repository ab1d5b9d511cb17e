package provider_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// adopted is a server that is bound to Owner and that Terraform manages.
func adopted(t *testing.T, lines ...string) *operations {
	t.Helper()
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	o := operate(w, den, w.config(simtest.Owner, bindingOf("den", den, lines...)))
	o.apply().did(0, asksOwned)
	return o
}

// plans asserts what plan means to do with the binding, and what planning cost.
func (o *operations) plans(actions []string, asked ...[]string) outcome {
	o.Helper()
	got := o.terraform("plan", "-out=planned")
	got.did(0, asked...)
	out, err := o.output("show", "-json", "planned")
	if err != nil {
		o.Fatalf("terraform show: %s", out)
	}
	var plan struct {
		ResourceChanges []struct {
			Change struct{ Actions []string }
		} `json:"resource_changes"`
	}
	if err := json.Unmarshal(out, &plan); err != nil {
		o.Fatal(err)
	}
	if len(plan.ResourceChanges) != 1 || !slices.Equal(plan.ResourceChanges[0].Change.Actions, actions) {
		o.Errorf("the plan is %+v, want %v", plan.ResourceChanges, actions)
	}
	return got
}

func TestOperationReadOfAnUnchangedServerPlansNothing(t *testing.T) {
	t.Parallel()
	o := adopted(t)
	o.plans([]string{"no-op"}, asksOwned)
}

func TestOperationReadOfAnUnclaimedServerPlansItsCreation(t *testing.T) {
	t.Parallel()
	o := adopted(t, `account = "owner"`)
	o.den.becomes(simtest.Preferences(o.den.Identity, plexsim.Account{}, ""))
	o.plans([]string{"create"}, asksNothing).warned("unclaimed")
	o.apply().did(0, asksClaim)
	o.isBound(simtest.Owner)
}

func TestOperationReadShowsAnotherAccountAndPlansARebind(t *testing.T) {
	t.Parallel()
	o := adopted(t, `account = "owner"`)
	o.taken(o.den, simtest.Stranger)
	o.terraform("apply", "-refresh-only", "-auto-approve").did(0, asksOwned)
	o.stateHas("bound_elsewhere", simtest.Stranger)
	o.plans([]string{"update"}, asksOwned)
	o.rebinds(simtest.Owner, asksOwned, asksOwned, asksClaim)
}

func TestOperationReadShowsARevokedTokenAndPlansARebind(t *testing.T) {
	t.Parallel()
	o := adopted(t, `account = "owner"`)
	if !o.tv.RevokeToken(o.den.token()) {
		t.Fatal("plex.tv does not know the token")
	}
	o.terraform("apply", "-refresh-only", "-auto-approve").did(0, asksOwned)
	o.stateHas("revoked", simtest.Owner)
	o.plans([]string{"update"}, asksOwned)
	o.rebinds(simtest.Owner, asksOwned, asksOwned, asksClaim)
}

func TestOperationReadAfterAllTokensOfTheAccountWereRevokedGoesOnWithAWarning(t *testing.T) {
	t.Parallel()
	o := adopted(t, `account = "owner"`)
	if err := o.tv.RevokeAccount(simtest.Owner.Username); err != nil {
		t.Fatal(err)
	}
	// With the account token gone too, plex.tv says nothing about the server.
	o.plans([]string{"no-op"}, []string{askUser}).warned("plex.tv")
	renewed := simtest.Owner
	renewed.Token = "ownerAccountTokenNew"
	o.tv.AddAccount(renewed)
	o.write(o.config(renewed, bindingOf("den", o.den, `account = "owner"`)))
	o.plans([]string{"update"}, asksOwned)
	o.rebinds(renewed, asksOwned, asksOwned, asksClaim)
}

func TestOperationReadOfAnUnreadableServerIsAnErrorAndKeepsItInState(t *testing.T) {
	t.Parallel()
	o := adopted(t)
	good := o.den.Preferences()
	o.den.Stop()
	o.den.WritePreferences([]byte("<Preferences "))
	o.terraform("plan").failed([]string{o.den.HostPath(o.den.PreferencesPath()), o.den.way.name, "still in state", "-refresh=false"}, asksNothing)
	if o.state()["id"] != o.den.Identity.Processed {
		t.Error("the server is not in state any more")
	}
	o.den.WritePreferences(good)
	o.den.Start()
	o.den.WaitReady()
	o.plans([]string{"no-op"}, asksOwned)
}

func TestOperationImportByTheJSONOfServerStopsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	o := operate(w, den, w.config(simtest.Owner, bindingOf("den", den)))
	if out, err := o.output("import", "-no-color", address, den.importID()); err != nil {
		t.Fatalf("import failed: %s", out)
	}
	if n := den.StopCount(); n != 0 {
		t.Errorf("the server was stopped %d times, want 0", n)
	}
	o.isBound(simtest.Owner)
	o.plans([]string{"no-op"}, asksOwned)
}

// stateHas asserts what state says of the binding.
func (o *operations) stateHas(status string, account plexsim.Account) {
	o.Helper()
	if s := o.state(); s["status"] != status || s["username"] != account.Username || s["email"] != account.Email {
		o.Errorf("state says %v, %v, %v; want %s, %s", s["status"], s["username"], s["email"], status, account.Username)
	}
}

// rebinds applies, and asserts that the server got a new token in one stop, was
// bound all the time, and that the token was got beforehand.
func (o *operations) rebinds(to plexsim.Account, asked ...[]string) {
	o.Helper()
	before, starts := o.den.token(), o.den.StartCount()
	end := o.den.watch()
	defer end()
	o.apply().did(1, asked...)
	if seen := end(); seen.unclaimed != 0 || seen.bound == 0 {
		o.Errorf("the server was seen as %+v, want always bound", seen)
	}
	if o.den.token() == before || o.den.StartCount() != starts+1 {
		o.Errorf("starts: %d, want one; is the token another one: %t", o.den.StartCount()-starts, o.den.token() != before)
	}
	o.isBound(to)
}
