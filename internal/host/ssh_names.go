package host

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// ValidUser tells whether a text can be the name of a user to log in as. Windows has
// names such as `Some One`, `CORP\me` and `me@corp.example.com`, so that spaces and
// backslashes are among the characters. The name goes to the machine as it is, never
// through a shell; what does not print would hide in messages.
func ValidUser(name string) bool {
	return name != "" && utf8.ValidString(name) && !strings.ContainsFunc(name, notPrinted) &&
		!strings.HasPrefix(name, "-") && strings.Trim(name, " ") == name
}

func notPrinted(r rune) bool { return !unicode.IsPrint(r) }

// ValidHost tells whether a text can be the name or address of a host, and could not
// be taken for something else where it is written down or shown: a line of
// known_hosts, an option.
func ValidHost(name string) bool {
	return name != "" && !strings.HasPrefix(name, "-") &&
		!strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
}

// userEscapes are those of a word of the client configuration, as OpenSSH reads it.
var userEscapes = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\'`, `'`, `\ `, ` `)

// user is the one that the configuration names for alias; empty: none.
func (c *sshConfig) user(alias string) string { return userEscapes.Replace(c.get(alias, "User")) }
