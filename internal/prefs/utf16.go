package prefs

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// utf16Units reads UTF-16 in this byte order, without the last byte if it is half of a unit.
func utf16Units(data []byte, order binary.ByteOrder) []uint16 {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return units
}

// decodeUTF16 is [utf16.Decode] that refuses what it would replace: half of a surrogate pair.
func decodeUTF16(units []uint16) (text string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(units); i++ {
		r := rune(units[i])
		if utf16.IsSurrogate(r) {
			if i+1 == len(units) {
				return "", false
			}
			i++
			if r = utf16.DecodeRune(r, rune(units[i])); r == utf8.RuneError {
				return "", false
			}
		}
		b.WriteRune(r)
	}
	return b.String(), true
}

func encodeUTF16(text string) []uint16 { return utf16.Encode([]rune(text)) }

func isASCII(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf })
}
