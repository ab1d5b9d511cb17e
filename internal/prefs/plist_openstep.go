package prefs

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"

	"howett.net/plist"
)

// plistOpenStep is a property list in the old format of OpenStep, which has strings, data, arrays and dictionaries. macOS still reads it
// where somebody has written one by hand, and writes it back in another format.
type plistOpenStep struct{ root *plistValue }

// The second reader copies all of a string that it has so far at each escape, so there are narrower bounds here: the two together keep it
// within a second or so. Nobody writes that much by hand.
const (
	maxOpenStepSize    = 1 << 20 // bytes
	maxOpenStepEscapes = 4096
)

// plistOpenStepReader walks over one. It knows what every reader of the format agrees on, and refuses what they read differently: single
// quotes, octal escapes beyond ASCII, halves of surrogate pairs.
type plistOpenStepReader struct {
	data    []byte
	pos     int
	values  int
	escapes int
}

func readPlistOpenStep(data []byte) (plistFile, error) {
	if len(data) > maxOpenStepSize {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are read in the format of OpenStep", ErrTooLarge, len(data), maxOpenStepSize)
	}
	r := &plistOpenStepReader{data: data}
	for i := 0; i < len(data); {
		c, size := utf8.DecodeRune(data[i:])
		switch {
		case c == utf8.RuneError && size == 1 && !utf8.FullRune(data[i:]):
			return nil, refuse(ErrTruncated, data, i, "it ends within a character")
		case c == utf8.RuneError && size == 1:
			return nil, refuse(ErrEncoding, data, i, "this byte is not UTF-8")
		case c == 0:
			return nil, r.fault("there is a NUL character")
		}
		i += size
	}
	if bytes.HasPrefix(data, []byte(byteOrderMark)) {
		r.pos = len(byteOrderMark)
	}
	root, err := r.value(1)
	if err != nil {
		return nil, err
	}
	if root.kind != plistDictionary {
		return nil, refuse(ErrWrongRoot, data, 0, "it is of type "+string(root.kind))
	}
	if err := r.space(); err != nil {
		return nil, err
	}
	if r.pos < len(data) {
		return nil, r.fault("something follows the root dictionary")
	}
	return &plistOpenStep{root}, nil
}

func (r *plistOpenStepReader) fault(detail string) error {
	return refuse(ErrNotPropertyList, r.data, r.pos, detail)
}

func (r *plistOpenStepReader) truncated() error {
	return refuse(ErrTruncated, r.data, len(r.data), "a container, string or comment is not closed")
}

// space passes white space and comments.
func (r *plistOpenStepReader) space() error {
	for r.pos < len(r.data) {
		rest := r.data[r.pos:]
		switch {
		case isSpace(rest[0]):
			r.pos++
		case bytes.HasPrefix(rest, []byte("//")):
			end := bytes.IndexAny(rest, "\r\n")
			if end < 0 {
				end = len(rest)
			}
			r.pos += end
		case bytes.HasPrefix(rest, []byte("/*")):
			end := bytes.Index(rest[2:], []byte("*/"))
			if end < 0 {
				return r.truncated()
			}
			r.pos += end + 4
		default:
			return nil
		}
	}
	return nil
}

// next passes white space and comments, and returns the byte after them without passing it. There must be one.
func (r *plistOpenStepReader) next() (byte, error) {
	if err := r.space(); err != nil {
		return 0, err
	}
	if r.pos == len(r.data) {
		return 0, r.truncated()
	}
	return r.data[r.pos], nil
}

// value passes one value. The recursion is bounded by the depth.
func (r *plistOpenStepReader) value(depth int) (*plistValue, error) {
	c, err := r.next()
	if err != nil {
		return nil, err
	}
	if r.values++; r.values > maxPlistValues || depth > maxPlistDepth {
		return nil, refuse(ErrTooLarge, r.data, r.pos, "there are too many values, or they are nested too deep")
	}
	switch c {
	case '{':
		r.pos++
		return r.dictionary(depth)
	case '(':
		r.pos++
		return r.array(depth)
	case '<':
		r.pos++
		return r.hexadecimal()
	}
	text, err := r.text()
	return &plistValue{kind: plistString, text: text}, err
}

func (r *plistOpenStepReader) dictionary(depth int) (*plistValue, error) {
	dict := &plistValue{kind: plistDictionary}
	seen := make(map[string]struct{})
	for {
		c, err := r.next()
		if err != nil {
			return nil, err
		}
		if c == '}' {
			r.pos++
			return dict, nil
		}
		start := r.pos
		key, err := r.text()
		if err != nil {
			return nil, err
		}
		if _, twice := seen[key]; twice {
			return nil, refuse(ErrDuplicate, r.data, start, "the same key was there before")
		}
		seen[key] = struct{}{}
		if err := r.expect('=', "no equals sign follows a key"); err != nil {
			return nil, err
		}
		item, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		if err := r.expect(';', "no semicolon follows a value in a dictionary"); err != nil {
			return nil, err
		}
		dict.keys, dict.items = append(dict.keys, key), append(dict.items, item)
	}
}

func (r *plistOpenStepReader) expect(want byte, otherwise string) error {
	c, err := r.next()
	if err != nil {
		return err
	}
	if c != want {
		return r.fault(otherwise)
	}
	r.pos++
	return nil
}

func (r *plistOpenStepReader) array(depth int) (*plistValue, error) {
	array := &plistValue{kind: plistArray}
	for {
		c, err := r.next()
		if err != nil {
			return nil, err
		}
		if c != ')' {
			item, err := r.value(depth + 1)
			if err != nil {
				return nil, err
			}
			array.items = append(array.items, item)
			if c, err = r.next(); err != nil {
				return nil, err
			}
		}
		switch c {
		case ')':
			r.pos++
			return array, nil
		case ',':
			r.pos++
		default:
			return nil, r.fault("neither a comma nor the end follows a value in an array")
		}
	}
}

// hexadecimal passes data, the opening angle of which is passed.
func (r *plistOpenStepReader) hexadecimal() (*plistValue, error) {
	length := bytes.IndexByte(r.data[r.pos:], '>')
	if length < 0 {
		return nil, r.truncated()
	}
	data, err := hex.DecodeString(noSpace.Replace(string(r.data[r.pos : r.pos+length])))
	if err != nil {
		return nil, r.fault("data is not an even number of hexadecimal digits")
	}
	r.pos += length + 1
	return &plistValue{kind: plistData, text: hex.EncodeToString(data)}, nil
}

// text passes a string, quoted or not.
func (r *plistOpenStepReader) text() (string, error) {
	if r.data[r.pos] != '"' {
		start := r.pos
		for r.pos < len(r.data) && isUnquoted(r.data[r.pos]) {
			r.pos++
		}
		switch r.pos {
		case start:
			return "", r.fault("this character must be in quotes, or is none that can stand here")
		case len(r.data):
			return "", r.truncated()
		}
		return string(r.data[start:r.pos]), nil
	}
	r.pos++
	var text strings.Builder
	for {
		length := bytes.IndexAny(r.data[r.pos:], `"\`)
		if length < 0 || r.pos+length+1 == len(r.data) && r.data[r.pos+length] == '\\' {
			return "", r.truncated()
		}
		text.Write(r.data[r.pos : r.pos+length])
		r.pos += length + 1
		if r.data[r.pos-1] == '"' {
			return text.String(), nil
		}
		if err := r.escape(&text); err != nil {
			return "", err
		}
	}
}

// escape passes what follows a backslash, of which at least one byte is there.
func (r *plistOpenStepReader) escape(text *strings.Builder) error {
	if r.escapes++; r.escapes > maxOpenStepEscapes {
		return refuse(ErrTooLarge, r.data, r.pos, "there are too many escapes in strings")
	}
	c := r.data[r.pos]
	if i := strings.IndexByte(`abfnrtv"\`, c); i >= 0 {
		text.WriteByte("\a\b\f\n\r\t\v\"\\"[i])
		r.pos++
		return nil
	}
	if c == '\n' {
		text.WriteByte(c)
		r.pos++
		return nil
	}
	base, digits, from := rune(8), 3, r.pos
	if c == 'U' {
		base, digits, from = 16, 4, r.pos+1
	}
	if from+digits > len(r.data) {
		return r.truncated()
	}
	var char rune
	for _, digit := range r.data[from : from+digits] {
		value := hexDigit(digit)
		if value >= base {
			return r.fault("there is an escape in a string that is not read the same everywhere")
		}
		char = char*base + value
	}
	if base == 8 && char >= utf8.RuneSelf || !utf8.ValidRune(char) || char == 0 {
		return r.fault("there is an escape in a string that is not read the same everywhere")
	}
	text.WriteRune(char)
	r.pos = from + digits
	return nil
}

// isUnquoted reports whether a character needs no quotes in any reader.
func isUnquoted(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_$/:.-", c) >= 0
}

func (f *plistOpenStep) dictionary() *plistValue { return f.root }

func (f *plistOpenStep) format() int { return plist.OpenStepFormat }

// scalar implements plistFile.
func (f *plistOpenStep) scalar(kind plistKind, text string) (*plistValue, error) {
	return &plistValue{kind: kind, text: text}, nil
}

func (f *plistOpenStep) with(int, string, *plistValue) ([]byte, error) { return nil, errOpenStep() }

func (f *plistOpenStep) without(map[int]bool) ([]byte, error) { return nil, errOpenStep() }

func errOpenStep() error {
	return fmt.Errorf("%w: it is that of OpenStep; plutil -convert binary1 makes it one that can be edited", ErrReadOnly)
}

// keeps implements plistFile. No edit gets this far.
func (f *plistOpenStep) keeps(plistFile) bool { return false }
