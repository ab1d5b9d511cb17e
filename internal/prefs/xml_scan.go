package prefs

import (
	"bytes"
	"strings"
)

const (
	byteOrderMark = "\ufeff"
	whiteSpace    = " \t\r\n" // production S of XML 1.0
	rootName      = "Preferences"

	// maxDepth bounds how deep elements may be nested; the server nests none.
	maxDepth = 64

	// maxMarkup bounds how many names and comments there are in all, since a tree of them takes many times the memory of the bytes. The
	// server writes some hundred.
	maxMarkup = 250_000
)

// scanner walks over a well-formed XML 1.0 document without a document type declaration and remembers where things stand. It decodes
// nothing and changes nothing. It is stricter than encoding/xml, on which etree is built and which lets much pass: attributes that
// are not separated, text beside the root element, two roots.
type scanner struct {
	data   []byte
	pos    int
	markup int // how many names and comments there were
}

// scan returns where the root element's start tag and its attributes are, once all of the document is known to be well-formed.
func scan(data []byte) (tag, error) {
	s := &scanner{data: data, pos: len(byteOrderMark)}
	if !bytes.HasPrefix(data, []byte(byteOrderMark)) {
		s.pos = 0
	}
	if err := s.declaration(); err != nil {
		return tag{}, err
	}
	if err := s.misc(); err != nil {
		return tag{}, err
	}
	root, err := s.element()
	if err != nil {
		return tag{}, err
	}
	if err := s.misc(); err != nil {
		return tag{}, err
	}
	switch {
	case s.done():
		return root, nil
	case s.startsWith("<!"), s.startsIn("<!--"):
		return tag{}, s.exclamation()
	}
	return tag{}, s.malformed("something follows the root element")
}

// element passes the root element and returns its start tag.
func (s *scanner) element() (tag, error) {
	if s.done() {
		return tag{}, s.truncated("there is no root element yet")
	}
	if s.data[s.pos] != '<' {
		return tag{}, s.malformed("there is text before the root element")
	}
	if s.startsWith("<!") {
		return tag{}, s.exclamation()
	}
	root, err := s.startTag(rootName)
	if err != nil || root.empty {
		return root, err
	}
	return root, s.content(root.name)
}

// content passes all that an element contains, and its end tag. Nested elements are held in a slice and not in calls: the depth is bounded,
// but by a number, not by the stack.
func (s *scanner) content(name string) error {
	open := []string{name}
	for len(open) > 0 {
		if err := s.text(); err != nil {
			return err
		}
		switch {
		case s.startsWith("</"):
			if err := s.endTag(open[len(open)-1]); err != nil {
				return err
			}
			open = open[:len(open)-1]
		case s.startsWith("<?"):
			if err := s.instruction(); err != nil {
				return err
			}
		case s.startsWith("<![CDATA["):
			if err := s.through("]]>", "a CDATA section is not closed"); err != nil {
				return err
			}
		case s.startsWith("<!--"):
			if err := s.comment(); err != nil {
				return err
			}
		case s.startsWith("<!"):
			return s.exclamation()
		default:
			child, err := s.startTag("")
			if err != nil {
				return err
			}
			if child.empty {
				continue
			}
			if open = append(open, child.name); len(open) > maxDepth {
				return refuse(ErrTooLarge, s.data, s.pos, "elements are nested too deep")
			}
		}
	}
	return nil
}

// text passes character data up to the next markup.
func (s *scanner) text() error {
	length := bytes.IndexByte(s.data[s.pos:], '<')
	if length < 0 {
		s.pos = len(s.data)
		return s.truncated("an element is not closed")
	}
	end := s.pos + length
	if i := bytes.Index(s.data[s.pos:end], []byte("]]>")); i >= 0 {
		s.pos += i
		return s.malformed("]]> stands outside a CDATA section")
	}
	if err := s.references(s.pos, end); err != nil {
		return err
	}
	s.pos = end
	return nil
}

// misc passes the white space, comments and processing instructions that may stand before and after the root element.
func (s *scanner) misc() error {
	for {
		s.space()
		var err error
		switch {
		case s.startsWith("<!--"):
			err = s.comment()
		case s.startsWith("<?"):
			err = s.instruction()
		default:
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *scanner) comment() error {
	if err := s.count(); err != nil {
		return err
	}
	s.pos += len("<!--")
	if err := s.through("--", "a comment is not closed"); err != nil {
		return err
	}
	if s.done() {
		return s.truncated("a comment is not closed")
	}
	if s.data[s.pos] != '>' {
		return s.malformed("a comment contains two hyphens")
	}
	s.pos++
	return nil
}

func (s *scanner) instruction() error {
	start := s.pos
	s.pos += len("<?")
	target, err := s.name("a processing instruction")
	if err != nil {
		return err
	}
	if strings.EqualFold(target, "xml") {
		s.pos = start
		return s.malformed("there is an XML declaration that is not a well-formed one at the very start")
	}
	if !s.startsWith("?>") && s.space() == 0 {
		if s.startsIn("?>") {
			return s.truncated("a processing instruction is not closed")
		}
		return s.malformed("no white space follows the name of a processing instruction")
	}
	return s.through("?>", "a processing instruction is not closed")
}

// exclamation is the error for markup that starts with <! and is no comment and no CDATA section.
func (s *scanner) exclamation() error {
	switch {
	case s.startsIn("<!--"), s.startsIn("<![CDATA["):
		return s.truncated("a comment or CDATA section is not closed")
	case s.startsWith("<!["):
		return s.malformed("a CDATA section stands outside the root element, or is a conditional section")
	}
	return refuse(ErrDoctype, s.data, s.pos, "declarations are not read")
}
