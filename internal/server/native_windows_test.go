package server

import (
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
)

func TestOnlyThisMachinesRegistryIsWrittenNatively(t *testing.T) {
	if nativeStore(host.Local{}) == nil || nativeStore(host.Exec{Command: []string{"cmd"}}) != nil {
		t.Error("the native store is for this machine, and for no other")
	}
}
