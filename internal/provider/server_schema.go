package provider

import (
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/objectvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	datasource "github.com/hashicorp/terraform-plugin-framework/datasource/schema"
	resource "github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// serverAttribute is the attribute `server` of a resource.
func serverAttribute() resource.SingleNestedAttribute {
	return resource.SingleNestedAttribute{
		MarkdownDescription: "How to reach the server. Not set: the one server on this machine, which is found by its service. " +
			"A change here does not restart the server when it leads to the same one (the same `id`); one that leads to another server replaces the resource.",
		Optional: true,
		Attributes: map[string]resource.Attribute{
			"ssh":       sshTargetAttribute(),
			"exec":      execAttribute(),
			"container": containerAttribute(),
			"become": resource.BoolAttribute{
				MarkdownDescription: "Whether to act as root on the host, as the provider's `become` says. Needed where the user who logs in is neither root nor the user who runs the server.",
				Optional:            true,
			},
			"platform": resource.StringAttribute{
				MarkdownDescription: "The packaging of Plex on the host, which says where the preferences are and how the service is stopped: " + listed(server.Platforms()) + ". Not set: detected.",
				Optional:            true,
				Validators:          []validator.String{stringvalidator.OneOf(server.Platforms()...)},
			},
			"preferences_path": resource.StringAttribute{
				MarkdownDescription: "Absolute path of the server's `Preferences.xml`; on macOS, of `com.plexapp.plexmediaserver.plist`. Not set: found by the service. " +
					"Set it where several servers run on one host, or where the data directory has been moved.",
				Optional:   true,
				Validators: []validator.String{absolutePath{}},
			},
			"service": resource.SingleNestedAttribute{
				MarkdownDescription: "The service that runs the server. Not set: the services that packages of Plex install are looked for, with every service manager that the host has.",
				Optional:            true,
				Validators:          []validator.Object{objectvalidator.ConflictsWith(beside("commands")), saysSomething{}},
				Attributes: map[string]resource.Attribute{
					"manager": resource.StringAttribute{
						MarkdownDescription: "Who manages the service: " + listed(server.Managers()) + ". `systemd-user` is the manager of the user who acts on the host. Not set: whichever knows the name.",
						Optional:            true,
						Validators:          []validator.String{stringvalidator.OneOf(server.Managers()...)},
					},
					"name": resource.StringAttribute{
						MarkdownDescription: "What the manager calls it: a unit such as `plexmediaserver.service` (`.service` may be left out), a service or package; for `runit` and `s6` also the path of a service directory, " +
							"for `sysv` and `qnap` that of a script, for `supervisord` also `group:program`; for `launchd` the label of the job, for `macos-app` the path of the application. Not set: the usual names.",
						Optional:   true,
						Validators: []validator.String{serviceName},
					},
				},
			},
			"commands": resource.SingleNestedAttribute{
				MarkdownDescription: "Commands that stop and start the server and tell its status, where no service manager does. They are run by `/bin/sh`, " +
					"are stored in state, and must not hold secrets. Set `preferences_path` with them.",
				Optional: true,
				Attributes: map[string]resource.Attribute{
					"stop": resource.StringAttribute{
						MarkdownDescription: "Asks the server to stop. It must let the server end by itself (SIGTERM, never SIGKILL): a server that is killed while it writes its preferences loses them.",
						Required:            true,
						Validators:          []validator.String{shellText},
					},
					"start": resource.StringAttribute{
						MarkdownDescription: "Starts the server, and ends; the server must go on without it.",
						Required:            true,
						Validators:          []validator.String{shellText},
					},
					"status": resource.StringAttribute{
						MarkdownDescription: "Ends with 0 when the server runs, and with 1, 2 or 3 when it does not. Any other status is an error.",
						Required:            true,
						Validators:          []validator.String{shellText},
					},
				},
			},
			"url": resource.StringAttribute{
				MarkdownDescription: fmt.Sprintf("Where the server listens, `http(s)://host[:port]`, as seen from its own host. Default `%s`.", server.DefaultURL),
				Optional:            true,
				Validators:          []validator.String{serverURL},
			},
			"stop_timeout": resource.StringAttribute{
				MarkdownDescription: fmt.Sprintf("How long the server may take to stop, for example `3m`. A server that still runs then is left running, untouched, and the operation is an error: "+
					"it is never killed. Default `%s`.", shortDuration(server.DefaultStopTimeout)),
				Optional:   true,
				Validators: []validator.String{positiveDuration},
			},
		},
	}
}

// listed are values as a text of Markdown.
func listed(values []string) string { return "`" + strings.Join(values, "`, `") + "`" }

// forDataSource are the same attributes as a data source has them.
func forDataSource(attributes map[string]resource.Attribute) map[string]datasource.Attribute {
	converted := make(map[string]datasource.Attribute, len(attributes))
	for name, attribute := range attributes {
		switch a := attribute.(type) {
		case resource.StringAttribute:
			converted[name] = datasource.StringAttribute{
				MarkdownDescription: a.MarkdownDescription, Required: a.Required, Optional: a.Optional, Computed: a.Computed, Validators: a.Validators,
			}
		case resource.BoolAttribute:
			converted[name] = datasource.BoolAttribute{MarkdownDescription: a.MarkdownDescription, Optional: a.Optional}
		case resource.Int64Attribute:
			converted[name] = datasource.Int64Attribute{MarkdownDescription: a.MarkdownDescription, Optional: a.Optional, Validators: a.Validators}
		case resource.ListAttribute:
			converted[name] = datasource.ListAttribute{
				MarkdownDescription: a.MarkdownDescription, Optional: a.Optional, ElementType: a.ElementType, Validators: a.Validators,
			}
		case resource.SingleNestedAttribute:
			converted[name] = datasource.SingleNestedAttribute{
				MarkdownDescription: a.MarkdownDescription, Required: a.Required, Optional: a.Optional, Validators: a.Validators,
				Attributes: forDataSource(a.Attributes),
			}
		default:
			panic(fmt.Sprintf("provider: no data source attribute is known for %T", attribute))
		}
	}
	return converted
}
