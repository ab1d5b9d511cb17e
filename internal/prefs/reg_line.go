package prefs

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// regLine is where the parts of a value's line stand, as positions of units. It may go on over several lines of text.
type regLine struct {
	from, nameFrom, nameTo, rightFrom, dataFrom, rightTo, to int

	unnamed bool   // @, the default value
	form    uint16 // of the right side: '"' for text, 'd' for dword, 'h' for hex
	kind    uint32 // the value's type
}

// line reads name, equals sign, value and the end of the line, none of them decoded.
func (s *regScanner) line(from int) (line regLine, err error) {
	line.from = from
	switch {
	case s.take("@"):
		line.unnamed = true
	case s.take(`"`):
		line.nameFrom = s.at
		if err := s.quoted(false); err != nil {
			return line, err
		}
		line.nameTo = s.at - 1
	default:
		return line, s.fail("neither a key, a value nor a comment")
	}
	s.blanks()
	if !s.take("=") {
		return line, s.fail("no equals sign after a name")
	}
	s.blanks()
	line.rightFrom = s.at
	if err := s.right(&line); err != nil {
		return line, err
	}
	line.rightTo = s.at
	if err := s.restOfLine(); err != nil {
		return line, err
	}
	line.to = s.at
	return line, nil
}

// right reads what follows the equals sign.
func (s *regScanner) right(line *regLine) error {
	switch {
	case s.take(`"`):
		line.form, line.kind, line.dataFrom = '"', regSZ, s.at
		return s.quoted(true)
	case s.take("dword:"):
		line.form, line.kind, line.dataFrom = 'd', regDWORD, s.at
		if s.digits(8) == 0 {
			return s.fail("a number without its digits")
		}
		return nil
	case s.take("hex:"):
		line.form, line.kind, line.dataFrom = 'h', regBinary, s.at
		return s.hexList()
	case s.take("hex("):
		from := s.at
		s.digits(8)
		kind, err := strconv.ParseUint(plain(s.units[from:s.at]), 16, 32)
		if err != nil || !s.take(")") || !s.take(":") {
			return s.fail("not the number of a type")
		}
		line.form, line.kind, line.dataFrom = 'h', uint32(kind), s.at
		return s.hexList()
	case s.take("-"):
		return s.refuse(ErrNotRegistry, line.rightFrom, "the deletion of a value, which a change has and an export has not")
	default:
		for !s.end() && 'a' <= s.units[s.at] && s.units[s.at] <= 'z' {
			s.at++
		}
		if s.end() {
			return s.fail("a word that is cut")
		}
		return s.refuse(ErrNotRegistry, line.rightFrom, "not a value of a known form")
	}
}

// quoted reads to the closing quote, of which the opening one has been read. A value goes on over line breaks: Windows exports the breaks of
// a text as they are.
func (s *regScanner) quoted(breaks bool) error {
	for !s.end() {
		unit := s.units[s.at]
		switch {
		case s.ansi && unit >= 0x80 && s.at+1 < len(s.units) && s.units[s.at+1] == '\\':
			// In some code pages the second byte of a character can be a backslash, so where the text ends is a guess.
			return s.refuse(ErrEncoding, s.at, "a character of an unknown code page before a backslash")
		case unit == '"':
			s.at++
			return nil
		case isBreak(unit) && !breaks:
			return s.fail("a name goes on over a line break")
		case unit == '\\':
			s.at++
			if s.end() || isBreak(s.units[s.at]) {
				return s.fail("a backslash at the end of a line of text")
			}
		}
		s.at++
	}
	return s.fail("a quote is not closed")
}

// hexList reads octets with commas between them, with a backslash where they go on in the next line.
func (s *regScanner) hexList() error {
	s.blanks()
	if s.end() || !s.follows(`\`) && !isHexDigit(s.units[s.at]) {
		return nil // no octets
	}
	for {
		s.blanks()
		if s.take(`\`) {
			s.blanks()
			if s.end() || !s.lineEnd() {
				return s.fail("a backslash within a line of data")
			}
			s.blanks()
		}
		if s.digits(2) == 0 {
			return s.fail("an octet without its digits")
		}
		after := s.at
		s.blanks()
		if !s.take(",") {
			s.at = after
			return nil
		}
	}
}

// entry decodes a line of the first key.
func (s *regScanner) entry(line regLine) (entry regEntry, err error) {
	entry = regEntry{from: line.from, rightFrom: line.rightFrom, rightTo: line.rightTo, to: line.to}
	entry.Type = line.kind
	if !line.unnamed {
		if entry.Name, err = s.unquote(line.nameFrom, line.nameTo); err != nil {
			return entry, err
		}
	}
	switch line.form {
	case '"':
		text, err := s.unquote(line.dataFrom, line.rightTo-1)
		if err != nil {
			return entry, err
		}
		entry.Data = utf16ToBytes(append(encodeUTF16(text), 0))
	case 'd':
		n, err := strconv.ParseUint(plain(s.units[line.dataFrom:line.rightTo]), 16, 32)
		if err != nil {
			return entry, s.refuse(ErrNotRegistry, line.dataFrom, "not a number")
		}
		entry.Data = binary.LittleEndian.AppendUint32(nil, uint32(n))
	default:
		return entry, s.octets(line, &entry)
	}
	return entry, nil
}

// octets decodes data in hexadecimal. Texts in REGEDIT4 are 8-bit there too, and become the UTF-16LE that the registry would hold.
func (s *regScanner) octets(line regLine, entry *regEntry) error {
	digits := strings.FieldsFunc(plain(s.units[line.dataFrom:line.rightTo]), func(r rune) bool { return strings.ContainsRune(", \t\\\r\n", r) })
	entry.Data = make([]byte, len(digits))
	for i, two := range digits {
		octet, err := strconv.ParseUint(two, 16, 8)
		if err != nil {
			return s.refuse(ErrNotRegistry, line.dataFrom, "not octets")
		}
		entry.Data[i] = byte(octet)
	}
	if !s.ansi || !isRegText(entry.Type) {
		return nil
	}
	wide := widen(entry.Data)
	if _, ok := asciiText(wide); !ok {
		return s.refuse(ErrEncoding, line.dataFrom, "a text with characters of an unknown code page; export it as version 5.00")
	}
	entry.Data = utf16ToBytes(wide)
	return nil
}

// unquote decodes what stands between quotes.
func (s *regScanner) unquote(from, to int) (string, error) {
	text, ok := s.text(from, to)
	if !ok {
		return "", s.refuse(ErrEncoding, from, "not text in a known code page; an export as version 5.00 has none")
	}
	var b strings.Builder
	escaped := false
	for _, r := range text {
		switch {
		case escaped && r != '\\' && r != '"':
			// Some programs write \n and \r, which regedit does not know.
			return "", s.refuse(ErrNotRegistry, from, `an escape other than \\ and \"`)
		case !escaped && r == '\\':
			escaped = true
			continue
		}
		b.WriteRune(r)
		escaped = false
	}
	return b.String(), nil
}
