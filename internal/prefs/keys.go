package prefs

import "strings"

// The four keys that bind a server to an account (plex-facts.md section 3.2), and the two that say which server it is (section 3.1).
const (
	KeyHome     = "PlexOnlineHome"     // "1" if the account is in a Plex Home; may be missing on a bound server
	KeyMail     = "PlexOnlineMail"     // the account's e-mail address
	KeyToken    = "PlexOnlineToken"    // the owner's token for this server, a full account credential
	KeyUsername = "PlexOnlineUsername" // the account's user name

	KeyMachineIdentifier = "ProcessedMachineIdentifier" // the server's identity at plex.tv, 40 hexadecimal digits; read, never computed
	KeyFriendlyName      = "FriendlyName"               // the name that people gave the server
)

// BindingKeys returns the four keys that bind a server to an account, in the order in which Plex's support article names them.
func BindingKeys() []string {
	return []string{KeyHome, KeyMail, KeyToken, KeyUsername}
}

// ServerOwned reports whether the server itself changes this setting while it runs, so that a difference in it between two readings
// says nothing about who edited the document. Source: the run-time list of plex-facts.md section 4.
func ServerOwned(name string) bool {
	switch name {
	case "MetricsEpoch", "LastAutomaticMappedPort", "OldestPreviousVersion", "LanguageInCloud":
		return true
	}
	return strings.HasPrefix(name, "PubSub") || strings.HasPrefix(name, "Certificate")
}
