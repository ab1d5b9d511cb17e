package prefs

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// checkCharacters reports whether data is UTF-8 and consists of characters that XML 1.0 allows anywhere at all. The readers after it look at
// characters only where they matter to them; encoding/xml lets any byte stand in a comment.
func checkCharacters(data []byte) error {
	// A file system that lost its power before the data was written leaves zeros.
	if len(bytes.Trim(bytes.TrimPrefix(data, []byte(byteOrderMark)), whiteSpace+"\x00")) == 0 {
		return fmt.Errorf("%w: %d bytes, of which none is content", ErrEmpty, len(data))
	}
	// UTF-16 and UTF-32 without a byte order mark have a zero beside their first character, which is < or white space.
	if bytes.IndexByte(data[:min(4, len(data))], 0) >= 0 {
		return refuse(ErrEncoding, data, 0, "it looks like UTF-16 or UTF-32")
	}
	for i := 0; i < len(data); {
		r, size := rune(data[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(data[i:])
		}
		switch {
		case r == utf8.RuneError && size == 1 && !utf8.FullRune(data[i:]):
			return refuse(ErrTruncated, data, i, "it ends within a character")
		case r == utf8.RuneError && size == 1:
			return refuse(ErrEncoding, data, i, "this byte is not UTF-8")
		case !isCharacter(r):
			return refuse(ErrNotXML, data, i, "XML 1.0 excludes this control character")
		}
		i += size
	}
	return nil
}

// isCharacter is production Char of XML 1.0.
func isCharacter(r rune) bool {
	switch {
	case r < ' ':
		return r == '\t' || r == '\n' || r == '\r'
	case r <= 0xD7FF:
		return true
	}
	return r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= utf8.MaxRune
}

func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\r' || b == '\n' }

// isNameRune is production NameChar of XML 1.0, fifth edition, or NameStartChar for the first character of a name.
func isNameRune(r rune, first bool) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '_', r == ':':
		return true
	case r >= '0' && r <= '9', r == '-', r == '.', r == 0xB7, r >= 0x300 && r <= 0x36F, r >= 0x203F && r <= 0x2040:
		return !first
	case r < 0xC0:
		return false
	}
	for _, span := range nameSpans {
		if r >= span[0] && r <= span[1] {
			return true
		}
	}
	return false
}

// nameSpans are the characters of NameStartChar from U+00C0 on.
var nameSpans = [...][2]rune{
	{0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x2FF}, {0x370, 0x37D}, {0x37F, 0x1FFF}, {0x200C, 0x200D}, {0x2070, 0x218F},
	{0x2C00, 0x2FEF}, {0x3001, 0xD7FF}, {0xF900, 0xFDCF}, {0xFDF0, 0xFFFD}, {0x10000, 0xEFFFF},
}
