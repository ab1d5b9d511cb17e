package provider_test

import (
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

func TestBindingClaimsAnUnclaimedServerAndUnbindsItAtDestroy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.unclaimed()
	config := w.config(simtest.Owner, bindingOf("den", den, `account = "owner@example.com"`))
	resource.UnitTest(t, resource.TestCase{
		ProtoV6ProviderFactories: factories(),
		Steps: []resource.TestStep{
			{
				Config: config,
				Check: resource.ComposeAggregateTestCheckFunc(
					resource.TestCheckResourceAttr(address, "id", den.Identity.Processed),
					resource.TestCheckResourceAttr(address, "status", "bound"),
					resource.TestCheckResourceAttr(address, "username", "owner"),
					resource.TestCheckResourceAttr(address, "email", "owner@example.com"),
					resource.TestCheckResourceAttr(address, "platform", "linux"),
					resource.TestCheckResourceAttr(address, "preferences_path", den.PreferencesPath()),
					resource.TestCheckResourceAttrSet(address, "version"),
					resource.TestCheckResourceAttrWith(address, "token_fingerprint", func(got string) error {
						return same("token_fingerprint", got, den.fingerprint())
					}),
				),
			},
			{
				Config:           config,
				ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectEmptyPlan()}},
			},
		},
		CheckDestroy: func(*terraformState) error {
			return same("token after destroy", den.token(), "")
		},
	})
	if n := den.StopCount(); n != 1 {
		t.Errorf("the server was stopped %d times, want once: by destroy", n)
	}
	if !den.Running() {
		t.Error("the server does not run")
	}
}

func TestAServerThatRefusesToBeClaimedOnlineIsClaimedInOneStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.unclaimed(func(c *plexsim.Config) { c.RefuseClaim = true })
	w.apply(resource.TestStep{
		Config: w.config(simtest.Owner, bindingOf("den", den, `account = "owner"`)),
		Check: resource.ComposeAggregateTestCheckFunc(
			resource.TestCheckResourceAttr(address, "username", "owner"),
			resource.TestCheckResourceAttrSet(address, "last_backup"),
			func(*terraformState) error { return same("number of stops", den.StopCount(), 1) },
		),
	})
}

func TestCreateWaitsUntilPlexTVListsTheServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *plexsim.PlexTVOptions) { o.ListingDelay = 300 * time.Millisecond })
	den := w.unclaimed()
	// A plan that took the new token for revoked would not be empty.
	w.apply(resource.TestStep{Config: w.config(simtest.Owner, bindingOf("den", den))})
}

func TestDestroyWaitsForAServerThatIsSlowToStop(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Owner, func(c *plexsim.Config) { c.StopDelay = plexsim.Duration(500 * time.Millisecond) })
	w.apply(resource.TestStep{Config: w.config(simtest.Owner, bindingOf("den", den))})
	if den.token() != "" || !den.Running() || den.StopCount() != 1 {
		t.Errorf("after destroy: token %q, running %t, stopped %d times; want none, true, once", den.fingerprint(), den.Running(), den.StopCount())
	}
}
