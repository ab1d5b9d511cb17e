package prefs

import (
	"bytes"
	"fmt"
)

// tag is where a start tag or an empty-element tag stands.
type tag struct {
	name    string
	nameEnd int // offset after the element's name
	attrs   []attribute
	empty   bool // it ends in />
}

// appendAt is the offset at which one more attribute belongs: after the last, before any white space that precedes the end of the tag.
func (t tag) appendAt() int {
	if len(t.attrs) == 0 {
		return t.nameEnd
	}
	return t.attrs[len(t.attrs)-1].end()
}

// attribute is where an attribute stands: data[cutFrom:end()] is the white space before it and the attribute, and
// data[valueFrom:valueTo] is what its quotes enclose.
type attribute struct {
	name               string
	cutFrom            int
	valueFrom, valueTo int
}

func (a attribute) end() int { return a.valueTo + 1 }

// startTag passes a start tag. If want is not "", the element must have that name.
func (s *scanner) startTag(want string) (tag, error) {
	s.pos++ // <
	start := s.pos
	name, err := s.name("an element")
	if err != nil {
		return tag{}, err
	}
	if want != "" && name != want {
		return tag{}, refuse(ErrWrongRoot, s.data, start, fmt.Sprintf("it is %.40q", name))
	}
	t := tag{name: name, nameEnd: s.pos}
	for {
		before := s.pos
		separated := s.space() > 0
		switch {
		case s.done() || s.startsIn("/>"):
			return tag{}, s.truncated("a tag is not closed")
		case s.startsWith(">"):
			s.pos++
			return t, s.unique(t)
		case s.startsWith("/>"):
			s.pos += len("/>")
			t.empty = true
			return t, s.unique(t)
		case !separated:
			return tag{}, s.malformed(fmt.Sprintf("no white space follows attribute %d", len(t.attrs)))
		}
		a, err := s.attribute(len(t.attrs) + 1)
		if err != nil {
			return tag{}, err
		}
		a.cutFrom = before
		t.attrs = append(t.attrs, a)
	}
}

// attribute passes one attribute. Errors have its number and not its name: where quoting has gone wrong, what looks like a name can be a
// piece of a value.
func (s *scanner) attribute(number int) (attribute, error) {
	name, err := s.name("an attribute")
	if err != nil {
		return attribute{}, err
	}
	s.space()
	if s.done() {
		return attribute{}, s.truncated(fmt.Sprintf("attribute %d has no value", number))
	}
	if s.data[s.pos] != '=' {
		return attribute{}, s.malformed(fmt.Sprintf("no equals sign follows the name of attribute %d", number))
	}
	s.pos++
	s.space()
	if s.done() {
		return attribute{}, s.truncated(fmt.Sprintf("attribute %d has no value", number))
	}
	quote := s.data[s.pos]
	if quote != '"' && quote != '\'' {
		return attribute{}, s.malformed(fmt.Sprintf("the value of attribute %d is not quoted", number))
	}
	s.pos++
	a := attribute{name: name, valueFrom: s.pos}
	if a.valueTo, err = s.value(quote, number); err != nil {
		return attribute{}, err
	}
	return a, nil
}

// value passes a quoted value and its closing quote, and returns the offset of that quote.
func (s *scanner) value(quote byte, number int) (int, error) {
	length := bytes.IndexByte(s.data[s.pos:], quote)
	end := s.pos + length
	if length < 0 {
		end = len(s.data)
	}
	if i := bytes.IndexByte(s.data[s.pos:end], '<'); i >= 0 {
		s.pos += i
		return 0, s.malformed(fmt.Sprintf("the value of attribute %d contains a < or is not closed", number))
	}
	if length < 0 {
		s.pos = end
		return 0, s.truncated(fmt.Sprintf("the value of attribute %d is not closed", number))
	}
	if err := s.references(s.pos, end); err != nil {
		return 0, err
	}
	s.pos = end + 1
	return end, nil
}

// endTag passes an end tag, which must have this name.
func (s *scanner) endTag(want string) error {
	s.pos += len("</")
	start := s.pos
	name, err := s.name("an end tag")
	if err != nil {
		return err
	}
	if name != want {
		s.pos = start
		return s.malformed("an end tag is not that of the element it stands in")
	}
	s.space()
	if s.done() {
		return s.truncated("an end tag is not closed")
	}
	if s.data[s.pos] != '>' {
		return s.malformed("something follows the name in an end tag")
	}
	s.pos++
	return nil
}

// unique reports a name that two attributes of a tag share. The names of a tag that is complete are names, so the error can have one.
func (s *scanner) unique(t tag) error {
	if len(t.attrs) < 2 {
		return nil
	}
	seen := make(map[string]struct{}, len(t.attrs))
	for _, a := range t.attrs {
		if _, twice := seen[a.name]; twice {
			return refuse(ErrDuplicate, s.data, a.cutFrom, fmt.Sprintf("%.80q", a.name))
		}
		seen[a.name] = struct{}{}
	}
	return nil
}
