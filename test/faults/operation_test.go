//go:build linux

package faults_test

import (
	"fmt"
	"strings"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// operation is what Terraform is asked to do when the fault comes.
type operation struct {
	name    string
	bound   bool                  // the server is bound before, and Terraform knows it
	stopped bool                  // the server is stopped before, and stays so
	config  func(*trial) string   // what is applied
	args    []string              // in addition to apply's
	server  func(*plexsim.Config) // how the server behaves
	claims  bool                  // the server gets a new token
	unbinds bool                  // it has no token at the end
}

var operations = []operation{
	{name: "unbind", bound: true, unbinds: true, config: func(tr *trial) string { return tr.configuration("") }},
	{name: "rebind", bound: true, claims: true, config: func(tr *trial) string {
		return tr.configuration(tr.resource(`triggers = { month = "june" }`))
	}},
	{name: "replace", bound: true, claims: true, args: []string{"-replace=" + address}, config: func(tr *trial) string {
		return tr.configuration(tr.resource(`triggers = { month = "may" }`))
	}},
	// By an edit, since the server refuses to be claimed online.
	{name: "claim", claims: true, server: func(c *plexsim.Config) { c.RefuseClaim = true }, config: func(tr *trial) string {
		return tr.configuration(tr.resource(`triggers = { month = "may" }`))
	}},
	{name: "unbind of a stopped server", bound: true, stopped: true, unbinds: true, config: func(tr *trial) string { return tr.configuration("") }},
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

// configuration is the provider, and what else there is.
func (tr *trial) configuration(more string) string {
	return fmt.Sprintf("provider \"plex\" {\n plextv_url = %q\n account_token = %q\n %s\n}\n%s",
		tr.plexTV(), simtest.Owner.Token, tr.way.provider, more)
}

// resource binds the trial's server.
func (tr *trial) resource(lines ...string) string {
	server := append([]string{fmt.Sprintf("url = %q", tr.sim.URL())}, tr.way.server...)
	if tr.sim.Container() == "" {
		c := tr.commands()
		server = append(server, fmt.Sprintf("preferences_path = %q", tr.sim.PreferencesPath()),
			fmt.Sprintf("commands = {\n stop = %s\n start = %s\n status = %s\n }", quote(c.Stop), quote(c.Start), quote(c.Status)))
	}
	server = append(server, `stop_timeout = "5s"`)
	return fmt.Sprintf("resource \"plex_server_account_binding\" \"den\" {\n server = {\n %s\n }\n account = \"owner\"\n %s\n}\n",
		strings.Join(server, "\n "), strings.Join(lines, "\n "))
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
