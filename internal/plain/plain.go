// Package plain makes text that others have written fit for a terminal. What a
// host, a media server or plex.tv says may hold anything; shown as it is, it could
// move the cursor, recolour what stands there, or pass for a line of this program's.
package plain

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line is text as one line, in which everything shows. Control characters, line
// breaks, and what turns the direction of text are written as Go does: \n, \x1b,
// \u202e. A backslash stays one: the result is for eyes, not for parsers.
func Line(text string) string {
	if !strings.ContainsFunc(text, moves) && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		switch {
		case !moves(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// Text is the same for several lines. Those behind the first are indented, so that
// none of them can be taken for a line of this program's own.
func Text(text string) string {
	lines := strings.Split(strings.ReplaceAll(strings.TrimSpace(text), "\r\n", "\n"), "\n")
	kept := lines[:0]
	for _, line := range lines {
		if line = Line(line); strings.TrimSpace(line) != "" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n  ")
}

// moves tells whether a terminal would do something with r but show it.
func moves(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}
