package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

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
		CheckDestroy: func(*terraform.State) error {
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
