package provider

import (
	"context"
	"fmt"
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
	tv      *plextv.Client
	binder  *binding.Binder
	limits  server.Limits
	unknown []path.Path // provider attributes whose values are not known yet

	// masked hides the account token from whatever is logged with the context.
	masked func(ctx context.Context, more ...string) context.Context

	// read holds the servers that were read with this configuration, by their
	// machine identifiers. Each walk of Terraform has a configuration of its own,
	// so this tells the making of a plan from its application.
	read sync.Map
}

func newConnections(tv plextv.Config, limits server.Limits, unknown []path.Path) *connections {
	client, token := plextv.New(tv), tv.AccountToken
	return &connections{
		tv: client, binder: binding.New(client), limits: limits, unknown: unknown,
		masked: func(ctx context.Context, more ...string) context.Context {
			for _, secret := range append([]string{token}, more...) {
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
	options, more := serverOptions(ctx, serverValue, backupValue)
	diags.Append(more...)
	if diags.HasError() {
		return nil
	}
	options.Limits = c.limits
	s, err := server.New(host.Local{}, options)
	if err != nil {
		diags.AddAttributeError(path.Root("server"), "Invalid server", sentence(err.Error()))
		return nil
	}
	return s
}

// known is an error for every provider attribute whose value is still unknown:
// what changes a server must not do so as somebody else.
func (c *connections) known(diags *diag.Diagnostics) {
	for _, p := range c.unknown {
		diags.AddError("The value of the provider's "+p.String()+" is not known",
			"It depends on something that has not been created yet. Nothing was stopped and nothing was changed.\n\n"+
				"Apply what it depends on first, with -target, or set it from a variable or the environment.")
	}
}
