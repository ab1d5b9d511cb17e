package provider

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/homelab-iac/terraform-provider-plex/internal/binding"
	"github.com/homelab-iac/terraform-provider-plex/internal/plain"
)

// localID imports the server of this machine.
const localID = "local:"

const importForms = "A binding is imported by:\n\n" +
	"  - local: for the one server on this machine\n" +
	"  - ssh://user@host:port for the one server on that host\n" +
	"  - docker://name for a container on this machine, docker+ssh://user@host:port/name for one on that host\n" +
	`  - the JSON of the attribute server, for example {"preferences_path":"/srv/plex/Plex Media Server/Preferences.xml"}` +
	"\n\nThe user and the port may be left out. In a user's name %5C is a backslash and %20 a space: ssh://CORP%5Cme@host." +
	" With ?become=true at its end a URL acts as root, as the provider's become says."

// ImportState finds the server and records who it is; the read that follows
// records its binding.
func (r *serverAccountBinding) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	var identity identityModel
	if req.ID == "" && req.Identity != nil {
		resp.Diagnostics.Append(req.Identity.Get(ctx, &identity)...)
	}
	serverValue := types.ObjectNull(serverAttributeTypes())
	if req.ID != "" && req.ID != localID {
		var err error
		if serverValue, err = importedServer(ctx, req.ID); err != nil {
			resp.Diagnostics.AddError("This cannot be imported", joinParagraphs(sentence(err.Error()), importForms))
		} else {
			validateNested(ctx, path.Root("server"), serverAttribute().Attributes, serverValue, &resp.Diagnostics)
		}
	}
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(r.masked(ctx), defaultReadTimeout)
	defer cancel()
	srv := r.server(ctx, serverValue, types.ObjectNull(nil), &resp.Diagnostics)
	if srv == nil {
		return
	}
	seen, err := r.binder.Look(ctx, srv, "", binding.State{})
	switch {
	case err != nil:
		resp.Diagnostics.Append(failure(ctx, err))
	case !identity.ID.IsNull() && identity.ID.ValueString() != seen.ID:
		resp.Diagnostics.AddError("Another server on "+srv.Host()+" than the one to import", joinParagraphs(
			fmt.Sprintf("The server on %s is %s, not %s.", srv.Host(), plain.Line(seen.ID), identity.ID.ValueString()),
			"By its identity a server is looked for on this machine only. To import one at another place, use id with the JSON of the attribute server."))
	case seen.Status == binding.Unclaimed:
		resp.Diagnostics.AddError("The server on "+srv.Host()+" is unclaimed, so there is no binding to import",
			"Nothing was changed. Apply the resource without an import: that claims the server.")
	}
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("server"), serverValue)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("id"), seen.ID)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, identityModel{types.StringValue(seen.ID)})...)
}

// importedServer is the attribute `server` that an import identifier means.
func importedServer(ctx context.Context, id string) (types.Object, error) {
	null := types.ObjectNull(serverAttributeTypes())
	read := readImportURL
	if strings.HasPrefix(strings.TrimSpace(id), "{") {
		read = readImportJSON
	}
	m, err := read(id)
	if err != nil {
		return null, err
	}
	value, diags := types.ObjectValueFrom(ctx, serverAttributeTypes(), m)
	if diags.HasError() {
		return null, errors.New("the import identifier does not fit the attribute server")
	}
	return value, nil
}

func readImportJSON(id string) (serverModel, error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(id)))
	decoder.DisallowUnknownFields()
	var m serverModel
	if err := decoder.Decode(&m); err != nil {
		return m, fmt.Errorf("the import identifier is not the JSON of the attribute server: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return m, errors.New("the import identifier goes on after the JSON of the attribute server")
	}
	return m, nil
}

// readImportURL never quotes the identifier: it may hold a password by mistake.
func readImportURL(id string) (serverModel, error) {
	var m serverModel
	if strings.Contains(id, "://") && strings.ContainsAny(id, ` \`) {
		return m, errors.New("the import identifier holds a space or a backslash: in a URL these are %20 and %5C")
	}
	u, err := url.Parse(id)
	if err != nil || u.Host == "" || u.Opaque != "" || u.Fragment != "" {
		return m, errors.New("the import identifier is neither local:, nor a URL, nor JSON")
	}
	if _, found := u.User.Password(); found {
		return m, errors.New("the import identifier holds a password, which it must not: identifiers are kept in history and logs")
	}
	name := strings.Trim(u.Path, "/")
	switch u.Scheme {
	case "ssh":
		if name != "" {
			return m, errors.New("the import identifier goes on after the host")
		}
	case "docker":
		if name != "" || u.User != nil || u.Port() != "" {
			return m, errors.New("the import identifier goes on after the container's name")
		}
		name = u.Host
	case "docker+ssh":
		if name == "" {
			return m, errors.New("the import identifier names no container")
		}
	default:
		return m, errors.New("the import identifier is of an unknown kind")
	}
	if u.Scheme != "ssh" {
		m.Container = &containerModel{Name: &name}
	}
	if u.Scheme != "docker" {
		if m.SSH, err = sshTargetOf(u); err != nil {
			return m, err
		}
	}
	for key, values := range u.Query() {
		become, err := strconv.ParseBool(values[0])
		if key != "become" || err != nil || len(values) > 1 {
			return m, errors.New("the import identifier has another parameter than become=true")
		}
		m.Become = &become
	}
	return m, nil
}

func sshTargetOf(u *url.URL) (*sshTargetModel, error) {
	host := u.Hostname()
	target := &sshTargetModel{Host: &host}
	if user := u.User.Username(); user != "" {
		target.User = &user
	}
	if u.Port() != "" {
		port, err := strconv.ParseInt(u.Port(), 10, 64)
		if err != nil {
			return nil, errors.New("the port in the import identifier is not a number")
		}
		target.Port = &port
	}
	return target, nil
}

func serverAttributeTypes() map[string]attr.Type {
	object, ok := serverAttribute().GetType().(types.ObjectType)
	if !ok {
		return nil // a nested attribute is an object
	}
	return object.AttrTypes
}

// validateNested applies the validators of attributes to a value that does not
// come from a configuration, to which Terraform applies them.
func validateNested(ctx context.Context, at path.Path, attributes map[string]schema.Attribute, value types.Object, diags *diag.Diagnostics) {
	if value.IsNull() {
		return
	}
	for name, attribute := range attributes {
		here, v := at.AtName(name), value.Attributes()[name]
		if attribute.IsRequired() && v.IsNull() {
			diags.AddAttributeError(here, "Missing attribute", fmt.Sprintf("%s is required.", here))
			continue
		}
		switch a := attribute.(type) {
		case schema.StringAttribute:
			s, _ := v.(types.String)
			for _, rule := range a.Validators {
				var resp validator.StringResponse
				rule.ValidateString(ctx, validator.StringRequest{Path: here, PathExpression: here.Expression(), ConfigValue: s, Config: tfsdk.Config{}}, &resp)
				diags.Append(resp.Diagnostics...)
			}
		case schema.Int64Attribute:
			n, _ := v.(types.Int64)
			for _, rule := range a.Validators {
				var resp validator.Int64Response
				rule.ValidateInt64(ctx, validator.Int64Request{Path: here, PathExpression: here.Expression(), ConfigValue: n, Config: tfsdk.Config{}}, &resp)
				diags.Append(resp.Diagnostics...)
			}
		case schema.ListAttribute:
			l, _ := v.(types.List)
			for _, rule := range execWords { // there is no other list
				var resp validator.ListResponse
				rule.ValidateList(ctx, validator.ListRequest{Path: here, PathExpression: here.Expression(), ConfigValue: l, Config: tfsdk.Config{}}, &resp)
				diags.Append(resp.Diagnostics...)
			}
		case schema.SingleNestedAttribute:
			o, _ := v.(types.Object)
			validateNested(ctx, here, a.Attributes, o, diags)
		}
	}
	for _, pair := range exclusive {
		one, other := value.Attributes()[pair[0]], value.Attributes()[pair[1]]
		if one != nil && other != nil && !one.IsNull() && !other.IsNull() {
			diags.AddAttributeError(at.AtName(pair[0]), "Invalid attribute combination", fmt.Sprintf("%s and %s cannot be set both.", pair[0], pair[1]))
		}
	}
}

// exclusive are the attributes of `server` that exclude each other, which the
// validators of a configuration see for themselves.
var exclusive = [][2]string{{"service", "commands"}, {"exec", "ssh"}, {"exec", "container"}}
