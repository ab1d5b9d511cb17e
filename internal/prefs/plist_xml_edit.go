package prefs

import (
	"bytes"
	"fmt"
	"slices"
)

// with implements plistFile. A new setting follows the last one, in the white space that separates that one.
func (f *plistXML) with(position int, name string, value *plistValue) ([]byte, error) {
	if position < len(f.entries) {
		at := f.entries[position].value
		return splice(f.data, at.from, at.to, string(value.raw)), nil
	}
	encoded, err := encodeText(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %.80q cannot be a key", err, name)
	}
	key := "<key>" + encoded + "</key>"
	if len(f.entries) > 0 {
		last := f.entries[len(f.entries)-1]
		added := string(f.data[last.key.cutFrom:last.key.from]) + key + string(f.data[last.value.cutFrom:last.value.from]) + string(value.raw)
		return splice(f.data, last.value.to, last.value.to, added), nil
	}
	return f.withFirst(key + f.lineBreak("\t") + string(value.raw)), nil
}

// withFirst puts a setting into a dictionary that has none, laid out as Apple does it: a line for the key and one for the value.
func (f *plistXML) withFirst(setting string) []byte {
	setting = f.lineBreak("\t") + setting
	if f.dict.empty {
		// The end of the tag is > and the slash before it.
		return splice(f.data, f.to-len("/>"), f.to, ">"+setting+f.lineBreak("")+"</"+f.dict.name+">")
	}
	open := f.from + bytes.IndexByte(f.data[f.from:], '>') + 1
	if len(f.dict.attrs) > 0 {
		// A > may stand in a value.
		end := f.dict.attrs[len(f.dict.attrs)-1].end()
		open = end + bytes.IndexByte(f.data[end:], '>') + 1
	}
	if !isSpace(f.data[open]) {
		setting += f.lineBreak("")
	}
	return splice(f.data, open, open, setting)
}

// lineBreak is the line end of the document with an indentation after it, or "" for a document that is all one line.
func (f *plistXML) lineBreak(indentation string) string {
	switch {
	case bytes.Contains(f.data, []byte("\r\n")):
		return "\r\n" + indentation
	case bytes.Contains(f.data, []byte("\n")):
		return "\n" + indentation
	}
	return ""
}

// without implements plistFile.
func (f *plistXML) without(doomed map[int]bool) ([]byte, error) {
	edited := make([]byte, 0, len(f.data))
	kept := 0
	for i, entry := range f.entries {
		if !doomed[i] {
			continue
		}
		for _, cut := range []span{entry.key, entry.value} {
			edited = append(edited, f.data[kept:cut.cutFrom]...)
			kept = cut.to
		}
	}
	return append(edited, f.data[kept:]...), nil
}

// keeps implements plistFile: all that stands around the root dictionary, and the comments and instructions in it.
func (f *plistXML) keeps(before plistFile) bool {
	old, ok := before.(*plistXML)
	return ok && bytes.Equal(f.data[:f.from], old.data[:old.from]) && bytes.Equal(f.data[f.to:], old.data[old.to:]) &&
		slices.EqualFunc(f.asides, old.asides, bytes.Equal)
}
