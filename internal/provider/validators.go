package provider

import (
	"context"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/terraform-plugin-framework/schema/validator"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// The validators here have messages that never quote the value: some values
// are secrets, and some hold one by mistake.

// check applies rule to a value that is set and known; rule gives what is wrong.
func check(req validator.StringRequest, resp *validator.StringResponse, summary string, rule func(string) string) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	if wrong := rule(req.ConfigValue.ValueString()); wrong != "" {
		resp.Diagnostics.AddAttributeError(req.Path, summary, fmt.Sprintf("The value of %s %s.", req.Path, wrong))
	}
}

// absolutePath is a path that means the same wherever it is used.
type absolutePath struct{}

func (absolutePath) Description(context.Context) string { return "must be an absolute path" }

func (v absolutePath) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (absolutePath) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, "Invalid path", func(value string) string {
		switch {
		case !path.IsAbs(value):
			return "must be an absolute path: one that begins with a slash"
		case strings.ContainsFunc(value, unicode.IsControl):
			return "must not hold line breaks or other control characters"
		}
		return ""
	})
}

// positiveDuration is what time.ParseDuration reads, above zero.
type positiveDuration struct{}

func (positiveDuration) Description(context.Context) string {
	return `must be a duration above zero, such as "90s" or "3m"`
}

func (v positiveDuration) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v positiveDuration) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, "Invalid duration", func(value string) string {
		if d, err := time.ParseDuration(value); err != nil || d <= 0 {
			return v.Description(ctx)
		}
		return ""
	})
}

// shellText is a command for /bin/sh.
type shellText struct{}

func (shellText) Description(context.Context) string { return "must be a command for /bin/sh" }

func (v shellText) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v shellText) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, "Invalid command", func(value string) string {
		if strings.TrimSpace(value) == "" || strings.ContainsRune(value, 0) {
			return v.Description(ctx)
		}
		return ""
	})
}

// serviceName is what a service manager calls a service, or where its script or
// directory is.
type serviceName struct{}

// serviceNamePattern takes the names of systemd, systemd.unit(5), and group:program
// of supervisord.
var serviceNamePattern = regexp.MustCompile(`^[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]*$`)

func (serviceName) Description(context.Context) string {
	return `must be the name of a service: letters, digits and ":-_.\@"; or an absolute path`
}

func (v serviceName) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v serviceName) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, "Invalid service", func(value string) string {
		place := path.IsAbs(value) && !strings.ContainsFunc(value, unicode.IsControl)
		if !place && (!serviceNamePattern.MatchString(value) || len(value) > 255) {
			return v.Description(ctx)
		}
		return ""
	})
}

// saysSomething is an object of which something is set.
type saysSomething struct{}

func (saysSomething) Description(context.Context) string {
	return "must have one of its attributes set: manager, name"
}

func (v saysSomething) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v saysSomething) ValidateObject(ctx context.Context, req validator.ObjectRequest, resp *validator.ObjectResponse) {
	if req.ConfigValue.IsNull() || req.ConfigValue.IsUnknown() {
		return
	}
	for _, value := range req.ConfigValue.Attributes() {
		if !value.IsNull() {
			return
		}
	}
	resp.Diagnostics.AddAttributeError(req.Path, "Invalid service", fmt.Sprintf("The value of %s %s.", req.Path, v.Description(ctx)))
}

// serverURL is an address at which a media server can be asked.
type serverURL struct{}

func (serverURL) Description(context.Context) string {
	return "must have the form http(s)://host[:port]"
}

func (v serverURL) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v serverURL) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, "Invalid URL", func(value string) string {
		if _, err := server.New(host.Local{}, server.Options{URL: value}); err != nil || value == "" {
			return v.Description(ctx)
		}
		return ""
	})
}

// webAddress is an address of plex.tv.
type webAddress struct{}

func (webAddress) Description(context.Context) string {
	return "must have the form http(s)://host[:port][/path], without user name, query or fragment"
}

func (v webAddress) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v webAddress) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, "Invalid URL", func(value string) string {
		u, err := url.Parse(value)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return v.Description(ctx)
		}
		return ""
	})
}

// claimTokenText is a claim token. A link to claim.plex.tv, or an account token,
// is a common mistake.
type claimTokenText struct{}

var claimTokenPattern = regexp.MustCompile(`^claim-[A-Za-z0-9_-]{1,256}$`)

func (claimTokenText) Description(context.Context) string {
	return `must be a claim token: "claim-" and letters, digits, "-" and "_", as https://plex.tv/claim shows it`
}

func (v claimTokenText) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (v claimTokenText) ValidateString(ctx context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, "Invalid claim token", func(value string) string {
		if !claimTokenPattern.MatchString(value) {
			return v.Description(ctx)
		}
		return ""
	})
}
