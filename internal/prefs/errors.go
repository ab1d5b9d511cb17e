package prefs

import (
	"bytes"
	"errors"
	"fmt"
)

// MaxSize is the largest document that is read or written, in bytes. Real ones have a few thousand.
const MaxSize = 16 << 20

// Why a document is refused. Every error of this package wraps exactly one of these.
//
// ErrEmpty and ErrTruncated are apart from ErrNotXML because they have one known cause: the server truncates its preferences before it
// writes them, so a server that is killed as it stops leaves an empty or a short file (plex-facts.md section 4). The others are documents
// that this package did not expect to meet and therefore does not touch.
var (
	ErrEmpty     = errors.New("the preferences are empty")
	ErrTruncated = errors.New("the preferences end too early")
	ErrNotXML    = errors.New("the preferences are not well-formed XML")
	ErrWrongRoot = errors.New("the root is not that of preferences")
	ErrDuplicate = errors.New("a name occurs twice")
	ErrDoctype   = errors.New("the preferences contain a document type or entity declaration")
	ErrEncoding  = errors.New("the preferences are not in the encoding of their format")
	ErrTooLarge  = errors.New("the preferences are too large")
	ErrValue     = errors.New("the preferences cannot hold this")
	ErrUnproven  = errors.New("the edited preferences do not read back as intended")

	ErrNotPropertyList = errors.New("the preferences are not a property list")
	ErrReadOnly        = errors.New("the preferences are in a format that is only read")
	ErrNotRegistry     = errors.New("the preferences are not the export of one registry key")
	ErrNoKey           = errors.New("the registry export has no key") // only its header
)

// refuse wraps kind with the place of the fault. The detail must not quote the document: where quoting has gone wrong, anything may be
// a piece of a value.
func refuse(kind error, data []byte, offset int, detail string) error {
	line := 1 + bytes.Count(data[:offset], []byte("\n"))
	return fmt.Errorf("%w: line %d, byte offset %d: %s", kind, line, offset, detail)
}
