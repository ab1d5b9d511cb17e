package provider_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

func TestSecretsInTheProvidersEnvironmentReachNeitherItsShellsNorTheServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	account := simtest.Owner
	account.Token = "planted" + rand.Text()
	w.tv.AddAccount(account)
	known := simtest.NewSecrets()
	known.Add("account token", account.Token)
	den := w.boundTo(simtest.Stranger, visibly)
	c := newCLI(t, w.config(plexsim.Account{}, bindingOf("den", den, `account = "owner"`, "force_rebind = true")))
	c.env = []string{"PLEX_TOKEN=" + account.Token}
	seen, found := simtest.LookOut(t), simtest.Places{}
	c.must("apply", "-auto-approve", "-json")
	c.must("destroy", "-auto-approve", "-json")
	seen.End()
	seen.AddTo(found)
	if n := den.StopCount(); n != 2 {
		t.Errorf("the server was stopped %d times, want 2", n)
	}
	var others []string
	for _, leak := range found.Leaks(known) {
		if !strings.HasPrefix(leak, "environ of a process \"terraform") { // those it was given to
			others = append(others, leak)
		}
	}
	if len(others) > 0 {
		t.Errorf("the account token was found in\n%s", strings.Join(others, "\n"))
	}
	for _, name := range []string{"sh", "Plex Media Serv", "terraform"} {
		if !seen.Has("environ of a process \"" + name + "\"") {
			t.Errorf("no environment of a process %q was seen", name)
		}
	}
	if !strings.Contains(strings.Join(found.Leaks(known), "\n"), "environ of a process \"terraform-provi") {
		t.Error("the token was not found where it is")
	}
}
