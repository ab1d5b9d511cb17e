// Package cfprefs plays cfprefsd, the daemon that keeps the user defaults of macOS: one list of each user for each domain, of which it has
// a copy of its own, so that an edit of the file under it is lost (plex-facts.md section 5.5). It has a codec of its own, so that a test
// never reads what it checks with what has written it.
package cfprefs

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Dict is a property list as defaults has it: names with values, each of them a string, a bool, a Scalar, a []any or a Dict.
type Dict map[string]any

// Scalar is a value whose text says all: an integer, a real, a date or data, by the name of its element.
type Scalar struct{ Kind, Text string }

const header = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
`

// Encode writes the layout of "defaults export": XML, sorted by name, a line for each name and for each value.
func Encode(d Dict) []byte {
	var out bytes.Buffer
	out.WriteString(header)
	encode(&out, d, "")
	out.WriteString("</plist>\n")
	return out.Bytes()
}

var escapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;")

func encode(out *bytes.Buffer, value any, indent string) {
	line := func(format string, args ...any) { fmt.Fprintf(out, indent+format+"\n", args...) }
	switch value := value.(type) {
	case string:
		line("<string>%s</string>", escapes.Replace(value))
	case bool:
		line("<%t/>", value)
	case Scalar:
		if value.Kind == "data" { // Apple puts it on lines of its own
			line("<data>\n%s%s\n%s</data>", indent, value.Text, indent)
			return
		}
		line("<%s>%s</%s>", value.Kind, escapes.Replace(value.Text), value.Kind)
	case []any:
		if len(value) == 0 {
			line("<array/>")
			return
		}
		line("<array>")
		for _, item := range value {
			encode(out, item, indent+"\t")
		}
		line("</array>")
	case Dict:
		if len(value) == 0 {
			line("<dict/>")
			return
		}
		line("<dict>")
		for _, name := range slices.Sorted(maps.Keys(value)) {
			line("\t<key>%s</key>", escapes.Replace(name))
			encode(out, value[name], indent+"\t")
		}
		line("</dict>")
	}
}

// Decode reads a list in XML.
func Decode(data []byte) (Dict, error) {
	d := decoder{xml.NewDecoder(bytes.NewReader(data))}
	start, err := d.element()
	if err != nil || start.Name.Local != "plist" {
		return nil, errors.Join(errors.New("no property list"), err)
	}
	if start, err = d.element(); err != nil {
		return nil, err
	}
	value, err := d.value(start)
	if err != nil {
		return nil, err
	}
	dict, ok := value.(Dict)
	if !ok {
		return nil, errors.New("the list is not a dictionary")
	}
	return dict, nil
}

type decoder struct{ *xml.Decoder }

var errEnd = errors.New("the element ends")

// element is the next start of an element; errEnd at the end of the one that it would be in.
func (d decoder) element() (xml.StartElement, error) {
	for {
		token, err := d.Token()
		if err != nil {
			return xml.StartElement{}, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			return token, nil
		case xml.EndElement:
			return xml.StartElement{}, errEnd
		case xml.CharData:
			if len(bytes.TrimSpace(token)) > 0 {
				return xml.StartElement{}, errors.New("text between elements")
			}
		}
	}
}

// text is what an element holds, to its end.
func (d decoder) text() (string, error) {
	var text strings.Builder
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return "", err
		}
		switch token := token.(type) {
		case xml.CharData:
			text.Write(token)
		case xml.EndElement:
			return text.String(), nil
		case xml.StartElement:
			return "", fmt.Errorf("an element %s inside of text", token.Name.Local)
		}
	}
}

func (d decoder) value(start xml.StartElement) (any, error) {
	switch kind := start.Name.Local; kind {
	case "string":
		return d.text()
	case "true", "false":
		_, err := d.text()
		return kind == "true", err
	case "integer", "real", "date", "data":
		text, err := d.text()
		return Scalar{kind, strings.Join(strings.Fields(text), "")}, err
	case "array":
		list := []any{}
		for {
			item, err := d.element()
			if errors.Is(err, errEnd) {
				return list, nil
			}
			if err != nil {
				return nil, err
			}
			value, err := d.value(item)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
	case "dict":
		return d.dict()
	default:
		return nil, fmt.Errorf("an element %s", kind)
	}
}

func (d decoder) dict() (Dict, error) {
	dict := Dict{}
	for {
		start, err := d.element()
		if errors.Is(err, errEnd) {
			return dict, nil
		}
		if err != nil || start.Name.Local != "key" {
			return nil, errors.Join(errors.New("no key where one belongs"), err)
		}
		name, err := d.text()
		if err != nil {
			return nil, err
		}
		if start, err = d.element(); err != nil {
			return nil, err
		}
		if dict[name], err = d.value(start); err != nil {
			return nil, err
		}
	}
}
