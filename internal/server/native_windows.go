package server

import (
	"errors"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server/registry"
)

// nativeWriter writes into the registry of this machine, where h is this machine:
// without reg.exe, and with every value's bytes as they are meant.
func nativeWriter(h host.Host) writer {
	if _, here := h.(host.Local); !here {
		return nil
	}
	return func(before, after prefs.Document) error {
		was, ok1 := before.(*prefs.Registry)
		next, ok2 := after.(*prefs.Registry)
		if !ok1 || !ok2 {
			return errors.ErrUnsupported
		}
		return registry.Write(was, next)
	}
}
