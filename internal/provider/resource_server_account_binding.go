package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/homelab-iac/terraform-provider-plex/internal/binding"
	"github.com/homelab-iac/terraform-provider-plex/internal/plain"
)

var (
	_ resource.ResourceWithConfigure   = (*serverAccountBinding)(nil)
	_ resource.ResourceWithModifyPlan  = (*serverAccountBinding)(nil)
	_ resource.ResourceWithImportState = (*serverAccountBinding)(nil)
	_ resource.ResourceWithIdentity    = (*serverAccountBinding)(nil)
)

// serverAccountBinding is the resource plex_server_account_binding.
type serverAccountBinding struct{ *connections }

func newServerAccountBinding() resource.Resource { return &serverAccountBinding{} }

func (*serverAccountBinding) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_server_account_binding"
}

func (*serverAccountBinding) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{
		Attributes: map[string]identityschema.Attribute{
			"id": identityschema.StringAttribute{
				Description:       "The server's machine identifier (ProcessedMachineIdentifier, 40 hexadecimal digits), as its /identity shows it.",
				RequiredForImport: true,
			},
		},
	}
}

// identityModel is the resource's identity.
type identityModel struct {
	ID types.String `tfsdk:"id"`
}

func (r *serverAccountBinding) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	r.connections = connectionsOf(req.ProviderData, &resp.Diagnostics)
}

// Default time limits. An operation that stops a server has its stop_timeout in
// addition, and always carries the server to where it runs again.
const (
	defaultReadTimeout   = 5 * time.Minute
	defaultChangeTimeout = 15 * time.Minute
)

func (r *serverAccountBinding) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan bindingModel
	var claimToken types.String // write-only: only the configuration has it
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("claim_token_wo"), &claimToken)...)
	r.known(ctx, plan.Server, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	limit, diags := plan.Timeouts.Create(ctx, defaultChangeTimeout+stopTimeout(ctx, plan.Server))
	resp.Diagnostics.Append(diags...)
	srv := r.server(ctx, plan.Server, plan.Backup, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(r.masked(ctx, claimToken.ValueString()), limit)
	defer cancel()
	tflog.Debug(ctx, "binding the server", map[string]any{"host": srv.Host()})

	done, err := r.binder.Bind(ctx, srv, binding.Wanted{
		Account: plan.Account.ValueString(), ClaimToken: claimToken.ValueString(), Force: plan.ForceRebind.ValueBool(),
	})
	warn(&resp.Diagnostics, "Binding the server on "+srv.Host()+": a remark", done.Warnings)
	if err != nil {
		resp.Diagnostics.Append(failure(ctx, err))
		if !done.Changed {
			return
		}
		// The server is bound, but not as meant: recorded, so that it can be unbound.
		done.Status = binding.BoundElsewhere
		plan.Status = types.StringUnknown()
	}
	plan.fill(done.State, bindingModel{})
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{plan.ID})...)
}

func (r *serverAccountBinding) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state bindingModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if unknown := r.wayUnknown(ctx, state.Server); len(unknown) > 0 {
		// As while a plan is made for what the provider's configuration depends on.
		resp.Diagnostics.AddWarning("The server "+state.ID.ValueString()+" was not looked at", fmt.Sprintf(
			"The value of the provider's %s is not known yet, so that its host cannot be reached. The plan goes on from what is in state.", unknown[0]))
		return
	}
	limit, diags := state.Timeouts.Read(ctx, defaultReadTimeout)
	resp.Diagnostics.Append(diags...)
	srv := r.server(ctx, state.Server, state.Backup, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(r.masked(ctx), limit)
	defer cancel()

	seen, err := r.binder.Look(ctx, srv, state.Account.ValueString(), state.binding())
	if err != nil {
		resp.Diagnostics.Append(failure(ctx, err, waysPast))
		return
	}
	tflog.Debug(ctx, "looked at the server", map[string]any{"host": srv.Host(), "id": seen.ID, "status": string(seen.Status)})
	warn(&resp.Diagnostics, "Looking at the server on "+srv.Host()+": a remark", seen.Warnings)
	if id := state.ID.ValueString(); id != "" && seen.ID != id {
		resp.Diagnostics.AddError("Another server on "+srv.Host()+" than the one in state", joinParagraphs(
			fmt.Sprintf("State has the server %s. The one that is found now, by the attribute server, is %s (%s).", id, plain.Line(seen.ID), plain.Line(seen.PreferencesPath)),
			untouched, "If the server was installed anew and its old identity is gone, forget the old one and create the binding again. "+
				"If several servers run here, set server.preferences_path.", waysPast))
		return
	}
	if seen.Status == binding.Unclaimed {
		resp.Diagnostics.AddWarning("The server on "+srv.Host()+" is unclaimed ("+plain.Line(seen.PreferencesPath)+")",
			"It is bound to no account any more, so its binding was removed from state. The next apply claims it again, unless the resource is removed from the configuration.")
		resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{types.StringValue(seen.ID)})...)
		resp.State.RemoveResource(ctx)
		return
	}
	r.read.Store(seen.ID, true)
	state.refresh(seen.State)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{state.ID})...)
}

const untouched = "Nothing was stopped and nothing was changed."

// waysPast is what to do when a server cannot be read and the plan has to go on.
const waysPast = "The binding is still in state. To plan without looking at servers, use -refresh=false. To forget the server without touching it, " +
	"use a removed block with lifecycle { destroy = false }, or terraform state rm."

func (r *serverAccountBinding) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state bindingModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	deregister := state.deregister()
	if deregister {
		r.known(ctx, state.Server, &resp.Diagnostics)
	}
	r.knownWay(ctx, state.Server, &resp.Diagnostics)
	limit, diags := state.Timeouts.Delete(ctx, defaultChangeTimeout+stopTimeout(ctx, state.Server))
	resp.Diagnostics.Append(diags...)
	srv := r.server(ctx, state.Server, state.Backup, &resp.Diagnostics)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(r.masked(ctx), limit)
	defer cancel()
	tflog.Debug(ctx, "unbinding the server", map[string]any{"host": srv.Host(), "id": state.ID.ValueString()})

	done, err := r.binder.Unbind(ctx, srv, state.binding(), deregister)
	summary := "Unbinding the server on " + srv.Host() + ": a remark"
	if err == nil && !done.Changed {
		summary = "The server on " + srv.Host() + " was left as it is"
	}
	warn(&resp.Diagnostics, summary, done.Warnings)
	if err != nil {
		resp.Diagnostics.Append(failure(ctx, err, waysPast))
	}
}
