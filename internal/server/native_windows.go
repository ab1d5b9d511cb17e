package server

import (
	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server/registry"
)

// nativeStore writes preferences on this machine without a command in between;
// nil for every other machine.
func nativeStore(h host.Host) func(before, after *prefs.Registry) error {
	if _, here := hostAs[host.Local](h); !here {
		return nil
	}
	return registry.Write
}
