// Command empty is a provider that does nothing: what Terraform takes with it
// is Terraform's own.
package main

import (
	"log"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-testing/echoprovider"
)

func main() {
	provider, err := echoprovider.NewProviderServer()()
	if err != nil {
		log.Fatal(err)
	}
	serve := func() tfprotov6.ProviderServer { return provider }
	if err := tf6server.Serve("registry.terraform.io/homelab-iac/echo", serve); err != nil {
		log.Fatal(err)
	}
}
