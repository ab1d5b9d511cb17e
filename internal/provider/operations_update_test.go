package provider_test

import (
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

func TestOperationUpdateOfAccountRebindsInOneStop(t *testing.T) {
	t.Parallel()
	o := adopted(t, `account = "owner"`)
	o.write(o.config(simtest.Stranger, bindingOf("den", o.den, `account = "stranger"`)))
	o.rebinds(simtest.Stranger, asksOwned, asksOwned, asksClaim)
	o.exchangedBeforeStop()
}

func TestOperationUpdateToAnAccountThatTheTokenIsNotOfStopsNothing(t *testing.T) {
	t.Parallel()
	o := adopted(t, `account = "owner"`)
	token := o.den.token()
	o.write(o.config(simtest.Owner, bindingOf("den", o.den, `account = "stranger"`)))
	o.apply().failed([]string{"stranger", "Nothing was stopped"}, asksOwned, asksOwned, []string{askUser})
	if o.den.token() != token {
		t.Error("the token was changed")
	}
}

func TestOperationUpdateOfTriggersRotatesTheTokenInOneStop(t *testing.T) {
	t.Parallel()
	o := adopted(t, `account = "owner"`, `triggers = { month = "may" }`)
	o.write(o.config(simtest.Owner, bindingOf("den", o.den, `account = "owner"`, `triggers = { month = "june" }`)))
	o.rebinds(simtest.Owner, asksOwned, asksOwned, asksClaim)
	o.exchangedBeforeStop()
	o.plans([]string{"no-op"}, asksOwned)
}

func TestOperationUpdateOfTheClaimTokenVersionRebindsWithTheGivenToken(t *testing.T) {
	t.Parallel()
	o := adopted(t, `account = "owner"`)
	o.write(o.config(simtest.Owner, bindingOf("den", o.den, `account = "owner"`,
		"claim_token_wo = "+quote(o.claimToken(simtest.Owner)), "claim_token_wo_version = 1")))
	o.rebinds(simtest.Owner, asksOwned, asksOwned, []string{askExchange, askUser, askServers})
	o.exchangedBeforeStop()
	o.plans([]string{"no-op"}, asksOwned)
}

func TestOperationUpdateWithAUsedClaimTokenStopsNothing(t *testing.T) {
	t.Parallel()
	o := adopted(t)
	o.write(o.config(simtest.Owner, bindingOf("den", o.den,
		"claim_token_wo = "+quote("claim-madeUpAndNotKnown001"), "claim_token_wo_version = 1")))
	token := o.den.token()
	o.apply().failed([]string{"claim token"}, asksOwned, asksOwned, []string{askExchange})
	if o.den.token() != token {
		t.Error("the token was changed")
	}
}

func TestOperationUpdateOfHowToReachTheServerStopsNothing(t *testing.T) {
	t.Parallel()
	o := adopted(t)
	before := o.den.token()
	localhost := "url = " + quote(strings.Replace(o.den.URL(), "127.0.0.1", "localhost", 1))
	o.write(o.config(simtest.Owner, reached(o.den, localhost)))
	o.apply().did(0, asksOwned, asksOwned)
	o.isBound(simtest.Owner)
	if o.den.token() != before {
		t.Error("the token was changed")
	}
	o.plans([]string{"no-op"}, asksOwned)
}
