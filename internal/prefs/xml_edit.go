package prefs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// setting is one name and its value.
type setting struct{ name, value string }

// Set implements [Document]. A value that is there is replaced between the quotes it has; one that is already the same is left as it is
// written. A new setting follows the last one, after one space and in double quotes, as the server writes them.
//
// What is written means the same to every XML reader: markup, both quotes, and the tab and line breaks that attribute-value normalisation
// would turn into spaces are written as references. The name may not have a colon nor be xmlns, which would mean something else to a reader
// that knows namespaces.
func (x *XML) Set(name, value string) error {
	if err := checkSettable(name); err != nil {
		return err
	}
	encoded, bad := encode(value)
	if bad >= 0 {
		return fmt.Errorf("%w: the value for %s has at byte %d a character that XML 1.0 excludes", ErrValue, name, bad)
	}
	if old, ok := x.Get(name); ok && old == value {
		return nil
	}

	want := settings(x.tree)
	var edited []byte
	if i, ok := x.index[name]; ok {
		a := x.root.attrs[i]
		want[i].value = value
		edited = splice(x.data, a.valueFrom, a.valueTo, encoded)
	} else {
		at := x.root.appendAt()
		want = append(want, setting{name, value})
		edited = splice(x.data, at, at, " "+name+`="`+encoded+`"`)
	}
	return x.become(edited, want)
}

// Delete implements [Document]. Each attribute goes together with the white space before it, and nothing else does: what follows it keeps
// its own separator.
func (x *XML) Delete(names ...string) error {
	doomed := make(map[string]bool, len(names))
	for _, name := range names {
		if _, ok := x.index[name]; ok {
			doomed[name] = true
		}
	}
	if len(doomed) == 0 {
		return nil
	}

	edited := make([]byte, 0, len(x.data))
	kept := 0
	for _, a := range x.root.attrs {
		if doomed[a.name] {
			edited = append(edited, x.data[kept:a.cutFrom]...)
			kept = a.end()
		}
	}
	edited = append(edited, x.data[kept:]...)

	want := slices.DeleteFunc(settings(x.tree), func(s setting) bool { return doomed[s.name] })
	return x.become(edited, want)
}

// become makes x the edited document if that is proven to say what is wanted, else leaves x alone.
//
// The proof is made here, once for each edit, rather than when the bytes are taken: so a document never holds bytes that are not proven,
// Bytes cannot fail, and the error belongs to the edit that caused it. It costs one reading, as long as the first; a rebind is one Delete
// and a few Sets of a file of a few thousand bytes.
func (x *XML) become(edited []byte, want []setting) error {
	if len(edited) > MaxSize {
		return fmt.Errorf("%w: the edit would make it %d bytes, at most %d are written", ErrTooLarge, len(edited), MaxSize)
	}
	next, err := parse(edited)
	if errors.Is(err, ErrTooLarge) {
		return err
	}
	if err != nil {
		// Not wrapped: the sentinel is about the edit, and a caller must not take it for a fault of the server's file.
		return fmt.Errorf("%w: %s", ErrUnproven, err.Error())
	}
	if err := proveEdit(x.tree, next.tree, want); err != nil {
		return err
	}
	*x = *next
	return nil
}

// checkSettable reports whether every XML reader takes name for one attribute of that name.
func checkSettable(name string) error {
	if strings.Contains(name, ":") || name == "xmlns" {
		return fmt.Errorf("%w: the attribute name %.80q has a meaning for XML namespaces", ErrValue, name)
	}
	// The scanner knows names by the fifth edition of XML 1.0, etree by the fourth, which has fewer letters of other scripts.
	tree, err := readTree([]byte("<Preferences " + name + `=""/>`))
	if err != nil || !slices.Equal(settings(tree), []setting{{name: name}}) {
		return fmt.Errorf("%w: %.80q is not an attribute name in every edition of XML 1.0", ErrValue, name)
	}
	return nil
}

// splice returns data with data[from:to] replaced, in memory of its own.
func splice(data []byte, from, to int, replacement string) []byte {
	return slices.Concat(data[:from], []byte(replacement), data[to:])
}
