package plain_test

import (
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plain"
)

func TestALineShowsAllThatIsInIt(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "",
		"owner (owner@example.com)": "owner (owner@example.com)",
		"Ünïcödé – 日本語 – 👩‍🚀": "Ünïcödé – 日本語 – 👩‍🚀",
		`back\slash`:                 `back\slash`,
		"owner\n\nNothing was lost.": `owner\n\nNothing was lost.`,
		"\x1b[2J\x1b]0;title\a":      `\x1b[2J\x1b]0;title\x07`,
		"tab\tand return\r":          `tab\tand return\r`,
		"\u202ereversed\u2066":       `\u202ereversed\u2066`,
		"C1 \u009b31m":               `C1 \x9b31m`,
		"a\u2028b":                   `a\u2028b`,
		"\xff":                       "\uFFFD",
	} {
		if got := plain.Line(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

func TestLinesBehindTheFirstAreIndented(t *testing.T) {
	for text, want := range map[string]string{
		"one":                           "one",
		"one\ntwo\r\n\n \nthree\n":      "one\n  two\n  three",
		"sh: 1: no\n\n\x1b[A\x1b[2KAll": "sh: 1: no\n  \\x1b[A\\x1b[2KAll",
	} {
		if got := plain.Text(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}
