package prefs

import (
	"slices"
	"strings"
)

// declaration passes the XML declaration, if there is one. An encoding other than UTF-8 wraps ErrEncoding.
func (s *scanner) declaration() error {
	const open = "<?xml"
	if !s.startsWith(open) || s.pos+len(open) == len(s.data) || !isSpace(s.data[s.pos+len(open)]) {
		return nil // Not a declaration; if it starts like one, instruction refuses it.
	}
	start := s.pos
	s.pos += len(open)
	var names []string
	for {
		separated := s.space() > 0
		switch {
		case s.done() || s.startsIn("?>"):
			return s.truncated("the XML declaration is not closed")
		case s.startsWith("?>"):
			if !declarable(names) {
				s.pos = start
				return s.malformed("the XML declaration does not consist of a version, an encoding and standalone, in this order")
			}
			s.pos += len("?>")
			return nil
		case !separated:
			return s.malformed("no white space separates the parts of the XML declaration")
		}
		a, err := s.attribute(len(names) + 1)
		if err != nil {
			return err
		}
		if err := s.declared(a); err != nil {
			return err
		}
		names = append(names, a.name)
	}
}

// declared checks one part of the declaration.
func (s *scanner) declared(a attribute) error {
	value := string(s.data[a.valueFrom:a.valueTo])
	switch {
	case a.name == "encoding" && !strings.EqualFold(value, "UTF-8"):
		return refuse(ErrEncoding, s.data, a.valueFrom, "the XML declaration names another encoding")
	case a.name == "version" && value != "1.0":
		return refuse(ErrNotXML, s.data, a.valueFrom, "the XML declaration names another version than 1.0")
	case a.name == "standalone" && value != "yes" && value != "no":
		return refuse(ErrNotXML, s.data, a.valueFrom, "standalone in the XML declaration is neither yes nor no")
	}
	return nil
}

// declarable reports whether a declaration may consist of these parts (production XMLDecl of XML 1.0).
func declarable(names []string) bool {
	for _, allowed := range [][]string{
		{"version"},
		{"version", "encoding"},
		{"version", "standalone"},
		{"version", "encoding", "standalone"},
	} {
		if slices.Equal(names, allowed) {
			return true
		}
	}
	return false
}
