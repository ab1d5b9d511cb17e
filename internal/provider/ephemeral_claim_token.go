package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/ephemeral"
	"github.com/hashicorp/terraform-plugin-framework/ephemeral/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

var _ ephemeral.EphemeralResourceWithConfigure = (*claimToken)(nil)

// mintTimeout bounds the minting of a claim token with all its tries.
const mintTimeout = 3 * time.Minute

// claimToken is the ephemeral resource plex_claim_token.
type claimToken struct{ *connections }

func newClaimToken() ephemeral.EphemeralResource { return &claimToken{} }

type claimTokenModel struct {
	Token     types.String `tfsdk:"token"`
	ExpiresAt types.String `tfsdk:"expires_at"`
}

func (*claimToken) Metadata(_ context.Context, req ephemeral.MetadataRequest, resp *ephemeral.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_claim_token"
}

func (*claimToken) Schema(_ context.Context, _ ephemeral.SchemaRequest, resp *ephemeral.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Mints a claim token with the provider's `account_token`: what https://plex.tv/claim shows. It binds one server to the account, once and within four minutes, " +
			"and is never stored in state or plan. `plex_server_account_binding` mints its own; this is for servers that something else claims, such as a new container that takes `PLEX_CLAIM`. " +
			"One is minted by every plan and by every apply.",
		Attributes: map[string]schema.Attribute{
			"token": schema.StringAttribute{
				MarkdownDescription: "The claim token, which begins with `claim-`.",
				Computed:            true,
				Sensitive:           true,
			},
			"expires_at": schema.StringAttribute{
				MarkdownDescription: "When it ceases to work (RFC 3339, UTC), four minutes after it was minted.",
				Computed:            true,
			},
		},
	}
}

func (e *claimToken) Configure(_ context.Context, req ephemeral.ConfigureRequest, resp *ephemeral.ConfigureResponse) {
	e.connections = connectionsOf(req.ProviderData, &resp.Diagnostics)
}

func (e *claimToken) Open(ctx context.Context, _ ephemeral.OpenRequest, resp *ephemeral.OpenResponse) {
	if len(e.unknown) > 0 {
		// This is a plan of what the account token depends on as well. When it is
		// applied the token is known.
		resp.Diagnostics.Append(resp.Result.Set(ctx, claimTokenModel{types.StringUnknown(), types.StringUnknown()})...)
		return
	}
	ctx, cancel := context.WithTimeout(e.masked(ctx), mintTimeout)
	defer cancel()
	minted, err := e.tv.MintClaimToken(ctx)
	if err != nil {
		resp.Diagnostics.AddError("No claim token was minted", sentence(err.Error()))
		return
	}
	resp.Diagnostics.Append(resp.Result.Set(ctx, claimTokenModel{
		Token:     types.StringValue(minted.Token),
		ExpiresAt: types.StringValue(minted.ExpiresAt.UTC().Format(time.RFC3339)),
	})...)
}
