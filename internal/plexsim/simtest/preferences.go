package simtest

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
)

// Identity is who a server is, account or not.
type Identity struct {
	Machine   string // MachineIdentifier, a UUID
	Processed string // ProcessedMachineIdentifier, which /identity and plex.tv show
}

// NewIdentity makes one up.
func NewIdentity() Identity {
	h := randomHex(16)
	return Identity{
		Machine:   fmt.Sprintf("%s-%s-%s-%s-%s", h[:8], h[8:12], h[12:16], h[16:20], h[20:]),
		Processed: randomHex(20),
	}
}

// Preferences is a Preferences.xml as a server of some age has it: entities of
// every kind, "/>" inside a value, names that are parts of other names, a dotted
// name, an empty value, an attribute nobody knows. With a token it is bound to the
// account; an empty field of the account leaves its key out.
func Preferences(id Identity, account plexsim.Account, token string) []byte {
	before := []string{
		`OldestPreviousVersion="1.19.5.3112-b23ab3896"`,
		`MachineIdentifier="` + id.Machine + `"`,
		`ProcessedMachineIdentifier="` + id.Processed + `"`,
		`AnonymousMachineIdentifier="3f6c2d0a-91d4-4b0e-8c5e-0d1b7a9e4c11"`,
		`MetricsEpoch="1"`, `AcceptedEULA="1"`, `PublishServerOnPlexOnlineKey="1"`, `LanguageInCloud="1"`,
		`FriendlyName="Den &amp; &quot;attic&quot; &#x2014; caf&#233;"`,
		`customConnections="http://192.0.2.10:32400/?a=1&amp;b=2"`,
		`allowedNetworks="192.0.2.0/255.255.255.0"`,
		`secureConnections="1"`, `EnableIPv6="0"`, `GdmEnabled="1"`,
		`TranscoderTempDirectory="/transcode/a b/&lt;tmp/&gt;"`,
		`TranscoderQuality="2"`, `HardwareAcceleratedCodecs="1"`,
	}
	after := []string{
		`CertificateUUID="0f1e2d3c4b5a69788796a5b4c3d2e1f0"`, `CertificateVersion="3"`,
		`PubSubServer="198.51.100.7"`, `PubSubServerRegion="fra"`, `PubSubServerPing="23"`,
		`LastAutomaticMappedPort="0"`, `ManualPortMappingMode="1"`, `ManualPortMappingPort="32400"`,
		`ButlerTaskBackupDatabase="1"`, `ButlerStartHour="3"`, `ButlerDatabaseBackupPath=""`,
		`FSEventLibraryUpdatesEnabled="1"`, `ScheduledLibraryUpdateInterval="3600"`, `OnDeckWindow="16"`,
		`agentAutoEnabled.com.example.agents.none="1"`,
		`Note="It says PlexOnlineToken=&quot;none&quot; /&gt; here"`,
		`PlexOnlineTokenHint="not a key of the binding"`, `NobodyKnowsThis="line one&#xA;line two&#9;tab"`,
	}
	return []byte("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Preferences " +
		strings.Join(append(append(before, bindingOf(account, token)...), after...), " ") + "/>\n")
}

func bindingOf(account plexsim.Account, token string) []string {
	if token == "" {
		return nil
	}
	keys := []string{`PlexOnlineToken="` + token + `"`}
	if account.Username != "" {
		keys = append(keys, `PlexOnlineUsername="`+account.Username+`"`)
	}
	if account.Email != "" {
		keys = append(keys, `PlexOnlineMail="`+account.Email+`"`)
	}
	if account.Home {
		keys = append(keys, `PlexOnlineHome="1"`)
	}
	return keys
}

func randomHex(bytes int) string {
	raw := make([]byte, bytes)
	_, _ = rand.Read(raw) // never fails: it ends the program instead
	return hex.EncodeToString(raw)
}
