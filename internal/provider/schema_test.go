package provider_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

func TestSchemasAreValidAndDescribeEveryAttribute(t *testing.T) {
	t.Parallel()
	all := schemas(t)
	for _, want := range []string{"provider", "plex_server_account_binding", "data.plex_server", "ephemeral.plex_claim_token"} {
		if all[want] == nil {
			t.Errorf("there is no %s", want)
		}
	}
	for name, schema := range all {
		if strings.TrimSpace(schema.Block.Description) == "" {
			t.Errorf("%s has no description", name)
		}
		walk(name, schema.Block.Attributes, func(at string, a *tfprotov6.SchemaAttribute) {
			if strings.TrimSpace(a.Description) == "" {
				t.Errorf("%s has no description", at)
			}
		})
	}
}

// notSecret are attributes that are named like secrets.
var notSecret = map[string]bool{
	"plex_server_account_binding.claim_token_wo_version": true,
	"plex_server_account_binding.token_fingerprint":      true,
	"data.plex_server.token_fingerprint":                 true,
	"provider.ssh.private_key_path":                      true,
}

func TestSecretsAreSensitive(t *testing.T) {
	t.Parallel()
	secret := regexp.MustCompile(`token|password|passphrase|secret|private_key`)
	found := 0
	for name, schema := range schemas(t) {
		walk(name, schema.Block.Attributes, func(at string, a *tfprotov6.SchemaAttribute) {
			if !secret.MatchString(a.Name) || notSecret[at] {
				return
			}
			found++
			if !a.Sensitive {
				t.Errorf("%s is not sensitive", at)
			}
			if strings.HasSuffix(a.Name, "_wo") != a.WriteOnly {
				t.Errorf("%s: write-only is %t", at, a.WriteOnly)
			}
		})
	}
	if found != 7 {
		t.Errorf("%d secrets were found, want account_token, claim_token_wo, token, and four of the ways to a host", found)
	}
}

func TestIdentityIsTheMachineIdentifier(t *testing.T) {
	t.Parallel()
	resp, err := serverOf(t).GetResourceIdentitySchemas(t.Context(), &tfprotov6.GetResourceIdentitySchemasRequest{})
	if err != nil || len(resp.Diagnostics) > 0 {
		t.Fatalf("%v %+v", err, resp.Diagnostics)
	}
	identity := resp.IdentitySchemas["plex_server_account_binding"]
	if identity == nil || len(identity.IdentityAttributes) != 1 || identity.IdentityAttributes[0].Name != "id" {
		t.Errorf("the identity is %+v, want id", identity)
	}
}

func serverOf(t *testing.T) tfprotov6.ProviderServer {
	t.Helper()
	server, err := factories()["plex"]()
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// schemas are all schemas of the provider, by name.
func schemas(t *testing.T) map[string]*tfprotov6.Schema {
	t.Helper()
	resp, err := serverOf(t).GetProviderSchema(context.Background(), &tfprotov6.GetProviderSchemaRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range resp.Diagnostics {
		t.Errorf("%s: %s", d.Summary, d.Detail)
	}
	all := map[string]*tfprotov6.Schema{"provider": resp.Provider}
	for name, schema := range resp.ResourceSchemas {
		all[name] = schema
	}
	for name, schema := range resp.DataSourceSchemas {
		all["data."+name] = schema
	}
	for name, schema := range resp.EphemeralResourceSchemas {
		all["ephemeral."+name] = schema
	}
	return all
}

// walk calls visit for every attribute, nested ones included.
func walk(at string, attributes []*tfprotov6.SchemaAttribute, visit func(string, *tfprotov6.SchemaAttribute)) {
	for _, a := range attributes {
		here := at + "." + a.Name
		visit(here, a)
		if a.NestedType != nil {
			walk(here, a.NestedType.Attributes, visit)
		}
	}
}
