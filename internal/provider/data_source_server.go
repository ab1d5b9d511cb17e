package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/datasource"
	"github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/homelab-iac/terraform-provider-plex/internal/binding"
)

var _ datasource.DataSourceWithConfigure = (*serverDataSource)(nil)

// serverDataSource is the data source plex_server.
type serverDataSource struct{ *connections }

func newServerDataSource() datasource.DataSource { return &serverDataSource{} }

type serverDataModel struct {
	Server           types.Object `tfsdk:"server"`
	ID               types.String `tfsdk:"id"`
	Status           types.String `tfsdk:"status"`
	Username         types.String `tfsdk:"username"`
	Email            types.String `tfsdk:"email"`
	TokenFingerprint types.String `tfsdk:"token_fingerprint"`
	Version          types.String `tfsdk:"version"`
	FriendlyName     types.String `tfsdk:"friendly_name"`
	Running          types.Bool   `tfsdk:"running"`
	Platform         types.String `tfsdk:"platform"`
	PreferencesPath  types.String `tfsdk:"preferences_path"`
	Service          types.String `tfsdk:"service"`
}

func (*serverDataSource) Metadata(_ context.Context, req datasource.MetadataRequest, resp *datasource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_server"
}

func (*serverDataSource) Schema(_ context.Context, _ datasource.SchemaRequest, resp *datasource.SchemaResponse) {
	attribute := serverAttribute()
	text := func(description string) schema.StringAttribute {
		return schema.StringAttribute{MarkdownDescription: description, Computed: true}
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "Looks at a Plex Media Server: who it is, how it is managed, and which account it is bound to. Nothing is changed. " +
			"An unclaimed server is no error; one that cannot be reached or read is.",
		Attributes: map[string]schema.Attribute{
			"server": schema.SingleNestedAttribute{
				MarkdownDescription: "How to reach the server. Not set: the one server on this machine, which is found by its service.",
				Optional:            true,
				Attributes:          forDataSource(attribute.Attributes),
			},
			"id": text("The server's machine identifier (`ProcessedMachineIdentifier`, 40 hexadecimal digits), as its `/identity` shows it."),
			"status": text("`unclaimed`: bound to no account; `bound`; `revoked`: bound with a token that plex.tv refuses. " +
				"The last is told from `bound` only for servers of the account that the provider's `account_token` belongs to."),
			"username":          text("User name of the account that the server is bound to; null when it is unclaimed or does not say."),
			"email":             text("E-mail address of the account that the server is bound to; null when it is unclaimed or does not say."),
			"token_fingerprint": text("First 16 hexadecimal digits of the SHA-256 of the server's token; null when it is unclaimed."),
			"version":           text("Version of the server; null when it does not run."),
			"friendly_name":     text("The name that people see in Plex; null when the server uses its host's."),
			"running":           schema.BoolAttribute{MarkdownDescription: "Whether the server runs.", Computed: true},
			"platform":          text("The kind of system that the server runs on, such as `linux`."),
			"preferences_path":  text("Where the server's `Preferences.xml` is."),
			"service":           text("What manages the server, such as `plexmediaserver.service (systemd)`."),
		},
	}
}

func (d *serverDataSource) Configure(_ context.Context, req datasource.ConfigureRequest, resp *datasource.ConfigureResponse) {
	d.connections = connectionsOf(req.ProviderData, &resp.Diagnostics)
}

func (d *serverDataSource) Read(ctx context.Context, req datasource.ReadRequest, resp *datasource.ReadResponse) {
	var m serverDataModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &m)...)
	if resp.Diagnostics.HasError() {
		return
	}
	srv := d.server(ctx, m.Server, types.ObjectNull(nil), &resp.Diagnostics)
	if srv == nil {
		return
	}
	ctx, cancel := context.WithTimeout(d.masked(ctx), defaultReadTimeout)
	defer cancel()
	seen, err := d.binder.Look(ctx, srv, "", binding.State{})
	if err != nil {
		resp.Diagnostics.Append(failure(ctx, err))
		return
	}
	warn(&resp.Diagnostics, "Looking at the server on "+srv.Host()+": a remark", seen.Warnings)
	m.ID, m.Status = text(seen.ID), text(string(seen.Status))
	m.Username, m.Email, m.TokenFingerprint = text(seen.Username), text(seen.Email), text(seen.TokenFingerprint)
	m.Version, m.FriendlyName, m.Running = text(seen.Version), text(seen.FriendlyName), types.BoolValue(seen.Running)
	m.Platform, m.PreferencesPath, m.Service = text(seen.Platform), text(seen.PreferencesPath), text(seen.Service)
	resp.Diagnostics.Append(resp.State.Set(ctx, m)...)
}
