package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

func (*serverAccountBinding) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "Binds one Plex Media Server to one Plex account.\n\n" +
			"Create claims the server, or adopts it without a restart when it is bound to the right account already. Destroy stops it, takes a copy of its preferences, " +
			"removes exactly `PlexOnlineHome`, `PlexOnlineMail`, `PlexOnlineToken` and `PlexOnlineUsername` from them, and starts it again; " +
			"its identity, its libraries and every other preference stay as they are. A server that is bound to somebody else by then is left alone, with a warning.",
		Attributes: map[string]schema.Attribute{
			"server": serverAttribute(),
			"account": schema.StringAttribute{
				MarkdownDescription: "User name or e-mail address of the account that must own the server. It is verified after every claim; a server that is bound to another account " +
					"is an error at create, unless `force_rebind` is set. Not set: whoever the server is bound to, or whoever the claim token belongs to. " +
					"A change rebinds the server in one stop and start.",
				Optional:   true,
				Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"claim_token_wo": schema.StringAttribute{
				MarkdownDescription: "A claim token from https://plex.tv/claim or from the ephemeral resource `plex_claim_token`, which begins with `claim-`. It works once and for four minutes, and is " +
					"used only when the server has to be claimed. Not set: one is minted with the provider's `account_token`. Write-only: never stored in state or plan.",
				Optional:   true,
				Sensitive:  true,
				WriteOnly:  true,
				Validators: []validator.String{claimTokenText},
			},
			"claim_token_wo_version": schema.Int64Attribute{
				MarkdownDescription: "Any number. Terraform cannot see that `claim_token_wo` has changed; change this number with it to rebind the server with the new one. " +
					"While it stays the same, `claim_token_wo` may be null. Removing it does nothing.",
				Optional: true,
			},
			"force_rebind": schema.BoolAttribute{
				MarkdownDescription: "Whether create may take a server over from another account, or one of which nobody says whose it is. Default `false`: that is an error, which names the account.",
				Optional:            true,
			},
			"triggers": schema.MapAttribute{
				MarkdownDescription: "Any values. A change rebinds the server: it gets a new token, in one stop and start, and is never unclaimed in between. " +
					"Adding the attribute to a resource that exists is a change too.",
				ElementType: types.StringType,
				Optional:    true,
			},
			"backup":     backupAttribute(),
			"on_destroy": onDestroyAttribute(),
			"timeouts":   timeoutsAttribute(ctx),

			"id": computed("The server's machine identifier (`ProcessedMachineIdentifier`, 40 hexadecimal digits), as its `/identity` shows it."),
			"status": computed("`bound`; `bound_elsewhere`: bound to another account than `account`; `revoked`: bound with a token that plex.tv refuses; " +
				"or `unknown`: bound, and neither the server nor plex.tv says to whom. Everything but `bound` is planned to be rebound."),
			"username":          computed("User name of the account that the server is bound to."),
			"email":             computed("E-mail address of the account that the server is bound to."),
			"token_fingerprint": computed("First 16 hexadecimal digits of the SHA-256 of the server's token. It tells bindings apart without showing the token. While the server is bound to another account it stays that of the binding that this resource made."),
			"version":           computed("Version of the server, as it said when it last ran."),
			"platform":          computed("The kind of system that the server runs on, such as `linux`."),
			"preferences_path":  computed("Where the server's `Preferences.xml` is."),
			"service":           computed("What manages the server, such as `plexmediaserver.service (systemd)`."),
			"last_backup":       computed("The newest copy of the preferences that an operation of this resource has made, from before it. It holds the token that the server had then."),
		},
	}
}

// computed is an attribute that the provider fills in.
func computed(description string) schema.StringAttribute {
	return schema.StringAttribute{MarkdownDescription: description, Computed: true}
}

func backupAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Copies of the preferences that are made before and after every stop. They hold the server's token, and only their owner can read them.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"directory": schema.StringAttribute{
				MarkdownDescription: "Absolute path of the directory on the server's host. It is made, with mode 0700, where it does not exist; one that others can enter is refused. Default: a directory beside the server's data directory.",
				Optional:            true,
				Validators:          []validator.String{absolutePath},
			},
			"keep": schema.Int64Attribute{
				MarkdownDescription: fmt.Sprintf("For how many operations copies are kept. Default `%d`.", server.DefaultKeep),
				Optional:            true,
				Validators:          []validator.Int64{int64validator.Between(1, 1000)},
			},
		},
	}
}

func onDestroyAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "What destroy does beyond unbinding the server. It is read from state: apply a change of it before the destroy.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"deregister": schema.BoolAttribute{
				MarkdownDescription: "Whether to remove the server's device from the account at plex.tv too, which revokes its token. Plex does not say whether what is shared with others survives it. Needs the provider's `account_token`. Default `false`.",
				Optional:            true,
			},
		},
	}
}

func timeoutsAttribute(ctx context.Context) schema.Attribute {
	change := fmt.Sprintf("such as `20m`. Default `%s` plus `server.stop_timeout`. A server that has been stopped is always started again, whatever the limit.", shortDuration(defaultChangeTimeout))
	attribute := timeouts.Attributes(ctx, timeouts.Opts{
		Create: true, Read: true, Update: true, Delete: true,
		CreateDescription: "How long claiming the server may take, " + change,
		ReadDescription:   fmt.Sprintf("How long looking at the server may take, such as `30s`. Default `%s`.", shortDuration(defaultReadTimeout)),
		UpdateDescription: "How long rebinding the server may take, " + change,
		DeleteDescription: "How long unbinding the server may take, " + change + " It is read from state: apply a change of it before the destroy.",
	})
	if nested, ok := attribute.(schema.SingleNestedAttribute); ok {
		nested.MarkdownDescription = "How long operations may take, as durations: numbers with the units `s`, `m` and `h`."
		return nested
	}
	return attribute
}
