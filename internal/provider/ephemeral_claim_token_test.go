package provider_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// echo shows the ephemeral claim token in state, as nothing but a test may.
const echo = `
ephemeral "plex_claim_token" "new" {}
provider "echo" {
  data = ephemeral.plex_claim_token.new
}
resource "echo" "shown" {}
`

func TestClaimTokenIsMintedWithTheAccountToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	begun := time.Now()
	w.apply(resource.TestStep{
		Config: w.config(simtest.Owner, echo),
		Check: resource.ComposeAggregateTestCheckFunc(
			resource.TestMatchResourceAttr("echo.shown", "data.token", regexp.MustCompile(`^claim-.{10,}`)),
			resource.TestCheckResourceAttrWith("echo.shown", "data.expires_at", func(got string) error {
				at, err := time.Parse(time.RFC3339, got)
				if err != nil {
					return err
				}
				return same("in the future", at.After(begun.Add(3*time.Minute)) && at.Before(time.Now().Add(4*time.Minute)), true)
			}),
		),
	})
	minted := w.tv.RequestsTo("GET", "/api/claim/token")
	if len(minted) == 0 || minted[0].Account != "owner" {
		t.Errorf("plex.tv saw %+v, want a token minted for owner", minted)
	}
}

func TestClaimTokenNeedsAnAccountToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(resource.TestStep{
		Config:      w.config(plexsim.Account{}, echo),
		ExpectError: regexp.MustCompile(`(?s)No claim token was minted.*PLEX_TOKEN`),
	})
	if asked := w.tv.Requests(); len(asked) != 0 {
		t.Errorf("plex.tv was asked %+v, want nothing", asked)
	}
}

func TestBindingTakesAnEphemeralClaimToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.unclaimed()
	w.apply(resource.TestStep{
		Config: w.config(simtest.Owner, `ephemeral "plex_claim_token" "new" {}`,
			bindingOf("den", den, "claim_token_wo = ephemeral.plex_claim_token.new.token", "claim_token_wo_version = 1")),
		Check: resource.ComposeAggregateTestCheckFunc(
			resource.TestCheckResourceAttr(address, "username", "owner"),
			resource.TestCheckNoResourceAttr(address, "claim_token_wo"),
		),
	})
}
