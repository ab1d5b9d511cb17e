package prefs

import (
	"bytes"
	"unicode/utf8"
)

// The scanner's steps that know no grammar.

func (s *scanner) done() bool { return s.pos == len(s.data) }

func (s *scanner) startsWith(literal string) bool {
	return bytes.HasPrefix(s.data[s.pos:], []byte(literal))
}

// startsIn reports whether the document ends within this literal.
func (s *scanner) startsIn(literal string) bool {
	rest := s.data[s.pos:]
	return len(rest) < len(literal) && bytes.HasPrefix([]byte(literal), rest)
}

// space passes white space and returns how much there was.
func (s *scanner) space() int {
	start := s.pos
	for s.pos < len(s.data) && isSpace(s.data[s.pos]) {
		s.pos++
	}
	return s.pos - start
}

// through passes everything up to and including literal.
func (s *scanner) through(literal, otherwise string) error {
	i := bytes.Index(s.data[s.pos:], []byte(literal))
	if i < 0 {
		s.pos = len(s.data)
		return s.truncated(otherwise)
	}
	s.pos += i + len(literal)
	return nil
}

// name passes an XML name. A name that touches the end of the document is truncated, since something must follow it.
func (s *scanner) name(of string) (string, error) {
	if err := s.count(); err != nil {
		return "", err
	}
	start := s.pos
	for s.pos < len(s.data) {
		r, size := rune(s.data[s.pos]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(s.data[s.pos:])
		}
		if !isNameRune(r, s.pos == start) {
			break
		}
		s.pos += size
	}
	if s.done() {
		return "", s.truncated("it ends in the name of " + of)
	}
	if s.pos == start {
		return "", s.malformed("the name of " + of + " is missing or starts with a character that no name may start with")
	}
	name := s.data[start:s.pos]
	if bytes.Count(name, []byte(":")) > 1 {
		return "", s.malformed("the name of " + of + " has more than one colon, and so no meaning with namespaces")
	}
	return string(name), nil
}

// count keeps the number of names and comments within its bound.
func (s *scanner) count() error {
	if s.markup++; s.markup > maxMarkup {
		return refuse(ErrTooLarge, s.data, s.pos, "there are too many elements, attributes and comments")
	}
	return nil
}

// references checks every character and entity reference between two offsets.
func (s *scanner) references(from, to int) error {
	for {
		i := bytes.IndexByte(s.data[from:to], '&')
		if i < 0 {
			return nil
		}
		from += i
		_, size, ok := reference(s.data[from:to])
		if !ok {
			s.pos = from
			return s.malformed("an ampersand starts neither a reference to a character that XML 1.0 allows nor one of its five entities")
		}
		from += size
	}
}

func (s *scanner) truncated(detail string) error { return refuse(ErrTruncated, s.data, s.pos, detail) }

func (s *scanner) malformed(detail string) error { return refuse(ErrNotXML, s.data, s.pos, detail) }
