// Package provider is what Terraform sees: schemas, and the mapping of
// Terraform's operations to those of package binding. It does no I/O of its own.
package provider

import (
	"context"
	"os"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Environment variables that stand in for attributes which are not set.
const (
	envAccountToken = "PLEX_TOKEN"
	envPlexTVURL    = "PLEXTV_URL"
)

var (
	_ provider.Provider                       = (*plexProvider)(nil)
	_ provider.ProviderWithEphemeralResources = (*plexProvider)(nil)
)

type plexProvider struct {
	version string
	limits  server.Limits
	retry   plextv.Retry
}

// Option changes what only tests change.
type Option func(*plexProvider)

// WithLimits bounds the steps that wait for a server.
func WithLimits(limits server.Limits) Option {
	return func(p *plexProvider) { p.limits = limits }
}

// WithRetry says how long to insist at plex.tv.
func WithRetry(retry plextv.Retry) Option {
	return func(p *plexProvider) { p.retry = retry }
}

// New returns a function that makes the provider, for providerserver.
func New(version string, options ...Option) func() provider.Provider {
	return func() provider.Provider {
		p := &plexProvider{version: version}
		for _, option := range options {
			option(p)
		}
		return p
	}
}

type providerModel struct {
	AccountToken types.String `tfsdk:"account_token"`
	PlexTVURL    types.String `tfsdk:"plextv_url"`
	SSH          types.Object `tfsdk:"ssh"`
	Become       types.Object `tfsdk:"become"`
}

func (p *plexProvider) Metadata(_ context.Context, _ provider.MetadataRequest, resp *provider.MetadataResponse) {
	resp.TypeName = "plex"
	resp.Version = p.version
}

func (p *plexProvider) Schema(_ context.Context, _ provider.SchemaRequest, resp *provider.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Binds Plex Media Servers to Plex accounts: claims them, shows who they are bound to, and takes bindings away " +
			"without losing the server's identity, libraries or preferences.",
		Attributes: map[string]schema.Attribute{
			"account_token": schema.StringAttribute{
				MarkdownDescription: "The `X-Plex-Token` of the plex.tv account that is to own the servers. It mints claim tokens, and tells whether " +
					"the account still owns a server. Without it servers can be adopted, inspected and unbound, but are claimed only with " +
					"`claim_token_wo`. Default: the environment variable `PLEX_TOKEN`. Never stored in state or plan; may be an ephemeral value.",
				Optional:   true,
				Sensitive:  true,
				Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"plextv_url": schema.StringAttribute{
				MarkdownDescription: "Where plex.tv is reached, `http(s)://host[:port][/path]`. Set it for a proxy of your own or for an emulator. " +
					"Default: the environment variable `PLEXTV_URL`, else `https://plex.tv`.",
				Optional:   true,
				Validators: []validator.String{webAddress},
			},
			"ssh":    sshAttribute(),
			"become": becomeAttribute(),
		},
	}
}

// Configure does no I/O: an unused provider must not fail a plan, and what is
// not known at plan time is known when it is applied.
func (p *plexProvider) Configure(ctx context.Context, req provider.ConfigureRequest, resp *provider.ConfigureResponse) {
	var config providerModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	var unknown []path.Path
	value := func(v types.String, name, env string) string {
		switch {
		case v.IsUnknown():
			unknown = append(unknown, path.Root(name))
			return ""
		case v.IsNull():
			return os.Getenv(env)
		}
		return v.ValueString()
	}
	tv := plextv.Config{
		AccountToken: value(config.AccountToken, "account_token", envAccountToken),
		BaseURL:      value(config.PlexTVURL, "plextv_url", envPlexTVURL),
		Version:      p.version,
		Retry:        p.retry,
	}
	if len(unknown) > 0 {
		tv.AccountToken = "" // it must not go to plex.tv when another address is meant
	}
	ssh, diags := sshSettings(ctx, config.SSH)
	resp.Diagnostics.Append(diags...)
	become, diags := becomeSettings(ctx, config.Become)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	c := newConnections(settings{tv: tv, ssh: ssh, become: become, limits: p.limits, unknown: unknown,
		unknownWay: slices.Concat(unknownIn(path.Root("ssh"), config.SSH), unknownIn(path.Root("become"), config.Become)),
	})
	resp.ResourceData, resp.DataSourceData, resp.EphemeralResourceData = c, c, c
}

func (p *plexProvider) Resources(context.Context) []func() resource.Resource {
	return []func() resource.Resource{newServerAccountBinding}
}

func (p *plexProvider) DataSources(context.Context) []func() datasource.DataSource {
	return []func() datasource.DataSource{newServerDataSource}
}

func (p *plexProvider) EphemeralResources(context.Context) []func() ephemeral.EphemeralResource {
	return []func() ephemeral.EphemeralResource{newClaimToken}
}
