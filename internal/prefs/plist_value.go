package prefs

import (
	"slices"
	"strconv"
	"strings"
)

// plistKind is a type of property list values, in the words of Apple's document type.
type plistKind string

const (
	plistString     plistKind = "string"
	plistBoolean    plistKind = "boolean"
	plistInteger    plistKind = "integer"
	plistReal       plistKind = "real"
	plistDate       plistKind = "date"
	plistData       plistKind = "data"
	plistArray      plistKind = "array"
	plistDictionary plistKind = "dictionary"
	plistUID        plistKind = "uid" // a reference in a keyed archive, only in binary lists
)

// plistValue is one value of a property list. Values that a binary list refers to several times are one plistValue.
type plistValue struct {
	kind plistKind

	// text is what a scalar means, the same for the same value however it is written: a string itself, "1" or "0" for booleans, decimal
	// digits for integers and UIDs, the shortest decimal for reals, RFC 3339 for dates, hexadecimal digits for data.
	text string

	// raw is how the value is written in its document, so that a value that was not to change is known not to have. It is nil for a container
	// in a binary list, whose encoding has the numbers of other objects.
	raw []byte

	keys  []string // of a dictionary, in document order, no two the same
	items []*plistValue
}

// String returns what Get returns: text, or for a container what it contains, with the type of each value and with dictionaries sorted, so
// that it is the same for containers of the same content and for no others.
func (v *plistValue) String() string {
	if v.kind != plistArray && v.kind != plistDictionary {
		return v.text
	}
	var b strings.Builder
	v.render(&b)
	return b.String()
}

func (v *plistValue) render(b *strings.Builder) {
	switch v.kind {
	case plistString:
		b.WriteString(strconv.Quote(v.text))
	case plistArray:
		b.WriteByte('[')
		for i, item := range v.items {
			if i > 0 {
				b.WriteString(", ")
			}
			item.render(b)
		}
		b.WriteByte(']')
	case plistDictionary:
		order := make([]int, len(v.keys))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(i, j int) int { return strings.Compare(v.keys[i], v.keys[j]) })
		b.WriteByte('{')
		for n, i := range order {
			if n > 0 {
				b.WriteString(", ")
			}
			b.WriteString(strconv.Quote(v.keys[i]) + ": ")
			v.items[i].render(b)
		}
		b.WriteByte('}')
	default:
		b.WriteString(string(v.kind) + "(" + v.text + ")")
	}
}

// same reports whether two values have the same type and content, in the same order, written the same way.
func (v *plistValue) same(w *plistValue) bool {
	return v.kind == w.kind && v.text == w.text && string(v.raw) == string(w.raw) && v.sameItems(w)
}

// sameItems compares what two containers contain.
func (v *plistValue) sameItems(w *plistValue) bool {
	return slices.Equal(v.keys, w.keys) && slices.EqualFunc(v.items, w.items, (*plistValue).same)
}

// boolean is the plistBoolean's text.
func booleanText(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
