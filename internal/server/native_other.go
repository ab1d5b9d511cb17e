//go:build !windows

package server

import "github.com/homelab-iac/terraform-provider-plex/internal/host"

// nativeWriter is for Windows, whose registry has an interface of its own.
func nativeWriter(host.Host) writer { return nil }
