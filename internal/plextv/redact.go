package plextv

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

const (
	masked    = "[masked]"
	maxReason = 120 // characters of what the server says
)

// reason finds the short text in which plex.tv says why it refused: `error` of
// its JSON (plex-facts 2.2), `errors[].message` of its v2 JSON, or an <error>
// element. Nothing else of a body is ever shown.
func reason(body []byte, secrets []string) string {
	var answer struct {
		Error  string `json:"error"`
		Errors []struct {
			Message string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &answer) == nil {
		if answer.Error == "" && len(answer.Errors) > 0 {
			answer.Error = answer.Errors[0].Message
		}
		return sanitise(answer.Error, secrets)
	}
	var root element
	if xml.Unmarshal(body, &root) != nil {
		return ""
	}
	text, _ := root.find("error")
	return sanitise(text, secrets)
}

var (
	claimTokenAnywhere = regexp.MustCompile(`(?i)claim-[^\s"'<>&]*`)
	queryAnywhere      = regexp.MustCompile(`\?[^\s"'<>]+`)
	longRun            = regexp.MustCompile(`[A-Za-z0-9_-]{10,}`)
)

// sanitise makes a text of the server fit for an error: one short line in which
// the secrets, and whatever looks like one, are masked. It masks before it
// shortens, so that no half of a token is left.
func sanitise(text string, secrets []string) string {
	text = strings.Map(printable, text)
	for _, secret := range secrets {
		for _, form := range []string{secret, url.QueryEscape(secret)} {
			text = regexp.MustCompile(`(?i)`+regexp.QuoteMeta(form)).ReplaceAllLiteralString(text, masked)
		}
	}
	text = claimTokenAnywhere.ReplaceAllLiteralString(text, masked)
	text = queryAnywhere.ReplaceAllLiteralString(text, masked)
	text = longRun.ReplaceAllStringFunc(text, func(run string) string {
		// Words have no digits, and are not that long.
		if len(run) >= 20 || strings.ContainsAny(run, "0123456789") {
			return masked
		}
		return run
	})
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > maxReason {
		text = string(runes[:maxReason]) + "…"
	}
	return text
}

func printable(r rune) rune {
	if unicode.IsSpace(r) {
		return ' '
	}
	if !unicode.IsPrint(r) {
		return -1
	}
	return r
}

// withoutSecrets is printed in place of a value that holds a token, for every
// verb of fmt: %+v and %#v look into structs, past any String method.
func withoutSecrets(f fmt.State, text string) { _, _ = fmt.Fprint(f, text) }

// Format keeps the account token out of whatever prints a Config.
func (c Config) Format(f fmt.State, _ rune) {
	withoutSecrets(f, fmt.Sprintf("plextv.Config{BaseURL:%q}", c.BaseURL))
}
