package prefs

import (
	"fmt"
	"slices"
)

// regEntry is one value of the key and where it stands, as positions of units: from and to are those of its lines, with their ends,
// rightFrom and rightTo those of what follows the equals sign, without the white space and the comment that may surround it.
type regEntry struct {
	RegistryValue
	from, rightFrom, rightTo, to int
}

// regLayout is what the scanner finds in an export.
type regLayout struct {
	key      string
	entries  []regEntry
	appendAt int    // where a new value goes: after the line of the last one, or of the key
	eol      string // how the header line ends
}

// scanReg finds the key, its values and its subkeys. What the subkeys hold is only checked for its form: it is not decoded.
func scanReg(text regText) (layout regLayout, err error) {
	s := &regScanner{regText: text}
	if nul := slices.Index(text.units, 0); nul >= 0 {
		return layout, s.refuse(ErrNotRegistry, nul, "a NUL, which no text has")
	}
	if layout.eol, err = s.header(); err != nil {
		return layout, err
	}
	for sections := 0; !s.end(); {
		from := s.at
		s.blanks()
		switch {
		case s.end(), isBreak(s.units[s.at]), s.follows(";"):
			s.toBreak()
			s.lineEnd()
		case s.follows("["):
			sections++
			err = s.section(&layout)
		case sections == 0:
			err = s.fail("something before the first key")
		case sections == 1:
			err = s.value(&layout, from)
		default:
			_, err = s.line(from)
		}
		if err != nil {
			return layout, err
		}
	}
	if layout.key == "" {
		return layout, ErrNoKey
	}
	return layout, nil
}

// header reads the first line, and returns how it ends.
func (s *regScanner) header() (eol string, err error) {
	want := regHeader4
	if !s.ansi {
		s.at, want = 1, regHeader5
		if s.follows(regHeader4) {
			return "", fmt.Errorf("%w: REGEDIT4 in UTF-16", ErrEncoding)
		}
	}
	for i := range len(want) {
		if !s.take(want[i : i+1]) {
			return "", s.fail("not the header of an export")
		}
	}
	s.blanks()
	from := s.at
	if !s.lineEnd() {
		return "", s.fail("the header does not end its line")
	}
	return plain(s.units[from:s.at]), nil
}

// section reads a line with a key in brackets. Keys may have brackets in them, so the last one of the line closes.
func (s *regScanner) section(layout *regLayout) error {
	from := s.at
	s.toBreak()
	closing := s.at - 1
	for s.units[closing] != ']' {
		if closing == from {
			return s.fail("the bracket of a key is not closed")
		}
		closing--
	}
	key := s.units[from+1 : closing]
	s.at = closing + 1
	if err := s.restOfLine(); err != nil {
		return err
	}
	if len(key) > 0 && key[0] == '-' {
		return s.refuse(ErrNotRegistry, from, "the deletion of a key, which a change has and an export has not")
	}
	if layout.key != "" {
		return s.subkey(key, from, layout.key)
	}
	text, ok := s.text(from+1, closing)
	if !ok {
		return s.refuse(ErrEncoding, from, "the name of the key is not text in a known code page")
	}
	if !isRegKey(text) {
		return s.refuse(ErrNotRegistry, from, "not the full name of a key")
	}
	layout.key, layout.appendAt = text, s.at
	return nil
}

// subkey checks that a later key lies below the first one.
func (s *regScanner) subkey(key []uint16, from int, first string) error {
	fold := func(a, b uint16) bool { return lower(a) == lower(b) }
	above := encodeUTF16(first + `\`)
	switch {
	case slices.EqualFunc(key, above[:len(above)-1], fold):
		return s.refuse(ErrDuplicate, from, "the key is there before")
	case len(key) <= len(above), !slices.EqualFunc(key[:len(above)], above, fold):
		return s.refuse(ErrNotRegistry, from, "a second key, which is not below the first")
	}
	return nil
}

// value reads the line of a value of the first key.
func (s *regScanner) value(layout *regLayout, from int) error {
	line, err := s.line(from)
	if err != nil {
		return err
	}
	entry, err := s.entry(line)
	if err != nil {
		return err
	}
	layout.entries = append(layout.entries, entry)
	layout.appendAt = s.at
	return nil
}
