package prefs

import (
	"bytes"
	"fmt"
	"io"
)

const (
	// maxPlistDepth bounds how deep containers may be nested, the root included. Those of user defaults are nested a few deep.
	maxPlistDepth = 128

	// maxPlistValues bounds how many values there are in all. In a binary list a value counts as often as it is referred to, and so do its
	// bytes, since 60 objects can say that there are 2^60 values.
	maxPlistValues = 250_000
)

// PropertyList is the user defaults of macOS: a property list whose root is a dictionary, whose keys are the settings.
// It implements [Document]; see plist_edit.go for what an edit keeps, and plist_proof.go for how that is proven.
type PropertyList struct {
	data  []byte
	file  plistFile
	root  *plistValue
	index map[string]int // name to position in root
}

var (
	_ Document = (*PropertyList)(nil)
	_ typed    = (*PropertyList)(nil)
)

// plistFile is one encoding of a property list, and where in it the settings stand. Positions are those in the root dictionary.
type plistFile interface {
	// dictionary returns the root.
	dictionary() *plistValue

	// scalar returns a value as it would be written. ErrValue: this encoding cannot hold the text.
	scalar(kind plistKind, text string) (*plistValue, error)

	// with returns the bytes with the value at a position replaced or, after the last position, with one more setting.
	with(position int, name string, value *plistValue) ([]byte, error)

	// without returns the bytes without the settings at these positions.
	without(doomed map[int]bool) ([]byte, error)

	// keeps reports whether this file has the format of the one it was made of, and all that that one has beside settings, and nothing else.
	keeps(before plistFile) bool

	// format is the number that the second reader has for this encoding.
	format() int
}

// ParsePropertyList reads a property list, at most MaxSize bytes: binary (version 00), XML, or the old format of OpenStep, which can be
// read but not edited. It refuses all else with an error that wraps ErrEmpty, ErrTruncated, ErrNotPropertyList, ErrNotXML, ErrWrongRoot,
// ErrDuplicate, ErrDoctype, ErrEncoding or ErrTooLarge, and says where the fault is but never what a value is. Which of the three formats
// it is does not matter to the caller: an edit keeps it. The result does not share memory with data.
func ParsePropertyList(data []byte) (*PropertyList, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are read", ErrTooLarge, len(data), MaxSize)
	}
	return parsePlist(bytes.Clone(data))
}

// parsePlist is ParsePropertyList for bytes that are ours to keep and are within MaxSize.
func parsePlist(data []byte) (*PropertyList, error) {
	file, err := readPlist(data)
	if err != nil {
		return nil, err
	}
	p := &PropertyList{data: data, file: file, root: file.dictionary(), index: make(map[string]int)}
	if err := p.checkAgreement(); err != nil {
		return nil, err
	}
	for i, name := range p.root.keys {
		p.index[name] = i
	}
	return p, nil
}

// readPlist reads data in the format that it starts like.
func readPlist(data []byte) (plistFile, error) {
	content := bytes.TrimLeft(bytes.TrimPrefix(data, []byte(byteOrderMark)), whiteSpace)
	switch {
	// A file system that lost its power before the data was written leaves zeros.
	case len(bytes.Trim(content, "\x00")) == 0:
		return nil, fmt.Errorf("%w: %d bytes, of which none is content", ErrEmpty, len(data))
	case bytes.HasPrefix([]byte(plistMagic), data), bytes.HasPrefix([]byte(byteOrderMark), data):
		return nil, refuse(ErrTruncated, data, len(data), "it ends in the mark that it starts with")
	case bytes.HasPrefix(data, []byte(plistMagic)):
		return readPlistBinary(data)
	case bytes.HasPrefix(data, []byte("\xfe\xff")), bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.IndexByte(data[:min(4, len(data))], 0) >= 0:
		return nil, refuse(ErrEncoding, data, 0, "it looks like UTF-16 or UTF-32")
	}
	switch content[0] {
	case '<':
		return readPlistXML(data)
	case '{', '(', '"', '/':
		return readPlistOpenStep(data)
	}
	return nil, refuse(ErrNotPropertyList, data, len(data)-len(content), "it starts like none of the three formats")
}

// Get implements [Document]. What is no string is returned as text: booleans as "1" and "0", integers in decimal, dates by RFC 3339, data in
// hexadecimal, containers as what they contain.
func (p *PropertyList) Get(name string) (value string, ok bool) {
	i, ok := p.index[name]
	if !ok {
		return "", false
	}
	return p.root.items[i].String(), true
}

// kind implements typed.
func (p *PropertyList) kind(name string) string {
	i, ok := p.index[name]
	if !ok {
		return ""
	}
	return string(p.root.items[i].kind)
}

// Names implements [Document].
func (p *PropertyList) Names() []string { return append([]string(nil), p.root.keys...) }

// Bytes implements [Document].
func (p *PropertyList) Bytes() []byte { return bytes.Clone(p.data) }

// Format implements [fmt.Formatter] for every verb, so that no log line or error that formats a document can show a value. Its receiver
// is not a pointer, so that it holds for a copy too.
func (p PropertyList) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, fmt.Sprintf("prefs.PropertyList{%d settings, %d bytes}", len(p.index), len(p.data)))
}
