package prefs

import (
	"fmt"

	"github.com/beevik/etree"
)

// How an edit is known to be right.
//
// etree reads XML, but writing what it read loses bytes and even data (line breaks that were references). The scanner in xml_scan.go keeps
// every byte, but is ours. So the scanner says where to cut, and etree, which shares no code with it, says what the bytes mean:
//
//   - Every document that is read, from outside or after an edit, is read by both, and both must see the same attributes with the same
//     names and values in the same order. So a cut never falls where another reader sees something else.
//   - After every edit, etree's reading of the new bytes must be its reading of the old ones with exactly the difference that was asked
//     for, in the attributes, the children, the comments and all else.
//
// Texts of etree's and encoding/xml's errors quote the document, so none of them is passed on.

// readTree is etree's reading of a document. An error wraps ErrNotXML.
func readTree(data []byte) (*etree.Document, error) {
	tree := etree.NewDocument()
	// By default the last of two attributes of one name would hide the first.
	tree.ReadSettings = etree.ReadSettings{PreserveDuplicateAttrs: true, MaxDepth: maxDepth + 1}
	if err := tree.ReadFromBytes(data); err != nil {
		return nil, fmt.Errorf("%w: a second reader refuses it (%T)", ErrNotXML, err)
	}
	if tree.Root() == nil {
		return nil, fmt.Errorf("%w: a second reader finds no element", ErrNotXML)
	}
	return tree, nil
}

// settings returns the attributes of the root element as etree reads them.
func settings(tree *etree.Document) []setting {
	attrs := tree.Root().Attr
	list := make([]setting, len(attrs))
	for i := range attrs {
		list[i] = setting{attrs[i].FullKey(), attrs[i].Value}
	}
	return list
}

// checkAgreement reports whether the scanner and etree see the same document element, with the same attributes.
func (x *XML) checkAgreement() error {
	elements := 0
	for _, token := range x.tree.Child {
		switch token.(type) {
		case *etree.Element:
			elements++
		case *etree.Directive:
			return fmt.Errorf("%w: a second reader sees one", ErrDoctype)
		}
	}
	root := x.tree.Root()
	if elements != 1 || root.FullTag() != x.root.name || len(root.Attr) != len(x.root.attrs) {
		return fmt.Errorf("%w: a second reader sees another document element", ErrNotXML)
	}
	for i := range root.Attr {
		if root.Attr[i].FullKey() != x.root.attrs[i].name || root.Attr[i].Value != decode(x.raw(i), breaksAsTheyAre) {
			return refuse(ErrNotXML, x.data, x.root.attrs[i].cutFrom, "a second reader sees another attribute")
		}
	}
	return nil
}

// proveEdit reports whether after is before with exactly the wanted settings. An error wraps ErrUnproven.
func proveEdit(before, after *etree.Document, want []setting) error {
	got := settings(after)
	if len(got) != len(want) {
		return fmt.Errorf("%w: it has %d settings instead of %d", ErrUnproven, len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			return fmt.Errorf("%w: setting %d is not the one intended", ErrUnproven, i+1)
		}
	}
	if !sameContent(&before.Element, &after.Element, before.Root()) {
		return fmt.Errorf("%w: something other than a setting has changed", ErrUnproven)
	}
	return nil
}

// sameContent compares all that two elements contain, except the attributes of root, which is an element of the first.
func sameContent(a, b, root *etree.Element) bool {
	if len(a.Child) != len(b.Child) {
		return false
	}
	for i := range a.Child {
		if !sameToken(a.Child[i], b.Child[i], root) {
			return false
		}
	}
	return true
}

func sameToken(a, b etree.Token, root *etree.Element) bool {
	switch a := a.(type) {
	case *etree.Element:
		b, ok := b.(*etree.Element)
		return ok && a.FullTag() == b.FullTag() && (a == root || sameAttrs(a.Attr, b.Attr)) && sameContent(a, b, root)
	case *etree.CharData:
		b, ok := b.(*etree.CharData)
		return ok && a.Data == b.Data
	case *etree.Comment:
		b, ok := b.(*etree.Comment)
		return ok && a.Data == b.Data
	case *etree.ProcInst:
		b, ok := b.(*etree.ProcInst)
		return ok && a.Target == b.Target && a.Inst == b.Inst
	}
	return false
}

func sameAttrs(a, b []etree.Attr) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].FullKey() != b[i].FullKey() || a[i].Value != b[i].Value {
			return false
		}
	}
	return true
}
