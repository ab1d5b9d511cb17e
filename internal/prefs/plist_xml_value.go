package prefs

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	// lineEnds makes the line ends of a CDATA section what they are in XML (section 2.11).
	lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

	// textEscapes writes character data. A carriage return that stood there as itself would be read as a line feed.
	textEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;")

	plistXMLReal = regexp.MustCompile(`^(?:[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?(?i:inf|infinity)|(?i:nan))$`)
	plistXMLDate = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?Z$`)

	noSpace = strings.NewReplacer(" ", "", "\t", "", "\n", "", "\r", "")
)

// plistXMLScalar returns the value that an element of this name and content is, if it is one.
func plistXMLScalar(name, content string) (v *plistValue, ok bool) {
	switch name {
	case "string":
		return &plistValue{kind: plistString, text: content}, true
	case "true", "false":
		return &plistValue{kind: plistBoolean, text: booleanText(name == "true")}, noSpace.Replace(content) == ""
	case "integer":
		text, ok := integerText(content)
		return &plistValue{kind: plistInteger, text: text}, ok
	case "real":
		f, err := strconv.ParseFloat(content, 64)
		return &plistValue{kind: plistReal, text: realText(f)}, err == nil && plistXMLReal.MatchString(content)
	case "date":
		t, err := time.Parse(time.RFC3339, content)
		return &plistValue{kind: plistDate, text: t.Format(time.RFC3339Nano)}, err == nil && plistXMLDate.MatchString(content)
	case "data":
		data, err := base64.StdEncoding.DecodeString(noSpace.Replace(content))
		return &plistValue{kind: plistData, text: hex.EncodeToString(data)}, err == nil
	}
	return nil, false
}

// realText is the shortest decimal that is read back as the same number; "NaN", "+Inf" or "-Inf" for what is none.
func realText(f float64) string {
	if math.IsNaN(f) {
		return "NaN"
	}
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// scalar implements plistFile.
func (f *plistXML) scalar(kind plistKind, text string) (*plistValue, error) {
	v := &plistValue{kind: kind, text: text}
	switch {
	case kind == plistString:
		encoded, err := encodeText(text)
		if err != nil {
			return nil, err
		}
		v.raw = []byte("<string>" + encoded + "</string>")
	case kind == plistInteger:
		v.raw = []byte("<integer>" + text + "</integer>")
	case text == "1":
		v.raw = []byte("<true/>")
	default:
		v.raw = []byte("<false/>")
	}
	return v, nil
}

// encodeText returns text as it can stand in an element.
func encodeText(text string) (string, error) {
	for i, r := range text {
		if !isCharacter(r) {
			return "", fmt.Errorf("%w: it has at byte %d a character that XML 1.0 excludes", ErrValue, i)
		}
	}
	return textEscapes.Replace(text), nil
}
