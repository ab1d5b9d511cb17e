package prefs

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// maxRegColumn is where regedit breaks a line of hexadecimal data, the comma and the backslash included.
const maxRegColumn = 80

// quoteReg escapes what stands between quotes. regedit knows these two escapes and no others.
var quoteReg = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// regLeft is the left side of a value's line, with the equals sign.
func regLeft(name string) string {
	if name == "" {
		return "@="
	}
	return `"` + quoteReg.Replace(name) + `"=`
}

// regLineOf is the line of a value, with its end.
func regLineOf(v RegistryValue, ansi bool, eol string) string {
	left := regLeft(v.Name)
	return left + regRight(v, ansi, len(encodeUTF16(left)), eol) + eol
}

// regRight is the right side of a value's line, which begins in this column (counted from 0). The data of texts must be ASCII for REGEDIT4,
// which writes them in 8 bits.
func regRight(v RegistryValue, ansi bool, column int, eol string) string {
	if text, ok := v.quotable(); ok {
		return `"` + quoteReg.Replace(text) + `"`
	}
	if v.Type == regDWORD && len(v.Data) == 4 {
		return fmt.Sprintf("dword:%08x", binary.LittleEndian.Uint32(v.Data))
	}
	data, tag := v.Data, "hex:"
	if ansi && isRegText(v.Type) {
		data = regText{utf16Units(data, binary.LittleEndian), true}.bytes()
	}
	if v.Type != regBinary {
		tag = fmt.Sprintf("hex(%x):", v.Type)
	}
	return regHex(tag, data, column, eol)
}

// quotable returns the text that an import of it in quotes makes into the same data.
func (v RegistryValue) quotable() (text string, ok bool) {
	text, fits := v.fitting()
	if v.Type != regSZ || !fits || strings.ContainsAny(text, "\x00\r\n") {
		return "", false
	}
	return text, slices.Equal(utf16ToBytes(append(encodeUTF16(text), 0)), v.Data)
}

// isRegText reports whether data of this type is text, which is 8-bit in REGEDIT4 and UTF-16LE in version 5.00, also in hexadecimal.
func isRegText(kind uint32) bool { return kind == regSZ || kind == regExpandSZ || kind == regMultiSZ }

func regHex(tag string, data []byte, column int, eol string) string {
	var b strings.Builder
	b.WriteString(tag)
	column += len(tag)
	for i, octet := range data {
		if column+len(`00,\`) > maxRegColumn {
			b.WriteString(`\` + eol + "  ")
			column = 2
		}
		fmt.Fprintf(&b, "%02x", octet)
		if i < len(data)-1 {
			b.WriteByte(',')
		}
		column += len("00,")
	}
	return b.String()
}
