package prefs

import (
	"fmt"
	"io"
)

// Binding is what a server believes about the account that owns it. A key that is not in the document is "".
// Home is as stored: "1", "0" or "".
type Binding struct{ Token, Username, Mail, Home string }

// ReadBinding returns the binding that a document holds, and whether the server is bound: whether it has a token at all.
// An empty PlexOnlineToken is absent, since that is what a server writes when it is signed out (plex-facts.md section 3.2). The other
// three fields are returned even then, because some tools clear only the token, and what they leave names the last owner.
func ReadBinding(d Document) (b Binding, bound bool) {
	b.Token, _ = d.Get(KeyToken)
	b.Username, _ = d.Get(KeyUsername)
	b.Mail, _ = d.Get(KeyMail)
	b.Home, _ = d.Get(KeyHome)
	return b, b.Token != ""
}

// Format implements [fmt.Formatter] for every verb, so that no log line or error that formats a Binding can show its token.
func (b Binding) Format(f fmt.State, _ rune) {
	token := "none"
	if b.Token != "" {
		token = "redacted"
	}
	_, _ = io.WriteString(f, fmt.Sprintf("prefs.Binding{Token: %s, Username: %q, Mail: %q, Home: %q}", token, b.Username, b.Mail, b.Home))
}
