package prefs

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

// The two forms of a registry export. The header line names the form, and each has one encoding.
const (
	regHeader5 = "Windows Registry Editor Version 5.00" // UTF-16LE with a byte order mark
	regHeader4 = "REGEDIT4"                             // 8-bit, in a code page that the file does not name
)

// regText is a registry export as units: UTF-16 code units in version 5, bytes in REGEDIT4. Both ways are lossless, also for what is not
// text, so an edit keeps every other line as it was. In version 5 the first unit is the byte order mark.
type regText struct {
	units []uint16
	ansi  bool // REGEDIT4
}

// readRegText tells the form by the first bytes.
func readRegText(data []byte) (regText, error) {
	switch {
	case len(data) == 0:
		return regText{}, ErrEmpty
	case bytes.HasPrefix(data, []byte(regHeader4)):
		return regText{widen(data), true}, nil
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		if len(data)%2 != 0 {
			return regText{}, fmt.Errorf("%w: %d bytes are not a whole number of UTF-16 code units", ErrTruncated, len(data))
		}
		return regText{utf16Units(data, binary.LittleEndian), false}, nil
	case strings.HasPrefix(regHeader4, string(data)), len(data) == 1 && data[0] == 0xff:
		return regText{}, fmt.Errorf("%w: within the header", ErrTruncated)
	case bytes.HasPrefix(data, []byte(regHeader5)), bytes.HasPrefix(data, []byte{0xfe, 0xff}), bytes.HasPrefix(data, []byte{0xef, 0xbb, 0xbf}),
		len(data) > 1 && (data[0] == 0) != (data[1] == 0):
		return regText{}, fmt.Errorf("%w: version 5.00 is UTF-16LE with a byte order mark, REGEDIT4 is 8-bit without one", ErrEncoding)
	default:
		return regText{}, fmt.Errorf("%w: it has neither of the two headers", ErrNotRegistry)
	}
}

// bytes returns the text in its encoding.
func (t regText) bytes() []byte {
	if !t.ansi {
		return utf16ToBytes(t.units)
	}
	data := make([]byte, len(t.units))
	for i, unit := range t.units {
		data[i] = byte(unit) //nolint:gosec // each was made from one byte
	}
	return data
}

// text decodes units[from:to]. It fails on a surrogate that has no other half, and on a character of a code page that is not known.
func (t regText) text(from, to int) (text string, ok bool) {
	if t.ansi {
		return asciiText(t.units[from:to])
	}
	return decodeUTF16(t.units[from:to])
}

func asciiText(units []uint16) (text string, ok bool) {
	var b strings.Builder
	for _, unit := range units {
		if unit >= utf8.RuneSelf {
			return "", false
		}
		b.WriteByte(byte(unit))
	}
	return b.String(), true
}

func widen(data []byte) []uint16 {
	units := make([]uint16, len(data))
	for i, b := range data {
		units[i] = uint16(b)
	}
	return units
}

func utf16ToBytes(units []uint16) []byte {
	data := make([]byte, 0, 2*len(units))
	for _, unit := range units {
		data = binary.LittleEndian.AppendUint16(data, unit)
	}
	return data
}
