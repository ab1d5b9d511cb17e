package prefs

import (
	"bytes"
	"fmt"
	"io"

	"github.com/beevik/etree"
)

// XML is a Preferences.xml: one element named Preferences, whose attributes are the settings.
// It implements [Document]; see xml_edit.go for what an edit keeps, and xml_proof.go for how that is proven.
type XML struct {
	data  []byte
	root  tag
	index map[string]int // name to position in root.attrs
	tree  *etree.Document
}

var _ Document = (*XML)(nil)

// ParseXML reads a Preferences.xml (plex-facts.md section 4): UTF-8, with or without a byte order mark and a declaration, at most MaxSize
// bytes and far more attributes than a server has. It accepts every layout that is well-formed XML 1.0 without a document type
// declaration, and refuses all else with an error that
// wraps ErrEmpty, ErrTruncated, ErrNotXML, ErrWrongRoot, ErrDuplicate, ErrDoctype, ErrEncoding or ErrTooLarge, and says where the fault
// is but never what a value is. The result does not share memory with data.
func ParseXML(data []byte) (*XML, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are read", ErrTooLarge, len(data), MaxSize)
	}
	return parse(bytes.Clone(data))
}

// parse is ParseXML for bytes that are ours to keep and are within MaxSize.
func parse(data []byte) (*XML, error) {
	if err := checkCharacters(data); err != nil {
		return nil, err
	}
	root, err := scan(data)
	if err != nil {
		return nil, err
	}
	tree, err := readTree(data)
	if err != nil {
		return nil, err
	}
	return newXML(data, root, tree)
}

// newXML joins the two readings of the same bytes, if they agree.
func newXML(data []byte, root tag, tree *etree.Document) (*XML, error) {
	x := &XML{data: data, root: root, tree: tree, index: make(map[string]int, len(root.attrs))}
	if err := x.checkAgreement(); err != nil {
		return nil, err
	}
	for i, a := range root.attrs {
		x.index[a.name] = i
	}
	return x, nil
}

// Get implements [Document].
func (x *XML) Get(name string) (value string, ok bool) {
	i, ok := x.index[name]
	if !ok {
		return "", false
	}
	return decode(x.raw(i), spaceForBreaks), true
}

// Names implements [Document].
func (x *XML) Names() []string {
	names := make([]string, len(x.root.attrs))
	for i, a := range x.root.attrs {
		names[i] = a.name
	}
	return names
}

// Bytes implements [Document].
func (x *XML) Bytes() []byte { return bytes.Clone(x.data) }

// Format implements [fmt.Formatter] for every verb, so that no log line or error that formats a document can show a value. Its receiver
// is not a pointer, so that it holds for a copy too.
func (x XML) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, fmt.Sprintf("prefs.XML{%d settings, %d bytes}", len(x.root.attrs), len(x.data)))
}

// raw returns what stands between the quotes of an attribute, as it stands there.
func (x *XML) raw(i int) []byte {
	a := x.root.attrs[i]
	return x.data[a.valueFrom:a.valueTo]
}
