package prefs

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Set implements [Document]. A name that is there keeps its type: a boolean takes "1" and "0", an integer takes decimal digits, and dates,
// data, reals and containers take nothing but what they are. A new name becomes a string, after the last setting, except for
// PlexOnlineHome, which becomes a boolean (plex-facts.md section 5.5: no source says what the server stores; it is 1 or 0 everywhere else,
// and Apple's accessors of defaults read booleans and integers alike).
//
// A value that is already the same is left as it is written.
func (p *PropertyList) Set(name, value string) error {
	position, kind := len(p.root.items), plistString
	if name == KeyHome {
		kind = plistBoolean
	}
	if i, ok := p.index[name]; ok {
		old := p.root.items[i]
		if old.String() == value {
			return nil
		}
		position, kind = i, old.kind
	} else if err := checkPlistName(name); err != nil {
		return err
	}
	if !fits(kind, value) {
		return fmt.Errorf("%w: %.80q is of type %s, which the value is not", ErrValue, name, kind)
	}
	scalar, err := p.file.scalar(kind, value)
	if err != nil {
		return fmt.Errorf("%w: it is the value for %.80q", err, name)
	}
	edited, err := p.file.with(position, name, scalar)
	if err != nil {
		return err
	}

	want := &plistValue{keys: slices.Clone(p.root.keys), items: slices.Clone(p.root.items)}
	if position == len(want.items) {
		want.keys, want.items = append(want.keys, name), append(want.items, nil)
	}
	want.items[position] = scalar
	return p.become(edited, want)
}

// Delete implements [Document]. In XML each key and each value goes together with the white space before it. In a binary list the objects
// that nothing else refers to go too, so that no byte of the value is left.
func (p *PropertyList) Delete(names ...string) error {
	doomed := make(map[int]bool, len(names))
	for _, name := range names {
		if i, ok := p.index[name]; ok {
			doomed[i] = true
		}
	}
	if len(doomed) == 0 {
		return nil
	}
	edited, err := p.file.without(doomed)
	if err != nil {
		return err
	}

	want := &plistValue{keys: slices.Clone(p.root.keys), items: slices.Clone(p.root.items)}
	for _, i := range slices.Backward(slices.Sorted(maps.Keys(doomed))) {
		want.keys, want.items = slices.Delete(want.keys, i, i+1), slices.Delete(want.items, i, i+1)
	}
	return p.become(edited, want)
}

// checkPlistName reports whether a name can be a new key.
func checkPlistName(name string) error {
	if name == "" || !utf8.ValidString(name) {
		return fmt.Errorf("%w: %.80q is not a name for a setting", ErrValue, name)
	}
	return nil
}

// fits reports whether value is the text of a value of this type, in the one form that Get returns.
func fits(kind plistKind, value string) bool {
	switch kind {
	case plistString:
		return utf8.ValidString(value)
	case plistBoolean:
		return value == "1" || value == "0"
	case plistInteger:
		text, ok := integerText(value)
		return ok && text == value
	}
	return false
}

// integerText returns the decimal digits of an integer that is written in decimal or, after 0x, in hexadecimal digits, and whether it is one
// from -2^63 to 2^64-1.
func integerText(s string) (text string, ok bool) {
	digits, base := strings.TrimPrefix(s, "-"), 10
	negative := digits != s
	if hexadecimal, is := strings.CutPrefix(digits, "0x"); is {
		digits, base = hexadecimal, 16
	}
	n, err := strconv.ParseUint(digits, base, 64)
	switch {
	case err != nil || negative && n > 1<<63:
		return "", false
	case negative && n > 0:
		return "-" + strconv.FormatUint(n, 10), true
	}
	return strconv.FormatUint(n, 10), true
}
