package prefs

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// breaks says what becomes of white space that stands in a value as itself and not as a reference.
type breaks bool

const (
	spaceForBreaks  breaks = true  // attribute-value normalisation, XML 1.0 section 3.3.3: each tab or line break is one space
	breaksAsTheyAre breaks = false // only line ends, section 2.11: CR LF and CR are LF. This is what encoding/xml, and so etree, reads
)

// decode returns what a raw attribute value means. Its references must have been checked.
func decode(raw []byte, mode breaks) string {
	if !bytes.ContainsAny(raw, "&\t\r\n") {
		return string(raw)
	}
	var value strings.Builder
	value.Grow(len(raw))
	for i := 0; i < len(raw); {
		c := raw[i]
		if c == '&' {
			r, size, _ := reference(raw[i:])
			value.WriteRune(r)
			i += size
			continue
		}
		if c == '\r' {
			c = '\n'
			if i+1 < len(raw) && raw[i+1] == '\n' {
				i++
			}
		}
		if mode == spaceForBreaks && (c == '\t' || c == '\n') {
			c = ' '
		}
		value.WriteByte(c)
		i++
	}
	return value.String()
}

// encode returns value as it can stand between quotes of either kind, and -1; or the offset of a character that XML 1.0 cannot hold, not
// even as a reference.
func encode(value string) (encoded string, bad int) {
	for i, r := range value {
		if !isCharacter(r) || r == utf8.RuneError && !strings.HasPrefix(value[i:], "\ufffd") {
			return "", i
		}
	}
	return escapes.Replace(value), -1
}

var escapes = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;",
	"\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;",
)

// entities are the five that XML predefines, and so all that a document without a document type declaration has.
var entities = [...]struct {
	text  []byte
	means rune
}{
	{[]byte("&amp;"), '&'}, {[]byte("&lt;"), '<'}, {[]byte("&gt;"), '>'}, {[]byte("&quot;"), '"'}, {[]byte("&apos;"), '\''},
}

// reference reads the reference with which raw starts: the character it stands for and its length. It is not ok if there is no complete
// one, if it names an entity that XML does not predefine, or if XML 1.0 excludes the character.
func reference(raw []byte) (r rune, size int, ok bool) {
	if bytes.HasPrefix(raw, []byte("&#")) {
		return numericReference(raw)
	}
	for _, entity := range entities {
		if bytes.HasPrefix(raw, entity.text) {
			return entity.means, len(entity.text), true
		}
	}
	return 0, 0, false
}

func numericReference(raw []byte) (r rune, size int, ok bool) {
	base, i := rune(10), len("&#")
	if i < len(raw) && raw[i] == 'x' {
		base, i = 16, i+1
	}
	for ; i < len(raw) && raw[i] != ';'; i++ {
		digit := hexDigit(raw[i])
		// Leading zeros may go on for ever, so the bound is on the number and not on the digits.
		if digit >= base || r > utf8.MaxRune {
			return 0, 0, false
		}
		r = r*base + digit
	}
	return r, i + 1, i < len(raw) && isCharacter(r) // No digits at all make zero, which is excluded.
}

// hexDigit is the value of a hexadecimal digit, or a number that is too large for one.
func hexDigit(c byte) rune {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0')
	case c >= 'a' && c <= 'f':
		return rune(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return rune(c-'A') + 10
	}
	return 16
}
