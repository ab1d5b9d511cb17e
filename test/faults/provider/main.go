// Command provider is the Plex provider with less patience: what takes it
// minutes to give up takes this one seconds. Nothing else differs.
package main

import (
	"context"
	"log"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
	"github.com/homelab-iac/terraform-provider-plex/internal/provider"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// The harness sets the stop timeout to 5 s. What follows from these for how long
// a server can be away is in docs/design/reliability.md.
var (
	limits = server.Limits{
		Command: 10 * time.Second, Lock: 20 * time.Second, Silence: 4 * time.Second,
		Verify: 10 * time.Second, Linger: 30 * time.Second, Answer: 5 * time.Second,
	}
	retry = plextv.Retry{
		Attempts: 3, WaitMin: 100 * time.Millisecond, WaitMax: time.Second,
		RetryAfterMax: 5 * time.Second, Timeout: 3 * time.Second,
	}
)

func main() {
	serve := provider.New("faults", provider.WithLimits(limits), provider.WithRetry(retry))
	err := providerserver.Serve(context.Background(), serve, providerserver.ServeOpts{
		Address: "registry.terraform.io/homelab-iac/plex",
	})
	if err != nil {
		log.Fatal(err)
	}
}
