package provider_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-testing/echoprovider"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/homelab-iac/terraform-provider-plex/internal/binding"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
	"github.com/homelab-iac/terraform-provider-plex/internal/provider"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

func TestMain(m *testing.M) {
	// What the person who runs the tests has set must not reach terraform or
	// the provider.
	for _, name := range []string{"TF_CLI_CONFIG_FILE", "PLEX_TOKEN", "PLEXTV_URL"} {
		_ = os.Unsetenv(name)
	}
	code := m.Run()
	endWay()
	for _, dir := range []string{buildDir, wayDir} {
		if dir != "" {
			_ = os.RemoveAll(dir)
		}
	}
	os.Exit(code)
}

// quick are limits for servers that should do at once what they do.
var quick = server.Limits{
	Command: 20 * time.Second, Lock: 20 * time.Second, Silence: 20 * time.Second,
	Verify: 20 * time.Second, Linger: 10 * time.Second, Answer: 10 * time.Second,
}

// hasty is little patience with plex.tv.
var hasty = plextv.Retry{Attempts: 2, WaitMin: 10 * time.Millisecond, WaitMax: 20 * time.Millisecond, Timeout: 10 * time.Second}

// factories serve the provider, and `echo`, which shows ephemeral values. Each
// command of terraform makes a new provider.
func factories() map[string]func() (tfprotov6.ProviderServer, error) {
	return map[string]func() (tfprotov6.ProviderServer, error){
		"plex": providerserver.NewProtocol6WithError(provider.New("test", provider.WithLimits(quick), provider.WithRetry(hasty))()),
		"echo": echoprovider.NewProviderServer(),
	}
}

// world is a plex.tv and the servers of a test.
type world struct {
	*testing.T
	tv       *simtest.PlexTV
	provider string // lines for the provider that lead to the servers
}

func newWorld(t *testing.T, options ...func(*plexsim.PlexTVOptions)) *world {
	t.Helper()
	return &world{T: t, tv: simtest.NewPlexTV(t, options...), provider: theWay(t).provider}
}

// unclaimed starts a server that is bound to nobody.
func (w *world) unclaimed(configure ...func(*plexsim.Config)) *subject {
	w.Helper()
	return w.start(simtest.Options{PlexTV: w.tv, Configure: all(configure)})
}

// boundTo starts a server that is bound to an account.
func (w *world) boundTo(account plexsim.Account, configure ...func(*plexsim.Config)) *subject {
	w.Helper()
	return w.start(simtest.Options{PlexTV: w.tv, Account: &account, Configure: all(configure)})
}

func (w *world) start(options simtest.Options) *subject {
	w.Helper()
	s := &subject{ServerProcess: simtest.NewServer(w.T, options), way: theWay(w.T)}
	if name := s.Container(); name != "" && s.way.name == "this machine" {
		s.way.name = "container " + name
	} else if name != "" {
		s.way.name = "container " + name + " on " + s.way.name
	}
	s.Start()
	s.WaitReady()
	w.tv.ClearRequests() // those of the server's own start
	return s
}

func all(configure []func(*plexsim.Config)) func(*plexsim.Config) {
	return func(c *plexsim.Config) {
		for _, change := range configure {
			change(c)
		}
	}
}

// subject is a server under test: it runs, and Terraform manages it.
type subject struct {
	*simtest.ServerProcess
	way way
}

// hcl is the value of the attribute `server` that reaches the subject. extra are
// more lines, or others in place of the usual ones.
func (s *subject) hcl(extra ...string) string {
	c := s.Commands()
	lines := []string{
		"preferences_path = " + quote(s.PreferencesPath()),
		"url = " + quote(s.URL()),
		fmt.Sprintf("commands = {\n stop = %s\n start = %s\n status = %s\n }", quote(c.Stop), quote(c.Start), quote(c.Status)),
	}
	switch {
	case s.Container() != "": // a lab engine; what is in the container is found
		lines = []string{
			"url = " + quote(s.URL()),
			fmt.Sprintf("container = {\n name = %s\n engine = %s\n }", quote(s.Container()), quote(os.Getenv(simtest.EnvDocker))),
		}
	case s.Unit() != "": // a lab host with a service manager of its own
		lines[2] = fmt.Sprintf("service = {\n manager = %s\n name = %s\n }", quote(s.Manager()), quote(s.Unit()))
	}
	for _, line := range append(slices.Clone(s.way.server), extra...) {
		name, _, _ := strings.Cut(line, " ")
		kept := lines[:0]
		for _, other := range lines {
			if !strings.HasPrefix(other, name+" ") {
				kept = append(kept, other)
			}
		}
		lines = append(kept, line)
	}
	return "{\n" + strings.Join(lines, "\n") + "\n}"
}

// service is what the provider calls the subject's service.
func (s *subject) service() string {
	if s.Unit() != "" {
		return s.Unit() + " (" + s.Manager() + ")"
	}
	return "commands"
}

var tokenInPreferences = regexp.MustCompile(`\sPlexOnlineToken="([^"]+)"`)

// token is the token in the subject's preferences; empty when it is unclaimed.
func (s *subject) token() string {
	found := tokenInPreferences.FindSubmatch(s.Preferences())
	if found == nil {
		return ""
	}
	return string(found[1])
}

func (s *subject) fingerprint() string { return binding.Fingerprint(s.token()) }

// config is a configuration: the provider with the account token of account
// (none, if empty), and what else there is.
func (w *world) config(account plexsim.Account, blocks ...string) string {
	token := ""
	if account.Token != "" {
		token = "account_token = " + quote(account.Token)
	}
	head := fmt.Sprintf("provider \"plex\" {\n plextv_url = %s\n %s\n %s\n}\n", quote(w.tv.URL), token, w.provider)
	return head + strings.Join(blocks, "\n")
}

// bindingOf is a resource that binds the subject, with more lines.
func bindingOf(name string, s *subject, lines ...string) string {
	return fmt.Sprintf("resource \"plex_server_account_binding\" %q {\n server = %s\n %s\n}\n", name, s.hcl(), strings.Join(lines, "\n "))
}

// apply runs the steps with real terraform, and destroys what is left.
func (w *world) apply(steps ...resource.TestStep) {
	w.Helper()
	resource.UnitTest(w.T, resource.TestCase{ProtoV6ProviderFactories: factories(), Steps: steps})
}

// quote is text as a string of HCL.
func quote(text string) string {
	quoted := fmt.Sprintf("%q", text)
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(quoted)
}

const address = "plex_server_account_binding.den"

// terraformState is what a check of terraform-plugin-testing is given.
type terraformState = terraform.State
