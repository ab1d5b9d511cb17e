package provider

import (
	"context"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/provider/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
)

// sshModel is the provider's attribute `ssh`, wholly known.
type sshModel struct {
	User            *string `tfsdk:"user"`
	Port            *int64  `tfsdk:"port"`
	PrivateKey      *string `tfsdk:"private_key"`
	PrivateKeyPath  *string `tfsdk:"private_key_path"`
	Passphrase      *string `tfsdk:"passphrase"`
	Password        *string `tfsdk:"password"`
	Agent           *bool   `tfsdk:"agent"`
	ConfigPath      *string `tfsdk:"config_path"`
	KnownHostsPath  *string `tfsdk:"known_hosts_path"`
	HostKeyChecking *string `tfsdk:"host_key_checking"`
	ProxyJump       *string `tfsdk:"proxy_jump"`
	ConnectTimeout  *string `tfsdk:"connect_timeout"`
}

// becomeModel is the provider's attribute `become`, wholly known.
type becomeModel struct {
	Method   *string `tfsdk:"method"`
	Password *string `tfsdk:"password"`
}

func sshAttribute() schema.SingleNestedAttribute {
	set := []validator.String{stringvalidator.LengthAtLeast(1)}
	return schema.SingleNestedAttribute{
		MarkdownDescription: "Defaults for every server that is reached by SSH. What is not set here is taken from the OpenSSH client configuration.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"user": schema.StringAttribute{
				MarkdownDescription: "User to log in as; for an account of Windows also as `Some One`, `CORP\\me` or `me@corp.example.com`.",
				Optional:            true, Validators: []validator.String{loginName},
			},
			"port": schema.Int64Attribute{
				MarkdownDescription: "Port of the SSH server.",
				Optional:            true, Validators: []validator.Int64{int64validator.Between(1, 65535)},
			},
			"private_key": schema.StringAttribute{
				MarkdownDescription: "A private key, in PEM or OpenSSH form. May be an ephemeral value.",
				Optional:            true, Sensitive: true, Validators: set,
			},
			"private_key_path": schema.StringAttribute{
				MarkdownDescription: "A file that holds a private key; `~` is the home directory. A certificate is taken from the same name with `-cert.pub`.",
				Optional:            true, Validators: set,
			},
			"passphrase": schema.StringAttribute{
				MarkdownDescription: "The passphrase of encrypted private keys.",
				Optional:            true, Sensitive: true, Validators: set,
			},
			"password": schema.StringAttribute{
				MarkdownDescription: "A password to log in with, also where the server asks for it interactively.",
				Optional:            true, Sensitive: true, Validators: set,
			},
			"agent": schema.BoolAttribute{
				MarkdownDescription: "Whether to ask the SSH agent. Default: it is asked where there is one.",
				Optional:            true,
			},
			"config_path": schema.StringAttribute{
				MarkdownDescription: "The OpenSSH client configuration. Default `~/.ssh/config`, then `/etc/ssh/ssh_config`.",
				Optional:            true, Validators: set,
			},
			"known_hosts_path": schema.StringAttribute{
				MarkdownDescription: "The file of known host keys. Default: what the client configuration says, else `~/.ssh/known_hosts`.",
				Optional:            true, Validators: set,
			},
			"host_key_checking": schema.StringAttribute{
				MarkdownDescription: "`strict` (the default): a host whose key is not known is refused. `accept-new`: its key is accepted and recorded the first time. A changed key is refused in any case.",
				Optional:            true, Validators: []validator.String{stringvalidator.OneOf(host.HostKeyStrict, host.HostKeyAcceptNew)},
			},
			"proxy_jump": schema.StringAttribute{
				MarkdownDescription: "A host to jump through, `[user@]host[:port]`, or several, separated by commas; each also as `ssh://user@host:port`, where `%5C` is a backslash in the user's name.",
				Optional:            true, Validators: []validator.String{proxyJump},
			},
			"connect_timeout": schema.StringAttribute{
				MarkdownDescription: "How long the connection to one host may take, from the first packet to the log-in. Default: what the client configuration says, else `15s`.",
				Optional:            true, Validators: []validator.String{positiveDuration},
			},
		},
	}
}

func becomeAttribute() schema.SingleNestedAttribute {
	return schema.SingleNestedAttribute{
		MarkdownDescription: "How to act as root on a host, for servers that say `become = true`.",
		Optional:            true,
		Attributes: map[string]schema.Attribute{
			"method": schema.StringAttribute{
				MarkdownDescription: "`sudo` (the default), `doas`, or `none`.",
				Optional:            true, Validators: []validator.String{stringvalidator.OneOf(host.BecomeSudo, host.BecomeDoas, host.BecomeNone)},
			},
			"password": schema.StringAttribute{
				MarkdownDescription: "The password that `sudo` asks for; it is sent on standard input. Not set: `sudo` must not ask.",
				Optional:            true, Sensitive: true, Validators: []validator.String{stringvalidator.LengthAtLeast(1)},
			},
		},
	}
}

// unknownIn are the paths below at whose values are not known.
func unknownIn(at path.Path, value attr.Value) []path.Path {
	if value.IsUnknown() {
		return []path.Path{at}
	}
	var unknown []path.Path
	if object, ok := value.(types.Object); ok {
		for name, v := range object.Attributes() {
			unknown = append(unknown, unknownIn(at.AtName(name), v)...)
		}
	}
	return unknown
}

// sshSettings are what the attribute `ssh` means; the zero value where it is not
// set, or not wholly known.
func sshSettings(ctx context.Context, value types.Object) (host.SSHSettings, diag.Diagnostics) {
	var m sshModel
	if value.IsNull() || !whollyKnown(ctx, value) {
		return host.SSHSettings{}, nil
	}
	diags := value.As(ctx, &m, basetypes.ObjectAsOptions{})
	if diags.HasError() {
		return host.SSHSettings{}, diags
	}
	limit, err := time.ParseDuration(deref(m.ConnectTimeout))
	if m.ConnectTimeout != nil && err != nil {
		diags.AddAttributeError(path.Root("ssh").AtName("connect_timeout"), "Invalid duration", sentence(err.Error()))
	}
	return host.SSHSettings{
		User: deref(m.User), Port: int(deref(m.Port)),
		PrivateKey: deref(m.PrivateKey), PrivateKeyPath: deref(m.PrivateKeyPath),
		Passphrase: deref(m.Passphrase), Password: deref(m.Password), Agent: m.Agent,
		ConfigPath: deref(m.ConfigPath), KnownHostsPath: deref(m.KnownHostsPath),
		HostKeyChecking: deref(m.HostKeyChecking), ProxyJump: deref(m.ProxyJump), ConnectTimeout: limit,
	}, diags
}

// becomeSettings are what the attribute `become` means.
func becomeSettings(ctx context.Context, value types.Object) (host.Become, diag.Diagnostics) {
	become := host.Become{Method: host.BecomeSudo}
	if value.IsNull() || !whollyKnown(ctx, value) {
		return become, nil
	}
	var m becomeModel
	diags := value.As(ctx, &m, basetypes.ObjectAsOptions{})
	if m.Method != nil {
		become.Method = *m.Method
	}
	become.Password = deref(m.Password)
	return become, diags
}
