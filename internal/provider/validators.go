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

// textForm is a rule for the form of a text.
type textForm struct {
	summary string
	must    string // what the form is: the rest of a sentence, and the validator's description
	fits    func(value string) bool
}

func (f textForm) Description(context.Context) string { return f.must }

func (f textForm) MarkdownDescription(context.Context) string { return f.must }

func (f textForm) ValidateString(_ context.Context, req validator.StringRequest, resp *validator.StringResponse) {
	check(req, resp, f.summary, func(value string) string {
		if !f.fits(value) {
			return f.must
		}
		return ""
	})
}

// drivePattern begins an absolute path of Windows: a drive, or a share.
var drivePattern = regexp.MustCompile(`^([A-Za-z]:[\\/]|\\\\[^\\/]+[\\/][^\\/]+)`)

// isAbsolute is true of a path that means the same wherever it is used.
func isAbsolute(value string) bool {
	return (path.IsAbs(value) || drivePattern.MatchString(value)) && !strings.ContainsFunc(value, unicode.IsControl)
}

// absolutePath is such a path.
var absolutePath = textForm{"Invalid path", `must be an absolute path, one that begins with a slash or, on Windows, with a drive; and hold no control characters`, isAbsolute}

// keyPattern is the path of a registry key that belongs to a user.
var keyPattern = regexp.MustCompile(`(?i)^(HKEY_CURRENT_USER|HKCU|(HKEY_USERS|HKU)\\[^\\]+)(\\[^\\]+)+$`)

// preferencesPlace is where a server has its preferences.
var preferencesPlace = textForm{
	"Invalid path",
	`must be an absolute path or, on Windows, a registry key of a user (HKEY_CURRENT_USER\…, HKEY_USERS\SID\…); and hold no control characters`,
	func(value string) bool {
		return path.IsAbs(value) && isAbsolute(value) || keyPattern.MatchString(value) && !strings.ContainsFunc(value, unicode.IsControl)
	},
}

// positiveDuration is what time.ParseDuration reads, above zero.
var positiveDuration = textForm{"Invalid duration", `must be a duration above zero, such as "90s" or "3m"`, func(value string) bool {
	d, err := time.ParseDuration(value)
	return err == nil && d > 0
}}

// shellText is a command for /bin/sh.
var shellText = textForm{"Invalid command", "must be a command for /bin/sh", func(value string) bool {
	return strings.TrimSpace(value) != "" && !strings.ContainsRune(value, 0)
}}

// serviceNamePattern takes the names of systemd, systemd.unit(5), and group:program
// of supervisord.
var serviceNamePattern = regexp.MustCompile(`^[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]*$`)

// serviceName is what a service manager calls a service, or where its script or
// directory is.
var serviceName = textForm{"Invalid service", `must be the name of a service: letters, digits and ":-_.\@"; or an absolute path`, func(value string) bool {
	place := path.IsAbs(value) && !strings.ContainsFunc(value, unicode.IsControl)
	return place || serviceNamePattern.MatchString(value) && len(value) <= 255
}}

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
var serverURL = textForm{"Invalid URL", "must have the form http(s)://host[:port]", func(value string) bool {
	_, err := server.New(host.Local{}, server.Options{URL: value})
	return err == nil && value != ""
}}

// webAddress is an address of plex.tv.
var webAddress = textForm{"Invalid URL", "must have the form http(s)://host[:port][/path], without user name, query or fragment", func(value string) bool {
	u, err := url.Parse(value)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}}

var claimTokenPattern = regexp.MustCompile(`^claim-[A-Za-z0-9_-]{1,256}$`)

// claimTokenText is a claim token. A link to claim.plex.tv, or an account token,
// is a common mistake.
var claimTokenText = textForm{"Invalid claim token", `must be a claim token: "claim-" and letters, digits, "-" and "_", as https://plex.tv/claim shows it`, claimTokenPattern.MatchString}
