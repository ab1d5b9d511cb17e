package provider_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

func willDo(action plancheck.ResourceActionType) resource.ConfigPlanChecks {
	return resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{plancheck.ExpectResourceAction(address, action)}}
}

// reached is a binding of the subject with other lines in `server`.
func reached(s *subject, lines ...string) string {
	return "resource \"plex_server_account_binding\" \"den\" {\n server = " + s.hcl(lines...) + "\n}\n"
}

func TestAnotherWayToTheSameServerDoesNotRestartIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	localhost := "url = " + quote(strings.Replace(den.URL(), "127.0.0.1", "localhost", 1))
	w.apply(
		resource.TestStep{Config: w.config(simtest.Owner, reached(den))},
		resource.TestStep{Config: w.config(simtest.Owner, reached(den, localhost)), ConfigPlanChecks: willDo(plancheck.ResourceActionUpdate)},
		resource.TestStep{
			Config:           w.config(simtest.Owner, reached(den, localhost, `stop_timeout = "80s"`)),
			ConfigPlanChecks: willDo(plancheck.ResourceActionUpdate),
			Check: func(*terraformState) error {
				return same("number of stops", den.StopCount(), 0)
			},
		},
	)
}

func TestAWayToAnotherServerReplacesTheBinding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den, attic := w.boundTo(simtest.Owner), w.unclaimed()
	c := newCLI(t, w.config(simtest.Owner, reached(den)))
	c.must("apply", "-auto-approve", "-json")
	c.write(w.config(simtest.Owner, reached(attic)))
	wantMention(t, willStop(t, c.must("plan", "-json", "-out=plan"), den), "another server", "owner@example.com")
	c.must("apply", "-json", "plan")
	if den.token() != "" || attic.token() == "" {
		t.Error("the binding did not go from one server to the other")
	}
	if den.StopCount() != 1 || attic.StopCount() != 0 {
		t.Errorf("the servers were stopped %d and %d times, want 1 and 0", den.StopCount(), attic.StopCount())
	}
}

func TestAPlaceThatIsNotKnownAtPlanIsCheckedAtApply(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den, attic := w.boundTo(simtest.Owner), w.boundTo(simtest.Owner)
	config := func(s *subject) string {
		return w.config(simtest.Owner,
			"resource \"terraform_data\" \"url\" {\n input = "+quote(s.URL())+"\n}\n",
			reached(s, "url = terraform_data.url.output"))
	}
	c := newCLI(t, w.config(simtest.Owner, reached(den)))
	c.must("apply", "-auto-approve", "-json")
	c.write(config(den))
	if shown := c.must("apply", "-auto-approve", "-json"); len(shown) != 0 {
		t.Errorf("there are warnings: %+v", shown)
	}

	c = newCLI(t, w.config(simtest.Owner, reached(den)))
	c.must("apply", "-auto-approve", "-json")
	c.write(config(attic))
	shown, _ := c.run("apply", "-auto-approve", "-json")
	failed := onlyError(t, shown)
	wantMention(t, failed.Summary, "Another server on "+den.way.name)
	wantMention(t, failed.Detail, den.Identity.Processed, attic.Identity.Processed, "plan again")
	if den.StopCount() != 0 || attic.StopCount() != 0 {
		t.Error("a server was stopped")
	}
}

func TestAnUnknownProviderConfigurationIsAcceptedAtPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den, attic := w.unclaimed(), w.unclaimed()
	c := newCLI(t, `
resource "terraform_data" "account" {
  input = { token = `+quote(simtest.Owner.Token)+`, url = `+quote(w.tv.URL)+` }
}
provider "plex" {
  account_token = terraform_data.account.output.token
  plextv_url    = terraform_data.account.output.url
  `+w.provider+`
}
ephemeral "plex_claim_token" "new" {}
`+bindingOf("den", den)+bindingOf("attic", attic, "claim_token_wo = ephemeral.plex_claim_token.new.token"))
	c.must("plan", "-json")
	if asked := w.tv.Requests(); len(asked) != 0 {
		t.Errorf("plex.tv was asked %+v, want nothing", asked)
	}
	c.must("apply", "-auto-approve", "-json")
	if den.token() == "" || attic.token() == "" {
		t.Error("the servers were not claimed")
	}
}

func TestOnlyTheWordsOfTheBindingChangedStopsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	w.apply(
		resource.TestStep{Config: w.config(plexsim.Account{}, bindingOf("den", den))},
		resource.TestStep{
			Config: w.config(plexsim.Account{}, bindingOf("den", den,
				`account = "OWNER"`, `backup = { keep = 2 }`, `on_destroy = { deregister = false }`, `force_rebind = true`, `timeouts = { delete = "5m" }`)),
			ConfigPlanChecks: willDo(plancheck.ResourceActionUpdate),
			Check: func(*terraformState) error {
				return same("number of stops", den.StopCount(), 0)
			},
		},
	)
}

func TestANewClaimTokenVersionNeedsAClaimToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.unclaimed()
	claim, err := w.tv.MintClaim(simtest.Owner.Username)
	if err != nil {
		t.Fatal(err)
	}
	config := func(version string) string {
		return w.config(plexsim.Account{}, "variable \"claim\" {\n type = string\n ephemeral = true\n default = null\n}\n",
			bindingOf("den", den, "claim_token_wo = var.claim", "claim_token_wo_version = "+version))
	}
	c := newCLI(t, config("1"))
	c.env = []string{"TF_VAR_claim=" + claim}
	c.must("apply", "-auto-approve", "-json")
	c.env = nil // the variable is empty in later runs
	if shown := c.must("plan", "-json"); len(shown) != 0 {
		t.Errorf("a plan without the spent claim token shows %+v", shown)
	}
	c.write(config("2"))
	shown, _ := c.run("plan", "-json")
	wantMention(t, onlyError(t, shown).Detail, "claim_token_wo is null", "triggers")
}
