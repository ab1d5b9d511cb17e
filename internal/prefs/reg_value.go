package prefs

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The types of registry values that have a text of their own. The numbers are those of winnt.h.
const (
	regSZ       = 1  // UTF-16LE text, with a NUL at its end unless a program forgot it
	regExpandSZ = 2  // the same, with %variables% in it
	regBinary   = 3  // bytes
	regDWORD    = 4  // 32 bits, little endian
	regMultiSZ  = 7  // texts, each with a NUL at its end, and one NUL more
	regQWORD    = 11 // 64 bits, little endian
)

// regKinds are the names of the types that a server is known to use, or could.
var regKinds = map[uint32]string{
	regSZ: "REG_SZ", regExpandSZ: "REG_EXPAND_SZ", regBinary: "REG_BINARY", regDWORD: "REG_DWORD", regMultiSZ: "REG_MULTI_SZ", regQWORD: "REG_QWORD",
}

// maxRegName is the longest name of a registry value, in UTF-16 code units.
const maxRegName = 16383

// RegistryValue is one value of a registry key, as the registry holds it.
type RegistryValue struct {
	Name string // "" is the key's default value
	Type uint32 // REG_SZ is 1, REG_DWORD 4; any number can be there
	Data []byte // texts are UTF-16LE
}

// Format implements [fmt.Formatter] for every verb, so that nothing that formats a value can show its data.
func (v RegistryValue) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, fmt.Sprintf("prefs.RegistryValue{%q, %s, %d bytes}", v.Name, v.kind(), len(v.Data)))
}

// kind names the type of the value, and says if the data is not what the type promises.
func (v RegistryValue) kind() string {
	if _, fits := v.fitting(); !fits {
		return regKind(v.Type) + ", malformed"
	}
	return regKind(v.Type)
}

// regKind names a type.
func regKind(kind uint32) string {
	if name, ok := regKinds[kind]; ok {
		return name
	}
	return fmt.Sprintf("registry type %d", kind)
}

// text is the value as a [Document] shows it: text as it is, a number in decimal, several texts as a JSON array. Of all other types, and
// where the data is not what the type promises, it is the data in hexadecimal.
func (v RegistryValue) text() string {
	if text, fits := v.fitting(); fits {
		return text
	}
	return hex.EncodeToString(v.Data)
}

// fitting is text, and whether the data is what the type promises.
func (v RegistryValue) fitting() (text string, fits bool) {
	switch v.Type {
	case regSZ, regExpandSZ:
		units := utf16Units(v.Data, binary.LittleEndian)
		if n := len(units); n > 0 && units[n-1] == 0 {
			units = units[:n-1]
		}
		text, fits = decodeUTF16(units)
		return text, fits && len(v.Data)%2 == 0
	case regMultiSZ:
		return multiText(v.Data)
	case regDWORD:
		if len(v.Data) != 4 {
			return "", false
		}
		return strconv.FormatUint(uint64(binary.LittleEndian.Uint32(v.Data)), 10), true
	case regQWORD:
		if len(v.Data) != 8 {
			return "", false
		}
		return strconv.FormatUint(binary.LittleEndian.Uint64(v.Data), 10), true
	default:
		return hex.EncodeToString(v.Data), true
	}
}

// multiText is the texts of a REG_MULTI_SZ as a JSON array, which no two lists have in common.
func multiText(data []byte) (text string, fits bool) {
	list, ok := decodeUTF16(utf16Units(data, binary.LittleEndian))
	if !ok || len(data)%2 != 0 || !strings.HasSuffix(list, "\x00") {
		return "", false
	}
	list = strings.TrimSuffix(list, "\x00")
	texts := []string{}
	for list != "" {
		one, rest, ended := strings.Cut(list, "\x00")
		if one == "" || !ended {
			return "", false
		}
		texts, list = append(texts, one), rest
	}
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(texts); err != nil {
		return "", false
	}
	return strings.TrimSuffix(b.String(), "\n"), true
}

// regData is the data of a value of type kind that a [Document] shows as text. It fails where the type cannot hold the text, and for types
// that this package only reads.
func regData(kind uint32, text string) (data []byte, ok bool) {
	switch kind {
	case regSZ, regExpandSZ:
		return utf16ToBytes(append(encodeUTF16(text), 0)), utf8.ValidString(text)
	case regDWORD:
		n, err := strconv.ParseUint(text, 10, 32)
		return binary.LittleEndian.AppendUint32(nil, uint32(n)), err == nil && strconv.FormatUint(n, 10) == text
	case regQWORD:
		n, err := strconv.ParseUint(text, 10, 64)
		return binary.LittleEndian.AppendUint64(nil, n), err == nil && strconv.FormatUint(n, 10) == text
	default:
		return nil, false
	}
}

// equal reports whether two values are the same to the byte.
func (v RegistryValue) equal(other RegistryValue) bool {
	return v.Name == other.Name && v.Type == other.Type && slices.Equal(v.Data, other.Data)
}

// foldName is what Windows compares of two names of values or keys, for ASCII letters. Windows folds other letters as well, by a table of
// its own; names that differ only in those are taken for two here.
func foldName(name string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, name)
}

// checkRegName reports whether an export can hold name in quotes, and the registry at all.
func checkRegName(name string, ansi bool) error {
	switch {
	case !utf8.ValidString(name), strings.ContainsAny(name, "\x00\r\n"), len(encodeUTF16(name)) > maxRegName:
		return fmt.Errorf("%w: %.80q cannot be the name of a registry value in an export", ErrValue, name)
	case ansi && !isASCII(name):
		return fmt.Errorf("%w: the name %.80q, in REGEDIT4", ErrValue, name)
	}
	return nil
}
