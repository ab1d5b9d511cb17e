// Command terraform-provider-plex serves the Plex provider to Terraform.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/homelab-iac/terraform-provider-plex/internal/nodump"
	"github.com/homelab-iac/terraform-provider-plex/internal/provider"
)

// version is set by the linker.
var version = "dev"

func main() {
	debug := flag.Bool("debug", false, "serve until interrupted, and print how Terraform reaches this process (for debuggers)")
	flag.Parse()
	if !*debug { // a debugger reads this process's memory
		if err := nodump.Protect(); err != nil {
			log.Printf("core dumps of this process could not be ruled out: %v", err)
		}
	}
	err := providerserver.Serve(context.Background(), provider.New(version), providerserver.ServeOpts{
		Address: "registry.terraform.io/homelab-iac/plex",
		Debug:   *debug,
	})
	if err != nil {
		log.Fatal(err)
	}
}
