//go:build !windows

package server

import (
	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// nativeStore is for Windows alone.
func nativeStore(host.Host) func(before, after *prefs.Registry) error { return nil }
