package provider

import (
	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/homelab-iac/terraform-provider-plex/internal/binding"
	"github.com/homelab-iac/terraform-provider-plex/internal/plain"
)

// bindingModel is plex_server_account_binding in configuration, plan and state.
type bindingModel struct {
	Server              types.Object   `tfsdk:"server"`
	Account             types.String   `tfsdk:"account"`
	ClaimTokenWO        types.String   `tfsdk:"claim_token_wo"` // null but in the configuration
	ClaimTokenWOVersion types.Int64    `tfsdk:"claim_token_wo_version"`
	ForceRebind         types.Bool     `tfsdk:"force_rebind"`
	Triggers            types.Map      `tfsdk:"triggers"`
	Backup              types.Object   `tfsdk:"backup"`
	OnDestroy           types.Object   `tfsdk:"on_destroy"`
	Timeouts            timeouts.Value `tfsdk:"timeouts"`

	ID               types.String `tfsdk:"id"`
	Status           types.String `tfsdk:"status"`
	Username         types.String `tfsdk:"username"`
	Email            types.String `tfsdk:"email"`
	TokenFingerprint types.String `tfsdk:"token_fingerprint"`
	Version          types.String `tfsdk:"version"`
	Platform         types.String `tfsdk:"platform"`
	PreferencesPath  types.String `tfsdk:"preferences_path"`
	Service          types.String `tfsdk:"service"`
	LastBackup       types.String `tfsdk:"last_backup"`
}

// computed are the attributes that the provider fills in.
func (m *bindingModel) computed() []*types.String {
	return []*types.String{
		&m.ID, &m.Status, &m.Username, &m.Email, &m.TokenFingerprint,
		&m.Version, &m.Platform, &m.PreferencesPath, &m.Service, &m.LastBackup,
	}
}

// keep takes the computed attributes of other.
func (m *bindingModel) keep(other bindingModel) {
	theirs := other.computed()
	for i, mine := range m.computed() {
		*mine = *theirs[i]
	}
}

// fill gives the computed attributes that are not known yet the values of s:
// what was planned stays as it was planned. Where s has no version or backup,
// those of prior hold on.
func (m *bindingModel) fill(s binding.State, prior bindingModel) {
	var seen bindingModel
	seen.set(s)
	if seen.Version.IsNull() {
		seen.Version = prior.Version
	}
	if seen.LastBackup.IsNull() {
		seen.LastBackup = prior.LastBackup
	}
	values := seen.computed()
	for i, mine := range m.computed() {
		if mine.IsUnknown() {
			*mine = *values[i]
		}
	}
}

// set takes all of s.
func (m *bindingModel) set(s binding.State) {
	m.ID, m.Status = text(s.ID), text(string(s.Status))
	m.Username, m.Email, m.TokenFingerprint = text(s.Username), text(s.Email), text(s.TokenFingerprint)
	m.Version, m.Platform, m.PreferencesPath, m.Service = text(s.Version), text(s.Platform), text(s.PreferencesPath), text(s.Service)
	m.LastBackup = text(s.LastBackup)
}

// refresh records what was seen. A server that does not run keeps the version
// that it last had. The fingerprint of a binding that is not, or may not be, that
// of the resource's account is not recorded: by the one that is, Delete tells
// that the binding is somebody else's and leaves it alone.
func (m *bindingModel) refresh(s binding.State) {
	before := *m
	m.set(s)
	if s.LastBackup == "" {
		m.LastBackup = before.LastBackup
	}
	if s.Version == "" {
		m.Version = before.Version
	}
	if !before.TokenFingerprint.IsNull() && !m.isOurs(s) {
		m.TokenFingerprint = before.TokenFingerprint
	}
}

func (m *bindingModel) isOurs(s binding.State) bool {
	account := m.Account.ValueString()
	switch s.Status {
	case binding.BoundElsewhere, binding.Unknown:
		return false
	case binding.Revoked:
		return account == "" || s.Is(account)
	case binding.Bound, binding.Unclaimed:
	}
	return true
}

// binding is what is recorded of the binding.
func (m *bindingModel) binding() binding.State {
	return binding.State{
		ID: m.ID.ValueString(), Status: binding.Status(m.Status.ValueString()),
		Username: m.Username.ValueString(), Email: m.Email.ValueString(), TokenFingerprint: m.TokenFingerprint.ValueString(),
		Version: m.Version.ValueString(), Platform: m.Platform.ValueString(), PreferencesPath: m.PreferencesPath.ValueString(),
		Service: m.Service.ValueString(), LastBackup: m.LastBackup.ValueString(),
	}
}

// deregister tells whether destroy removes the server's device at plex.tv too.
func (m *bindingModel) deregister() bool {
	deregister, _ := m.OnDestroy.Attributes()["deregister"].(types.Bool)
	return deregister.ValueBool()
}

// text is null for "". Terraform shows some values as they are, and all of these
// were said by somebody else.
func text(s string) types.String {
	if s == "" {
		return types.StringNull()
	}
	return types.StringValue(plain.Line(s))
}
