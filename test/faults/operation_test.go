//go:build linux

package faults_test

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// operation is what Terraform is asked to do when the fault comes.
type operation struct {
	name     string
	bound    bool                  // the server is bound before, and Terraform knows it
	stopped  bool                  // the server is stopped before, and stays so
	resource string                // lines of the resource, as it is applied then
	args     []string              // in addition to apply's
	server   func(*plexsim.Config) // how the server behaves
	claims   bool                  // the server gets a new token
	unbinds  bool                  // the resource is not in the configuration any more
}

const (
	may  = `triggers = { month = "may" }`
	june = `triggers = { month = "june" }`
)

var operations = []operation{
	{name: "unbind", bound: true, unbinds: true},
	{name: "rebind", bound: true, claims: true, resource: june},
	{name: "replace", bound: true, claims: true, args: []string{"-replace=" + address}, resource: may},
	// By an edit, since the server refuses to be claimed online.
	{name: "claim", claims: true, server: func(c *plexsim.Config) { c.RefuseClaim = true }, resource: may},
	{name: "unbind of a stopped server", bound: true, stopped: true, unbinds: true},
}

func operationNamed(name string) operation {
	for _, o := range operations {
		if o.name == name {
			return o
		}
	}
	panic("there is no operation " + name)
}

const address = "plex_server_account_binding.den"

// configuration is the provider, and the resource where lines of it are given.
func (tr *trial) configuration(resource ...string) string {
	var b strings.Builder
	aliases := []string{""}
	if tr.fault.aliases {
		aliases = append(aliases, "other")
	}
	for _, alias := range aliases {
		name, head, lines := "den", "", slices.Clone(resource)
		if alias != "" {
			name = "attic"
			head = fmt.Sprintf("alias = %q\n ", alias)
			lines = append(lines, "provider = plex."+alias)
		}
		fmt.Fprintf(&b, "provider \"plex\" {\n %splextv_url = %q\n account_token = %q\n %s\n}\n",
			head, tr.plexTV(), tr.owner.Token, tr.way.provider)
		if len(resource) > 0 {
			b.WriteString(tr.resource(name, lines))
		}
	}
	return b.String()
}

// resource binds the trial's server.
func (tr *trial) resource(name string, lines []string) string {
	server := append([]string{fmt.Sprintf("url = %q", tr.sim.URL()), `stop_timeout = "5s"`}, tr.way.server...)
	if c := tr.sim.Container(); c != "" {
		server = append(server, fmt.Sprintf("container = {\n name = %q\n engine = %q\n }", c, os.Getenv(simtest.EnvDocker)))
	} else if tr.host == nil {
		c := tr.commands()
		server = append(server, fmt.Sprintf("preferences_path = %q", tr.sim.PreferencesPath()),
			fmt.Sprintf("commands = {\n stop = %s\n start = %s\n status = %s\n }", quote(c.Stop), quote(c.Start), quote(c.Status)))
	}
	return fmt.Sprintf("resource \"plex_server_account_binding\" %q {\n server = {\n %s\n }\n account = \"owner\"\n %s\n}\n",
		name, strings.Join(server, "\n "), strings.Join(lines, "\n "))
}

// commands control the server, and mark places.
func (tr *trial) commands() simtest.Commands {
	c := tr.sim.Commands()
	c.Stop, c.Start = tr.steps.command("stop", c.Stop), tr.steps.command("start", c.Start)
	return c
}

// quote is text as a string of HCL.
func quote(text string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(fmt.Sprintf("%q", text))
}
