package prefs

import "fmt"

// Format is how a platform stores its preferences. The zero value is that of Linux and everything like it.
type Format int

// The formats of design.md section 1.
const (
	FormatXML          Format = iota // Preferences.xml
	FormatPropertyList               // macOS: the user defaults com.plexapp.plexmediaserver
	FormatRegistry                   // Windows: the export of a registry key
)

// Parse reads a document of this format. Errors are those of [ParseXML], [ParsePropertyList] and [ParseRegistry].
func (f Format) Parse(data []byte) (Document, error) {
	switch f {
	case FormatXML:
		return orNil(ParseXML(data))
	case FormatPropertyList:
		return orNil(ParsePropertyList(data))
	case FormatRegistry:
		return orNil(ParseRegistry(data))
	default:
		return nil, fmt.Errorf("format %d is not one of this package", int(f))
	}
}

// orNil keeps a nil pointer from becoming an interface that is not nil.
func orNil[D Document](document D, err error) (Document, error) {
	if err != nil {
		return nil, err
	}
	return document, nil
}
