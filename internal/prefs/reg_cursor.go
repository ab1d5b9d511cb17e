package prefs

import (
	"fmt"
	"strings"
)

// regScanner reads an export once, from front to back.
type regScanner struct {
	regText
	at int
}

func isBreak(unit uint16) bool { return unit == '\r' || unit == '\n' }

func isHexDigit(unit uint16) bool {
	return '0' <= unit && unit <= '9' || 'a' <= lower(unit) && lower(unit) <= 'f'
}

// lower is the small letter of an ASCII capital.
func lower(unit uint16) uint16 {
	if 'A' <= unit && unit <= 'Z' {
		return unit + 'a' - 'A'
	}
	return unit
}

// plain is a text of which only the ASCII characters are right.
func plain(units []uint16) string {
	var b strings.Builder
	for _, unit := range units {
		b.WriteByte(byte(min(unit, 0x80)))
	}
	return b.String()
}

func (s *regScanner) end() bool { return s.at == len(s.units) }

// follows reports whether ASCII text stands at the cursor.
func (s *regScanner) follows(text string) bool {
	if len(s.units)-s.at < len(text) {
		return false
	}
	for i, unit := range s.units[s.at : s.at+len(text)] {
		if unit != uint16(text[i]) {
			return false
		}
	}
	return true
}

// take moves past ASCII text, if it stands at the cursor.
func (s *regScanner) take(text string) bool {
	if !s.follows(text) {
		return false
	}
	s.at += len(text)
	return true
}

// blanks moves past spaces and tabs.
func (s *regScanner) blanks() {
	for !s.end() && (s.units[s.at] == ' ' || s.units[s.at] == '\t') {
		s.at++
	}
}

// digits moves past hexadecimal digits, of which there may be so many, and returns how many there were.
func (s *regScanner) digits(most int) int {
	from := s.at
	for !s.end() && s.at-from < most && isHexDigit(s.units[s.at]) {
		s.at++
	}
	return s.at - from
}

// toBreak moves to the end of the line.
func (s *regScanner) toBreak() {
	for !s.end() && !isBreak(s.units[s.at]) {
		s.at++
	}
}

// lineEnd moves past one line break: CR LF, LF or CR.
func (s *regScanner) lineEnd() bool {
	return s.take("\r\n") || s.take("\n") || s.take("\r")
}

// restOfLine moves to the next line, past blanks and a comment. There must be a next line, if only an empty one: programs end every line
// that they write, so one without an end is one that was cut, and what is missing of it may have been part of a value.
func (s *regScanner) restOfLine() error {
	s.blanks()
	if s.follows(";") {
		s.toBreak()
	}
	if !s.lineEnd() {
		return s.fail("the line does not end here")
	}
	return nil
}

// fail refuses the unit at the cursor: with ErrTruncated if there is none, for then the rest may be missing.
func (s *regScanner) fail(detail string) error {
	if s.end() {
		return s.refuse(ErrTruncated, s.at, detail)
	}
	return s.refuse(ErrNotRegistry, s.at, detail)
}

// refuse wraps kind with the place of the fault. Like the refuse of XML it must not be told to quote the document.
func (s *regScanner) refuse(kind error, at int, detail string) error {
	before := plain(s.units[:at])
	line := 1 + strings.Count(before, "\n") + strings.Count(before, "\r") - strings.Count(before, "\r\n")
	offset := at
	if !s.ansi {
		offset *= 2
	}
	return fmt.Errorf("%w: line %d, byte offset %d: %s", kind, line, offset, detail)
}
