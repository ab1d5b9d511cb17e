package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/homelab-iac/terraform-provider-plex/internal/binding"
	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// connections are what a provider configuration gives to its resources: plex.tv,
// and the way to servers. They are shared, and safe for concurrent use.
type connections struct {
	tv     *plextv.Client
	binder *binding.Binder
	ssh    *host.SSHPool
	become host.Become
	limits server.Limits

	// Provider attributes whose values are not known yet: those of plex.tv, and
	// those of the way to servers.
	unknown, unknownWay []path.Path

	// masked hides the account token from whatever is logged with the context.
	masked func(ctx context.Context, more ...string) context.Context

	// read holds the servers that were read with this configuration, by their
	// machine identifiers. Each walk of Terraform has a configuration of its own,
	// so this tells the making of a plan from its application.
	read sync.Map
}

// settings are a provider configuration, with the environment's part in it.
type settings struct {
	tv                  plextv.Config
	ssh                 host.SSHSettings
	become              host.Become
	limits              server.Limits
	unknown, unknownWay []path.Path
}

// secrets are what must not be seen in a log.
func (s settings) secrets() []string {
	return []string{s.tv.AccountToken, s.ssh.PrivateKey, s.ssh.Passphrase, s.ssh.Password, s.become.Password}
}

func newConnections(s settings) *connections {
	client, secrets := plextv.New(s.tv), s.secrets()
	return &connections{
		tv: client, binder: binding.New(client), ssh: host.NewSSHPool(s.ssh), become: s.become, limits: s.limits,
		unknown: s.unknown, unknownWay: s.unknownWay,
		masked: func(ctx context.Context, more ...string) context.Context {
			for _, secret := range slices.Concat(secrets, more) {
				if secret = strings.TrimSpace(secret); secret != "" {
					ctx = tflog.MaskLogStrings(ctx, secret)
				}
			}
			return ctx
		},
	}
}

// connectionsOf is the data that Configure of a resource is given; nil while
// the provider itself is not configured, as during validation.
func connectionsOf(data any, diags *diag.Diagnostics) *connections {
	if data == nil {
		return nil
	}
	c, ok := data.(*connections)
	if !ok {
		diags.AddError("Unexpected provider data", fmt.Sprintf("The provider gave %T. Please report this at the provider's issue tracker.", data))
	}
	return c
}

// server is the media server that the attributes `server` and `backup` mean,
// both wholly known. It does no I/O.
func (c *connections) server(ctx context.Context, serverValue, backupValue types.Object, diags *diag.Diagnostics) *server.Server {
	m, more := readServer(ctx, serverValue)
	diags.Append(more...)
	options, more := serverOptions(ctx, m, backupValue)
	diags.Append(more...)
	if diags.HasError() {
		return nil
	}
	options.Limits = c.limits
	s, err := server.New(c.host(m), options)
	if err != nil {
		diags.AddAttributeError(path.Root("server"), "Invalid server", sentence(err.Error()))
		return nil
	}
	return s
}

// host is the machine that the server is on.
func (c *connections) host(m serverModel) host.Host {
	var become host.Become
	if deref(m.Become) {
		become = c.become
	}
	var on host.Host = host.Local{Become: become}
	switch {
	case m.Exec != nil:
		on = host.Exec{Command: m.Exec, Become: become}
	case m.SSH != nil:
		on = c.ssh.Host(host.SSHTarget{
			Host: deref(m.SSH.Host), Port: int(deref(m.SSH.Port)), User: deref(m.SSH.User), HostKey: deref(m.SSH.HostKey),
		}, become)
	}
	if m.Container != nil {
		return host.NewContainer(on, host.ContainerTarget{Name: deref(m.Container.Name), Engine: deref(m.Container.Engine)})
	}
	return on
}

// wayUnknown are the provider attributes that the way to the server needs and
// whose values are not known yet.
func (c *connections) wayUnknown(ctx context.Context, serverValue types.Object) []path.Path {
	m, diags := readServer(ctx, serverValue)
	if diags.HasError() {
		return nil
	}
	var unknown []path.Path
	for _, p := range c.unknownWay {
		switch p.Steps()[0] {
		case path.PathStepAttributeName("ssh"):
			if m.SSH == nil {
				continue
			}
		case path.PathStepAttributeName("become"):
			if !deref(m.Become) {
				continue
			}
		}
		unknown = append(unknown, p)
	}
	return unknown
}

// known is an error for every provider attribute that the operation needs and
// whose value is still unknown: what changes a server must not do so as somebody
// else.
func (c *connections) known(ctx context.Context, serverValue types.Object, diags *diag.Diagnostics) {
	for _, p := range c.unknown {
		addUnknown(p, diags)
	}
	c.knownWay(ctx, serverValue, diags)
}

// knownWay is known for what does not need plex.tv.
func (c *connections) knownWay(ctx context.Context, serverValue types.Object, diags *diag.Diagnostics) {
	for _, p := range c.wayUnknown(ctx, serverValue) {
		addUnknown(p, diags)
	}
}

func addUnknown(p path.Path, diags *diag.Diagnostics) {
	diags.AddError("The value of the provider's "+p.String()+" is not known",
		"It depends on something that has not been created yet. Nothing was stopped and nothing was changed.\n\n"+
			"Apply what it depends on first, with -target, or set it from a variable or the environment.")
}

// seesNow tells whether the server can be looked at while a plan is made: what
// leads to it is known.
func (c *connections) seesNow(ctx context.Context, serverValue types.Object) bool {
	return whollyKnown(ctx, serverValue) && len(c.wayUnknown(ctx, serverValue)) == 0
}
