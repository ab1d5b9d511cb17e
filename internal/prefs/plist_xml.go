package prefs

import (
	"bytes"
	"fmt"
	"slices"

	"howett.net/plist"
)

// plistXML is a property list in XML, and where the settings stand in it.
type plistXML struct {
	data    []byte
	root    *plistValue
	dict    tag // of the root dictionary
	from    int // where the root dictionary starts
	to      int // where it ends
	entries []plistXMLEntry
	asides  [][]byte // the comments and instructions that stand between the settings
}

// plistXMLEntry is where one setting stands.
type plistXMLEntry struct{ key, value span }

// span is where an element stands: data[cutFrom:to] is the white space before it and the element, which starts at from.
type span struct{ cutFrom, from, to int }

// plistXMLReader walks over a property list in XML. It leaves the grammar of XML to the scanner.
type plistXMLReader struct {
	scanner
	file *plistXML
}

// readPlistXML reads a property list in XML. It may have Apple's document type declaration or another without an internal subset: such a one
// declares nothing by itself, and no reader here fetches what it names.
func readPlistXML(data []byte) (plistFile, error) {
	if err := checkCharacters(data); err != nil {
		return nil, err
	}
	r := &plistXMLReader{scanner: scanner{data: data}, file: &plistXML{data: data}}
	if bytes.HasPrefix(data, []byte(byteOrderMark)) {
		r.pos = len(byteOrderMark)
	}
	if err := r.document(); err != nil {
		return nil, err
	}
	return r.file, nil
}

// document passes all of it.
func (r *plistXMLReader) document() error {
	if err := r.prolog(); err != nil {
		return err
	}
	switch {
	case r.done(), r.startsIn("<!--"), r.startsIn("<!DOCTYPE"):
		return r.truncated("there is no root element yet")
	case r.startsWith("<!"):
		return r.exclamation()
	case r.data[r.pos] != '<':
		return r.malformed("there is text before the root element")
	}
	outer, err := r.startTag("plist")
	if err != nil {
		return err
	}
	if outer.empty {
		return refuse(ErrWrongRoot, r.data, r.pos, "the list is empty")
	}
	if err := r.misc(); err != nil {
		return err
	}
	if err := r.root(); err != nil {
		return err
	}
	if err := r.misc(); err != nil {
		return err
	}
	if !r.startsWith("</") {
		return r.unexpected("something follows the root dictionary")
	}
	if err := r.endTag(outer.name); err != nil {
		return err
	}
	if err := r.misc(); err != nil {
		return err
	}
	switch {
	case r.done():
		return nil
	case r.startsIn("<!--"):
		return r.truncated("a comment is not closed")
	}
	return r.malformed("something follows the root element")
}

// prolog passes what may stand before the root element.
func (r *plistXMLReader) prolog() error {
	if err := r.declaration(); err != nil {
		return err
	}
	if err := r.misc(); err != nil {
		return err
	}
	if !r.startsWith("<!DOCTYPE") {
		return nil
	}
	if err := r.doctype(); err != nil {
		return err
	}
	return r.misc()
}

// doctype passes a document type declaration for a property list that has no internal subset.
func (r *plistXMLReader) doctype() error {
	start := r.pos
	refused := refuse(ErrDoctype, r.data, start, "it is not one for a property list, or has declarations of its own, which are not read")
	r.pos += len("<!DOCTYPE")
	var parts []string
	for {
		separated := r.space() > 0
		switch {
		case r.done():
			return r.truncated("the document type declaration is not closed")
		case r.startsWith(">"):
			r.pos++
			if !slices.Equal(parts, []string{"plist"}) &&
				!slices.Equal(parts, []string{"plist", "PUBLIC", "literal", "literal"}) &&
				!slices.Equal(parts, []string{"plist", "SYSTEM", "literal"}) {
				return refused
			}
			return nil
		case !separated || len(parts) == 4:
			return refused
		case r.startsWith(`"`), r.startsWith("'"):
			quote := r.data[r.pos : r.pos+1]
			r.pos++
			if err := r.through(string(quote), "the document type declaration is not closed"); err != nil {
				return err
			}
			parts = append(parts, "literal")
		case !isNameRune(rune(r.data[r.pos]), true):
			return refused
		default:
			word, err := r.name("a document type")
			if err != nil {
				return err
			}
			parts = append(parts, word)
		}
	}
}

// root passes the root dictionary.
func (r *plistXMLReader) root() error {
	f := r.file
	f.from = r.pos
	if r.startsWith("</plist") {
		return refuse(ErrWrongRoot, r.data, r.pos, "the list is empty")
	}
	if r.startsWith("</") || !r.startsWith("<") || r.startsWith("<!") {
		return r.unexpected("something stands where the root dictionary must be")
	}
	var err error
	if f.dict, err = r.startTag("dict"); err != nil {
		return err
	}
	if f.root, err = r.dictionary(f.dict, 1); err != nil {
		return err
	}
	f.to = r.pos
	return nil
}

// unexpected is the error where something else stands than what may: that the document ends too early if it ends within what could have
// started here, else that it is no property list.
func (r *plistXMLReader) unexpected(detail string) error {
	if r.done() || r.startsIn("<!--") || r.startsIn("</") {
		return r.truncated("an element is not closed")
	}
	return refuse(ErrNotPropertyList, r.data, r.pos, detail)
}

// child passes white space, comments and instructions up to the next child of a container, and then its start tag. It is not ok if the
// container's end tag is next instead.
func (r *plistXMLReader) child(depth int) (t tag, at span, ok bool, err error) {
	for {
		at.cutFrom = r.pos
		r.space()
		aside := r.pos
		switch {
		case r.startsWith("</"):
			return t, at, false, nil
		case r.startsWith("<!--"):
			err = r.comment()
		case r.startsWith("<?"):
			err = r.instruction()
		case r.startsWith("<!"):
			return t, at, false, r.unexpected("there is a declaration or CDATA section where a value must be")
		case r.startsWith("<"):
			at.from = r.pos
			t, err = r.startTag("")
			return t, at, err == nil, err
		default:
			return t, at, false, r.unexpected("there is text where a value must be")
		}
		if err != nil {
			return t, at, false, err
		}
		if depth == 1 {
			r.file.asides = append(r.file.asides, r.data[aside:r.pos])
		}
	}
}

// dictionary passes the content and the end tag of a dictionary.
func (r *plistXMLReader) dictionary(t tag, depth int) (*plistValue, error) {
	dict := &plistValue{kind: plistDictionary}
	seen := make(map[string]struct{})
	for !t.empty {
		keyTag, key, ok, err := r.child(depth)
		if err != nil {
			return nil, err
		}
		if !ok {
			return dict, r.endTag(t.name)
		}
		if keyTag.name != "key" {
			return nil, refuse(ErrNotPropertyList, r.data, key.from, "a dictionary has a value without a key")
		}
		name, err := r.text(keyTag, true)
		if err != nil {
			return nil, err
		}
		key.to = r.pos
		if _, twice := seen[name]; twice {
			return nil, refuse(ErrDuplicate, r.data, key.from, "the same key was there before")
		}
		seen[name] = struct{}{}

		valueTag, value, ok, err := r.child(depth)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, refuse(ErrNotPropertyList, r.data, r.pos, "a dictionary ends with a key that has no value")
		}
		item, err := r.value(valueTag, value.from, depth+1)
		if err != nil {
			return nil, err
		}
		value.to = r.pos
		dict.keys, dict.items = append(dict.keys, name), append(dict.items, item)
		if depth == 1 {
			r.file.entries = append(r.file.entries, plistXMLEntry{key, value})
		}
	}
	return dict, nil
}

// array passes the content and the end tag of an array.
func (r *plistXMLReader) array(t tag, depth int) (*plistValue, error) {
	array := &plistValue{kind: plistArray}
	for !t.empty {
		itemTag, at, ok, err := r.child(depth)
		if err != nil {
			return nil, err
		}
		if !ok {
			return array, r.endTag(t.name)
		}
		item, err := r.value(itemTag, at.from, depth+1)
		if err != nil {
			return nil, err
		}
		array.items = append(array.items, item)
	}
	return array, nil
}

// value passes what follows the start tag of a value, which starts at from. The recursion is bounded by the depth.
func (r *plistXMLReader) value(t tag, from, depth int) (v *plistValue, err error) {
	if depth > maxPlistDepth {
		return nil, refuse(ErrTooLarge, r.data, from, "containers are nested too deep")
	}
	switch t.name {
	case "dict":
		v, err = r.dictionary(t, depth)
	case "array":
		v, err = r.array(t, depth)
	default:
		v, err = r.scalar(t, from)
	}
	if err != nil {
		return nil, err
	}
	v.raw = r.data[from:r.pos]
	return v, nil
}

func (r *plistXMLReader) scalar(t tag, from int) (*plistValue, error) {
	text, err := r.text(t, t.name == "string")
	if err != nil {
		return nil, err
	}
	v, ok := plistXMLScalar(t.name, text)
	if !ok {
		return nil, refuse(ErrNotPropertyList, r.data, from, fmt.Sprintf("this is no value of type %.20q", t.name))
	}
	return v, nil
}

// text passes the content of an element that has no children, and its end tag. Comments and instructions are refused there: Apple's reader
// does not read a list that has them.
func (r *plistXMLReader) text(t tag, sections bool) (string, error) {
	if t.empty {
		return "", nil
	}
	var content []byte
	for {
		from := r.pos
		if err := r.scanner.text(); err != nil {
			return "", err
		}
		content = append(content, decode(r.data[from:r.pos], breaksAsTheyAre)...)
		switch {
		case r.startsWith("</"):
			return string(content), r.endTag(t.name)
		case sections && r.startsWith("<![CDATA["):
			from := r.pos + len("<![CDATA[")
			if err := r.through("]]>", "a CDATA section is not closed"); err != nil {
				return "", err
			}
			content = append(content, lineEnds.Replace(string(r.data[from:r.pos-len("]]>")]))...)
		case r.startsIn("</"), sections && r.startsIn("<![CDATA["):
			return "", r.truncated("an element is not closed")
		default:
			return "", refuse(ErrNotPropertyList, r.data, r.pos, "there is something else than text in a key or a value")
		}
	}
}

func (f *plistXML) dictionary() *plistValue { return f.root }

func (f *plistXML) format() int { return plist.XMLFormat }
