package provider

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/homelab-iac/terraform-provider-plex/internal/binding"
)

// planTimeout bounds a look at a server while a plan is made.
const planTimeout = time.Minute

// change is what an update has to do at the server.
type change struct {
	rebind  bool // bind it to whom the plan says
	rotate  bool // with a new token, even if it is bound as it should be
	look    bool // see that it is the same server, and is bound as the plan says
	account bool // the account differs from the one in state
	place   bool // how to reach the server differs
}

// changeOf tells what leads from state to plan. What is not known yet counts as
// different. It is asked again when the plan is applied and all is known.
func changeOf(ctx context.Context, state, plan bindingModel) change {
	newToken := !plan.ClaimTokenWOVersion.IsNull() && !plan.ClaimTokenWOVersion.Equal(state.ClaimTokenWOVersion)
	status := binding.Status(state.Status.ValueString())
	c := change{
		account: !plan.Account.Equal(state.Account),
		place:   placeChanged(ctx, state.Server, plan.Server),
		rotate:  newToken || !plan.Triggers.Equal(state.Triggers),
	}
	held := status == binding.Bound || status == binding.BoundElsewhere
	alreadyTheirs := c.account && held && !plan.Account.IsUnknown() &&
		(plan.Account.IsNull() || state.binding().Is(plan.Account.ValueString()))
	switch {
	case c.rotate:
		c.rebind = true
	case alreadyTheirs: // as after an import: there is nothing to do but to write it down
	case status != binding.Bound:
		c.rebind, c.rotate = true, true
	case c.account:
		c.rebind = true
	}
	c.look = !c.rebind && (alreadyTheirs || c.place)
	return c
}

func placeChanged(ctx context.Context, before, after types.Object) bool {
	if before.Equal(after) {
		return false
	}
	if !whollyKnown(ctx, after) {
		return true
	}
	b, wrongBefore := readServer(ctx, before)
	a, wrongAfter := readServer(ctx, after)
	return wrongBefore.HasError() || wrongAfter.HasError() || !a.samePlace(b)
}

// ModifyPlan shows what will happen, and warns before a server is stopped. It
// cannot warn of -replace, of replace_triggered_by and of a taint: Terraform
// does not say so when it asks for the plan of the resource as it was, and drops
// the warnings when it asks again for that of a new one.
func (r *serverAccountBinding) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.connections == nil {
		return
	}
	var state, plan bindingModel
	creates, destroys := req.State.Raw.IsNull(), req.Plan.Raw.IsNull()
	if !creates {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if !destroys {
		resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(r.masked(ctx), planTimeout)
	defer cancel()
	switch {
	case destroys:
		r.warnDestroyed(ctx, state, "Destroying this binding", &resp.Diagnostics)
		return
	case creates:
		r.planCreate(ctx, &plan, &resp.Diagnostics)
	default:
		r.planUpdate(ctx, state, &plan, req, resp)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, plan)...)
}

func (r *serverAccountBinding) planCreate(ctx context.Context, plan *bindingModel, diags *diag.Diagnostics) {
	plan.Status = types.StringValue(string(binding.Bound))
	if plan.ForceRebind.ValueBool() && !plan.Account.IsUnknown() && r.seesNow(ctx, plan.Server) && whollyKnown(ctx, plan.Backup) {
		r.warnTakenOver(ctx, *plan, diags)
	}
}

func (r *serverAccountBinding) planUpdate(ctx context.Context, state bindingModel, plan *bindingModel, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	plan.keep(state)
	change := changeOf(ctx, state, *plan)
	if change.place {
		if r.leadsElsewhere(ctx, state, *plan, &resp.Diagnostics) {
			resp.RequiresReplace = append(resp.RequiresReplace, path.Root("server"))
			r.warnDestroyed(ctx, state, "The attribute server leads to another server now. Replacing this binding", &resp.Diagnostics)
			return
		}
		unknown(&plan.Platform, &plan.PreferencesPath, &plan.Service, &plan.Version)
	}
	requireClaimToken(ctx, req.Config, state, *plan, &resp.Diagnostics)
	switch {
	case change.rebind:
		plan.Status = types.StringValue(string(binding.Bound))
		unknown(&plan.Username, &plan.Email, &plan.TokenFingerprint, &plan.Version, &plan.LastBackup)
		r.warnRebound(ctx, state, *plan, &resp.Diagnostics)
	case change.look && state.Status.ValueString() != string(binding.Bound):
		plan.Status = types.StringValue(string(binding.Bound))
		unknown(&plan.TokenFingerprint) // the one in state is that of the binding before
	}
}

// requireClaimToken refuses a new claim_token_wo_version without a claim token.
// While the version stays the same the token may be null: it is spent, and a
// variable that held it once is empty in later runs.
func requireClaimToken(ctx context.Context, config tfsdk.Config, state, plan bindingModel, diags *diag.Diagnostics) {
	if plan.ClaimTokenWOVersion.IsNull() || plan.ClaimTokenWOVersion.Equal(state.ClaimTokenWOVersion) {
		return
	}
	var token types.String
	diags.Append(config.GetAttribute(ctx, path.Root("claim_token_wo"), &token)...)
	if token.IsNull() {
		diags.AddAttributeError(path.Root("claim_token_wo"), "There is no claim token to rebind the server with",
			"claim_token_wo_version has changed, and claim_token_wo is null. Set it to a new claim token; or, to rebind with the provider's account_token, change triggers instead.")
	}
}

func unknown(attributes ...*types.String) {
	for _, a := range attributes {
		*a = types.StringUnknown()
	}
}

// leadsElsewhere looks where the planned `server` leads, and tells whether that
// is another server. What cannot be seen now is left to apply. A plan that is
// being applied, in which `server` has only now become known, cannot turn into a
// replacement any more: there another server is an error.
func (r *serverAccountBinding) leadsElsewhere(ctx context.Context, state, plan bindingModel, diags *diag.Diagnostics) bool {
	if !r.seesNow(ctx, plan.Server) || !whollyKnown(ctx, plan.Backup) {
		return false
	}
	srv := r.server(ctx, plan.Server, plan.Backup, diags)
	if srv == nil {
		return false
	}
	found, err := srv.Inspect(ctx)
	if err != nil {
		diags.AddAttributeWarning(path.Root("server"), "The server on "+srv.Host()+" was not seen at its new place", joinParagraphs(
			sentence(err.Error()), "Apply looks again, and refuses it if it is another server."))
		return false
	}
	id := state.ID.ValueString()
	if found.ID == id {
		return false
	}
	if _, planning := r.read.Load(id); !planning {
		diags.Append(anotherServer(srv.Host(), id, found.ID, found.PreferencesPath))
		return false
	}
	return true
}

// warnDestroyed warns before the server is stopped to be unbound. A binding that
// is not the recorded one is left alone, and nothing is stopped.
func (r *serverAccountBinding) warnDestroyed(ctx context.Context, state bindingModel, doing string, diags *diag.Diagnostics) {
	s := state.binding()
	if s.Status != binding.Bound && s.Status != binding.Revoked {
		return
	}
	r.warnStop(ctx, state, fmt.Sprintf("%s stops the server, removes the keys that bind it to %s from its preferences, and starts it again, unclaimed.", doing, s.Account()), diags)
}

// warnTakenOver warns before force_rebind takes a server from another account.
func (r *serverAccountBinding) warnTakenOver(ctx context.Context, plan bindingModel, diags *diag.Diagnostics) {
	srv := r.server(ctx, plan.Server, plan.Backup, diags)
	if srv == nil {
		return
	}
	seen, err := r.binder.Look(ctx, srv, plan.Account.ValueString(), binding.State{})
	if err != nil || seen.Status == binding.Unclaimed || seen.Status == binding.Bound {
		return // what cannot be seen yet may be there when the plan is applied
	}
	plan.PreferencesPath = text(seen.PreferencesPath)
	r.warnStop(ctx, plan, fmt.Sprintf("The server is bound to %s (%s). force_rebind takes it over: it is stopped, gets a new token, and is started again.", seen.Account(), seen.Status), diags)
}

func (r *serverAccountBinding) warnRebound(ctx context.Context, state, plan bindingModel, diags *diag.Diagnostics) {
	if !whollyKnown(ctx, plan.Server) {
		plan.Server = state.Server
	}
	s, why := state.binding(), ""
	switch s.Status {
	case binding.BoundElsewhere:
		why = fmt.Sprintf("The server is bound to %s, and is taken from that account. ", s.Account())
	case binding.Revoked:
		why = fmt.Sprintf("plex.tv has revoked the token with which the server is bound to %s. ", s.Account())
	case binding.Unknown:
		why = "The server is bound, and nothing says to whom. "
	case binding.Bound:
		why = fmt.Sprintf("The server is bound to %s. ", s.Account())
	case binding.Unclaimed:
	}
	plan.PreferencesPath = state.PreferencesPath
	r.warnStop(ctx, plan, why+"Rebinding stops it, gives it a new token, and starts it again.", diags)
}

// warnStop warns that the server of m will be stopped. Warnings with the same
// summary are folded, so it names the host and, as there may be several servers
// on one, the preferences.
func (r *serverAccountBinding) warnStop(ctx context.Context, m bindingModel, detail string, diags *diag.Diagnostics) {
	srv := r.server(ctx, m.Server, types.ObjectNull(nil), diags)
	if srv == nil {
		return
	}
	summary := "Plex Media Server on " + srv.Host() + " will be stopped"
	if where := m.PreferencesPath.ValueString(); where != "" {
		summary += ": " + where
	}
	diags.AddWarning(summary, detail+" Whoever is watching is interrupted for as long as the server takes to stop and to start.")
}
