package prefs_test

import (
	"slices"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

func TestBindingKeysAreTheFourOfThePlexArticleInItsOrder(t *testing.T) {
	want := []string{"PlexOnlineHome", "PlexOnlineMail", "PlexOnlineToken", "PlexOnlineUsername"}
	got := prefs.BindingKeys()
	if !slices.Equal(got, want) {
		t.Errorf("BindingKeys() = %q, want %q", got, want)
	}
	got[0] = "changed"
	if !slices.Equal(prefs.BindingKeys(), want) {
		t.Error("a caller can change the keys for everybody")
	}
}

func TestServerOwnedSettingsAreThoseThatChangeAtRunTime(t *testing.T) {
	for name, want := range map[string]bool{
		"MetricsEpoch":               true,
		"PubSubServer":               true,
		"PubSubServerRegion":         true,
		"PubSubServerPing":           true,
		"LastAutomaticMappedPort":    true,
		"CertificateUUID":            true,
		"CertificateVersion":         true,
		"OldestPreviousVersion":      true,
		"LanguageInCloud":            true,
		"ManualPortMappingPort":      false,
		"customCertificatePath":      false,
		"PreviousVersion":            false,
		"MetricsEpochs":              false,
		"MachineIdentifier":          false,
		"ProcessedMachineIdentifier": false,
		"FriendlyName":               false,
		"PlexOnlineToken":            false,
		"":                           false,
	} {
		if got := prefs.ServerOwned(name); got != want {
			t.Errorf("ServerOwned(%q) = %t, want %t", name, got, want)
		}
	}
}
