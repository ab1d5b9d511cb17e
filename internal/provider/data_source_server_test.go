package provider_test

import (
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

const dataAddress = "data.plex_server.den"

func dataOf(s *subject) string {
	return "data \"plex_server\" \"den\" {\n server = " + s.hcl() + "\n}\n"
}

func TestDataSourceShowsABoundServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Stranger)
	w.apply(resource.TestStep{
		Config: w.config(simtest.Owner, dataOf(den)),
		Check: resource.ComposeAggregateTestCheckFunc(
			resource.TestCheckResourceAttr(dataAddress, "id", den.Identity.Processed),
			resource.TestCheckResourceAttr(dataAddress, "status", "bound"),
			resource.TestCheckResourceAttr(dataAddress, "username", "stranger"),
			resource.TestCheckResourceAttr(dataAddress, "email", "stranger@example.com"),
			resource.TestCheckResourceAttr(dataAddress, "token_fingerprint", den.fingerprint()),
			resource.TestCheckResourceAttr(dataAddress, "friendly_name", `Den & "attic" — café`),
			resource.TestCheckResourceAttr(dataAddress, "running", "true"),
			resource.TestCheckResourceAttr(dataAddress, "platform", "linux"),
			resource.TestCheckResourceAttr(dataAddress, "preferences_path", den.PreferencesPath()),
			resource.TestCheckResourceAttr(dataAddress, "service", den.service()),
			resource.TestCheckResourceAttrSet(dataAddress, "version"),
		),
	})
	if n := den.StopCount(); n != 0 {
		t.Errorf("the server was stopped %d times, want 0", n)
	}
}

func TestDataSourceShowsAnUnclaimedAStoppedAndARevokedServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	attic := w.unclaimed()
	w.apply(
		resource.TestStep{
			Config: w.config(plexsim.Account{}, dataOf(attic)),
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(dataAddress, "status", "unclaimed"),
				resource.TestCheckNoResourceAttr(dataAddress, "username"),
				resource.TestCheckNoResourceAttr(dataAddress, "token_fingerprint"),
			),
		},
		resource.TestStep{
			PreConfig: func() { attic.Stop() },
			Config:    w.config(plexsim.Account{}, dataOf(attic)),
			Check: resource.ComposeAggregateTestCheckFunc(
				resource.TestCheckResourceAttr(dataAddress, "running", "false"),
				resource.TestCheckNoResourceAttr(dataAddress, "version"),
			),
		},
		resource.TestStep{
			PreConfig: func() { w.tv.RevokeToken(den.token()) },
			Config:    w.config(simtest.Owner, dataOf(den)),
			Check:     resource.TestCheckResourceAttr(dataAddress, "status", "revoked"),
		},
	)
}

func TestDataSourceNamesHostAndCauseOfAFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.apply(resource.TestStep{
		Config: w.config(plexsim.Account{}, `
data "plex_server" "den" {
  server = {
    preferences_path = "/nonexistent/Plex Media Server/Preferences.xml"
    commands         = { stop = "false", start = "false", status = "true" }
  }
}`),
		ExpectError: regexp.MustCompile(`on this machine failed`),
	})
}
