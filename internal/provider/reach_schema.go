package provider

import (
	"context"
	"net"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/terraform-plugin-framework-validators/int64validator"
	"github.com/hashicorp/terraform-plugin-framework-validators/listvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/objectvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	frameworkpath "github.com/hashicorp/terraform-plugin-framework/path"
	resource "github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
)

// The ways to a server: attributes of `server`.

// beside is another attribute of `server`.
func beside(name string) frameworkpath.Expression {
	return frameworkpath.MatchRelative().AtParent().AtName(name)
}

func sshTargetAttribute() resource.SingleNestedAttribute {
	return resource.SingleNestedAttribute{
		MarkdownDescription: "Reach the server's host by SSH. Keys, agents, passwords and host key checking are the provider's `ssh`; the OpenSSH client configuration is read too. " +
			"All servers on one host share one connection.",
		Optional:   true,
		Validators: []validator.Object{objectvalidator.ConflictsWith(beside("exec"))},
		Attributes: map[string]resource.Attribute{
			"host": resource.StringAttribute{
				MarkdownDescription: "Name or address of the host, or a `Host` alias of the OpenSSH client configuration.",
				Required:            true,
				Validators:          []validator.String{hostName{}},
			},
			"port": resource.Int64Attribute{
				MarkdownDescription: "Port of the SSH server. Default: the provider's `ssh.port`, else what the client configuration says, else 22.",
				Optional:            true,
				Validators:          []validator.Int64{int64validator.Between(1, 65535)},
			},
			"user": resource.StringAttribute{
				MarkdownDescription: "User to log in as; for an account of Windows also as `Some One`, `CORP\\me` (in HCL the backslash is written twice) or `me@corp.example.com`. Default: the provider's `ssh.user`, else what the client configuration says, else the user who runs Terraform.",
				Optional:            true,
				Validators:          []validator.String{loginName},
			},
			"host_key": resource.StringAttribute{
				MarkdownDescription: "The host's public key, as in `known_hosts` (`ssh-ed25519 AAAA…`), or its fingerprint (`SHA256:…`). Only this key is accepted then, and `known_hosts` is not asked.",
				Optional:            true,
				Validators:          []validator.String{hostKey},
			},
		},
	}
}

func execAttribute() resource.ListAttribute {
	return resource.ListAttribute{
		MarkdownDescription: "A command that gives a shell where the server is, as a list of its words: `[\"kubectl\", \"exec\", \"-i\", \"-n\", \"media\", \"plex-0\", \"--\", \"sh\"]`, " +
			"`[\"pct\", \"exec\", \"101\", \"--\", \"sh\"]`. It runs on the machine that runs Terraform, must pass on its standard input, and must not ask for a terminal. It is stored in state, and must not hold secrets.",
		Optional:    true,
		ElementType: types.StringType,
		Validators:  append(slices.Clone(execWords), listvalidator.ConflictsWith(beside("container"))),
	}
}

// execWords are rules for the words of a command that do not look at what else is set.
var execWords = []validator.List{
	listvalidator.SizeAtLeast(1),
	listvalidator.ValueStringsAre(stringvalidator.LengthAtLeast(1), shellText),
}

func containerAttribute() resource.SingleNestedAttribute {
	return resource.SingleNestedAttribute{
		MarkdownDescription: "The server runs in a container of a Docker engine: of the `ssh` host where that is set, else of this machine. " +
			"Where a supervisor runs inside (the images of plexinc, linuxserver, hotio, binhex) the service in it is stopped and the container goes on; where the server is process 1 the container is stopped.",
		Optional: true,
		Attributes: map[string]resource.Attribute{
			"name": resource.StringAttribute{
				MarkdownDescription: "Name or id of the container.",
				Required:            true,
				Validators:          []validator.String{containerName},
			},
			"engine": resource.StringAttribute{
				MarkdownDescription: "Where the engine listens, as seen from its own machine: `unix:///var/run/docker.sock` or `tcp://host:port`. Default: `DOCKER_HOST` on this machine, else `unix:///var/run/docker.sock`.",
				Optional:            true,
				Validators:          []validator.String{engineAddress},
			},
		},
	}
}

// hostName is a host name, an address, or an alias.
type hostName struct{}

func (hostName) Description(context.Context) string { return "must be a host name or an address" }

func (v hostName) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (hostName) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, "Invalid host", func(value string) string {
		switch {
		case !host.ValidHost(value):
			return "must be a host name or an address"
		case strings.ContainsAny(value, "@/[]"):
			return "must be a host name or an address alone: the user and the port have attributes of their own"
		case strings.Contains(value, ":") && net.ParseIP(strings.SplitN(value, "%", 2)[0]) == nil:
			return "must be a host name or an address alone: the port has an attribute of its own"
		}
		return ""
	})
}

// loginName is the name of a user.
var loginName = textForm{"Invalid user name", `must be a user name: no control characters, no "-" or space at its beginning, no space at its end`, host.ValidUser}

// proxyJump is a way through other hosts.
var proxyJump = textForm{"Invalid jump host", "must be none, or [user@]host[:port], or several of these, separated by commas", func(value string) bool {
	for _, one := range strings.Split(value, ",") {
		one = strings.TrimPrefix(strings.TrimSpace(one), "ssh://")
		name := one[strings.LastIndex(one, "@")+1:]
		// What a host is not called, a user is not called here, either: there is %20.
		if !host.ValidHost(one) || !host.ValidHost(name) {
			return false
		}
	}
	return true
}}

var hostKeyForm = regexp.MustCompile(`^(SHA256:[A-Za-z0-9+/]{43}=?|[a-z0-9@.-]+ [A-Za-z0-9+/]+={0,2}( .*)?)$`)

// hostKey is a public key or its fingerprint.
var hostKey = textForm{"Invalid host key", "must be a public key (ssh-ed25519 AAAA…) or a fingerprint (SHA256:…)", hostKeyForm.MatchString}

var containerNameForm = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)

// containerName is a name or id that an engine gives.
var containerName = textForm{"Invalid container", "must be the name or id of a container", containerNameForm.MatchString}

// engineAddress is where an engine listens.
var engineAddress = textForm{"Invalid engine", "must have the form unix:///path or tcp://host:port", func(value string) bool {
	if strings.ContainsFunc(value, unicode.IsControl) {
		return false
	}
	if socket, found := strings.CutPrefix(value, "unix://"); found && path.IsAbs(socket) {
		return true
	}
	if address, found := strings.CutPrefix(value, "tcp://"); found && !strings.ContainsFunc(value, unicode.IsSpace) {
		if _, port, err := net.SplitHostPort(address); err == nil && port != "" {
			return true
		}
	}
	return false
}}
