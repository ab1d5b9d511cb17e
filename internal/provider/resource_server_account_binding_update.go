package provider

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/homelab-iac/terraform-provider-plex/internal/binding"
	"github.com/homelab-iac/terraform-provider-plex/internal/plain"
)

func (r *serverAccountBinding) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var state, plan bindingModel
	var claimToken types.String
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("claim_token_wo"), &claimToken)...)
	if resp.Diagnostics.HasError() {
		return
	}
	limit, diags := plan.Timeouts.Update(ctx, defaultChangeTimeout+stopTimeout(ctx, plan.Server))
	resp.Diagnostics.Append(diags...)
	ctx, cancel := context.WithTimeout(r.masked(ctx, claimToken.ValueString()), limit)
	defer cancel()

	done := state.binding()
	switch change := changeOf(ctx, state, plan); {
	case change.rebind:
		result, ok := r.rebind(ctx, state, plan, claimToken.ValueString(), change.rotate, &resp.Diagnostics)
		if !ok && result.Changed {
			// The server is bound, but not as meant: recorded, and planned again.
			state.refresh(result.State)
			state.Status = types.StringValue(string(binding.BoundElsewhere))
			resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
		}
		done = result.State
	case change.look:
		done = r.confirm(ctx, state, plan, change, &resp.Diagnostics)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	plan.fill(done, state)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{plan.ID})...)
}

// rebind gives the server a new token. It is not ok when there was an error.
func (r *serverAccountBinding) rebind(ctx context.Context, state, plan bindingModel, claimToken string, rotate bool, diags *diag.Diagnostics) (done binding.Result, ok bool) {
	r.known(ctx, plan.Server, diags)
	srv := r.server(ctx, plan.Server, plan.Backup, diags)
	if diags.HasError() {
		return done, false
	}
	tflog.Debug(ctx, "rebinding the server", map[string]any{"host": srv.Host(), "rotate": rotate})
	done, err := r.binder.Rebind(ctx, srv, binding.Wanted{
		ID: state.ID.ValueString(), Account: plan.Account.ValueString(), ClaimToken: claimToken, Force: true,
	}, rotate)
	warn(diags, "Rebinding the server on "+srv.Host()+": a remark", done.Warnings)
	if err != nil {
		diags.Append(failure(ctx, err))
	}
	return done, err == nil
}

// confirm looks whether the server is the one that was planned for, and bound as
// planned. It changes nothing on the server.
func (r *serverAccountBinding) confirm(ctx context.Context, state, plan bindingModel, change change, diags *diag.Diagnostics) binding.State {
	srv := r.server(ctx, plan.Server, plan.Backup, diags)
	if diags.HasError() {
		return binding.State{}
	}
	seen, err := r.binder.Look(ctx, srv, plan.Account.ValueString(), state.binding())
	if err != nil {
		diags.Append(failure(ctx, err))
		return binding.State{}
	}
	warn(diags, "Looking at the server on "+srv.Host()+": a remark", seen.Warnings)
	switch {
	case seen.ID != state.ID.ValueString():
		diags.Append(anotherServer(srv.Host(), state.ID.ValueString(), seen.ID, seen.PreferencesPath))
	case change.account && seen.Status != binding.Bound:
		diags.AddAttributeError(path.Root("account"), "The binding of the server on "+srv.Host()+" has changed since the plan", joinParagraphs(
			fmt.Sprintf("It is %s now, and names %s.", seen.Status, seen.Account()), untouched, "Plan again."))
	}
	return seen.State
}

// anotherServer is the error of an attribute `server` that leads to another server
// than the one whose binding it is, where it is too late to plan a replacement.
func anotherServer(host, id, found, at string) diag.Diagnostic {
	return diag.NewAttributeErrorDiagnostic(path.Root("server"), "Another server on "+host+" than the one in state", joinParagraphs(
		fmt.Sprintf("State has the server %s; the attribute server leads to %s (%s) now.", id, plain.Line(found), plain.Line(at)), untouched,
		"To go over to that server, plan again, without -refresh=false: the plan then shows the replacement. To keep the old one, correct the attribute server."))
}
