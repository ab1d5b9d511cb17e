package server

import (
	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server/registry"
)

// nativeStore writes preferences on this machine without a command in between;
// nil for every other machine.
func nativeStore(h host.Host) func(before, after *prefs.Registry) error {
	for {
		switch of := h.(type) {
		case host.Local:
			return registry.Write
		case interface{ Unwrap() host.Host }:
			h = of.Unwrap()
		default:
			return nil
		}
	}
}
