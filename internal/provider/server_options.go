package provider

import (
	"context"
	"reflect"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// serverModel is the attribute `server`, wholly known. The JSON names are those
// of import.
type serverModel struct {
	SSH             *sshTargetModel `tfsdk:"ssh" json:"ssh"`
	Exec            []string        `tfsdk:"exec" json:"exec"`
	Container       *containerModel `tfsdk:"container" json:"container"`
	Become          *bool           `tfsdk:"become" json:"become"`
	Platform        *string         `tfsdk:"platform" json:"platform"`
	PreferencesPath *string         `tfsdk:"preferences_path" json:"preferences_path"`
	Service         *serviceModel   `tfsdk:"service" json:"service"`
	Commands        *commandsModel  `tfsdk:"commands" json:"commands"`
	URL             *string         `tfsdk:"url" json:"url"`
	StopTimeout     *string         `tfsdk:"stop_timeout" json:"stop_timeout"`
}

type sshTargetModel struct {
	Host    *string `tfsdk:"host" json:"host"`
	Port    *int64  `tfsdk:"port" json:"port"`
	User    *string `tfsdk:"user" json:"user"`
	HostKey *string `tfsdk:"host_key" json:"host_key"`
}

type containerModel struct {
	Name   *string `tfsdk:"name" json:"name"`
	Engine *string `tfsdk:"engine" json:"engine"`
}

type serviceModel struct {
	Manager *string `tfsdk:"manager" json:"manager"`
	Name    *string `tfsdk:"name" json:"name"`
}

type commandsModel struct {
	Stop   *string `tfsdk:"stop" json:"stop"`
	Start  *string `tfsdk:"start" json:"start"`
	Status *string `tfsdk:"status" json:"status"`
}

// backupModel is the attribute `backup`.
type backupModel struct {
	Directory *string `tfsdk:"directory"`
	Keep      *int64  `tfsdk:"keep"`
}

// readServer is the attribute `server`; the zero value when it is not set.
func readServer(ctx context.Context, value types.Object) (serverModel, diag.Diagnostics) {
	var m serverModel
	if value.IsNull() {
		return m, nil
	}
	return m, value.As(ctx, &m, basetypes.ObjectAsOptions{})
}

// serverOptions are which server the attributes `server` and `backup` mean on its
// host, and how it is handled.
func serverOptions(ctx context.Context, m serverModel, backupValue types.Object) (server.Options, diag.Diagnostics) {
	var diags diag.Diagnostics
	var backup backupModel
	if !backupValue.IsNull() {
		diags.Append(backupValue.As(ctx, &backup, basetypes.ObjectAsOptions{})...)
	}
	if diags.HasError() {
		return server.Options{}, diags
	}
	o := server.Options{
		Platform:        deref(m.Platform),
		PreferencesPath: deref(m.PreferencesPath),
		URL:             deref(m.URL),
		Backup:          server.Backup{Directory: deref(backup.Directory), Keep: int(deref(backup.Keep))},
	}
	if m.Service != nil {
		o.Service = server.Service{Manager: deref(m.Service.Manager), Name: deref(m.Service.Name)}
	}
	if m.Commands != nil {
		o.Commands = server.Commands{Stop: deref(m.Commands.Stop), Start: deref(m.Commands.Start), Status: deref(m.Commands.Status)}
	}
	if m.StopTimeout != nil {
		limit, err := time.ParseDuration(*m.StopTimeout)
		if err != nil {
			diags.AddAttributeError(path.Root("server").AtName("stop_timeout"), "Invalid duration", sentence(err.Error()))
		}
		o.StopTimeout = limit
	}
	return o, diags
}

// samePlace tells whether two values of `server` lead to the same server in the
// same way, so that nothing has to be looked at when one replaces the other.
func (m serverModel) samePlace(other serverModel) bool {
	m.StopTimeout, other.StopTimeout = nil, nil
	return reflect.DeepEqual(m, other)
}

// stopTimeout is how long the server may take to stop.
func stopTimeout(ctx context.Context, serverValue types.Object) time.Duration {
	if m, diags := readServer(ctx, serverValue); !diags.HasError() && m.StopTimeout != nil {
		if limit, err := time.ParseDuration(*m.StopTimeout); err == nil {
			return limit
		}
	}
	return server.DefaultStopTimeout
}

// whollyKnown tells whether nothing in the value is unknown.
func whollyKnown(ctx context.Context, value attr.Value) bool {
	v, err := value.ToTerraformValue(ctx)
	return err == nil && v.IsFullyKnown()
}

// deref is what p points to, or the zero value.
func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
