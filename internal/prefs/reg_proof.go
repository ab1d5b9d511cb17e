package prefs

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// How an edit of a registry export is known to be right.
//
// As in xml_proof.go there are two readings, which share no code below the encoding of a single value: the scanner says where to cut, and
// the reader here, made of regular expressions over lines, says what the bytes mean. Every document must mean the same to both. After
// every edit this reader must see the values that were meant, in their order, and every other line of the old document as it was.

// regReading is the second reading of an export.
type regReading struct {
	key    string
	values []RegistryValue
	lines  []string // of the values, as they are written
	other  []string // every other line of the document, in order, that of the key too
}

var (
	// A line that gives a name a value, with its continuations.
	valueLine = regexp.MustCompile(`^[ \t]*(?:@|"((?:[^"\\\r\n]|\\[^\r\n])*)")[ \t]*=[ \t]*` +
		`(?:"((?:[^"\\]|\\[^\r\n])*)"|dword:([[:xdigit:]]{1,8})|hex(?:\(([[:xdigit:]]+)\))?:((?:[[:xdigit:], \t]|\\[ \t]*(?:\r\n|\r|\n))*))` +
		`[ \t]*(?:;[^\r\n]*)?(?:\r\n|\r|\n|$)`)
	keyLine    = regexp.MustCompile(`^[ \t]*\[(.*)\]`)
	octet      = regexp.MustCompile(`[[:xdigit:]]+`)
	unquoteReg = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n", `\r`, "\r")
)

// Halves of surrogate pairs stand for themselves in a reading, moved to where no character is that a single code unit can be.
const surrogates = 0x100000

// readReg reads an export. What it cannot read is among the other lines, where checkAgreement misses it.
func readReg(data []byte) regReading {
	ansi := bytes.HasPrefix(data, []byte(regHeader4))
	rest := runesOf(data, ansi)
	var reading regReading
	keys := 0
	for rest != "" {
		value := valueLine.FindStringSubmatchIndex(rest)
		if keys == 0 || value == nil {
			line := firstLine(rest)
			if key := keyLine.FindStringSubmatch(line); key != nil {
				if keys++; keys == 1 {
					reading.key = joined(key[1])
				}
			}
			reading.other, rest = append(reading.other, line), rest[len(line):]
			continue
		}
		line := rest[:value[1]]
		if keys == 1 {
			group := func(i int) string { return rest[max(0, value[2*i]):max(0, value[2*i+1])] }
			reading.values = append(reading.values, readRegValue(group, value[4] >= 0, ansi))
			reading.lines = append(reading.lines, line)
		} else {
			reading.other = append(reading.other, line)
		}
		rest = rest[len(line):]
	}
	return reading
}

// firstLine is the first line of a text that is not empty, with its end.
func firstLine(text string) string {
	at := strings.IndexAny(text, "\r\n")
	switch {
	case at < 0:
		return text
	case strings.HasPrefix(text[at:], "\r\n"):
		return text[:at+2]
	default:
		return text[:at+1]
	}
}

// readRegValue decodes the groups of valueLine.
func readRegValue(group func(int) string, quoted, ansi bool) RegistryValue {
	v := RegistryValue{Name: unquoteReg.Replace(joined(group(1)))}
	switch number, err := strconv.ParseUint(group(3), 16, 32); {
	case quoted:
		v.Type, v.Data = regSZ, wide(unquoteReg.Replace(joined(group(2)))+"\x00")
	case err == nil:
		v.Type, v.Data = regDWORD, binary.LittleEndian.AppendUint32(nil, uint32(number))
	default:
		v.Type = regBinary
		if kind, err := strconv.ParseUint(group(4), 16, 32); err == nil {
			v.Type = uint32(kind)
		}
		var text strings.Builder
		for _, digits := range octet.FindAllString(group(5), -1) {
			n, _ := strconv.ParseUint(digits, 16, 8) // at most 255; two digits, or the scanner has refused it
			v.Data = append(v.Data, byte(n))
			text.WriteRune(rune(n))
		}
		if ansi && (v.Type == regSZ || v.Type == regExpandSZ || v.Type == regMultiSZ) {
			v.Data = wide(text.String())
		}
	}
	return v
}

// runesOf has one rune for each unit of the document, so that no unit is lost that is not text.
func runesOf(data []byte, ansi bool) string {
	var b strings.Builder
	width := 2
	if ansi {
		width = 1
	}
	for unit := range slices.Chunk(data, width) {
		r := rune(unit[0])
		if len(unit) == 2 {
			r |= rune(unit[1]) << 8
		}
		if r >= 0xd800 && r <= 0xdfff {
			r += surrogates
		}
		b.WriteRune(r)
	}
	return b.String()
}

// joined puts the halves of surrogate pairs together again.
func joined(text string) string {
	var b strings.Builder
	high := rune(0)
	for _, r := range text {
		switch {
		case r >= surrogates+0xd800 && r < surrogates+0xdc00:
			high = r - surrogates - 0xd800
			continue
		case r >= surrogates+0xdc00:
			r = 0x10000 + high<<10 + r - surrogates - 0xdc00
		}
		b.WriteRune(r)
	}
	return b.String()
}

// wide is text as UTF-16LE.
func wide(text string) []byte {
	var data []byte
	for _, r := range text {
		if r >= 0x10000 {
			r -= 0x10000
			data = binary.LittleEndian.AppendUint16(data, uint16(0xd800+r>>10)) //nolint:gosec // the first half of a surrogate pair
			r = 0xdc00 + r&0x3ff
		}
		data = binary.LittleEndian.AppendUint16(data, uint16(r))
	}
	return data
}

// checkAgreement reports whether the scanner and the second reader see the same key, with the same values.
func (r *Registry) checkAgreement() error {
	if r.second.key != r.layout.key || len(r.second.values) != len(r.layout.entries) {
		return fmt.Errorf("%w: a second reader sees another key", ErrNotRegistry)
	}
	for i, entry := range r.layout.entries {
		if !entry.equal(r.second.values[i]) {
			return fmt.Errorf("%w: a second reader sees another value %d", ErrNotRegistry, i+1)
		}
	}
	return nil
}

// proveRegEdit reports whether after is before with exactly the wanted values. An error wraps ErrUnproven.
func proveRegEdit(before, after regReading, want []RegistryValue) error {
	if len(after.values) != len(want) {
		return fmt.Errorf("%w: it has %d settings instead of %d", ErrUnproven, len(after.values), len(want))
	}
	was := make(map[string]int, len(before.values))
	for i, v := range before.values {
		was[v.Name] = i
	}
	for i, v := range after.values {
		if !v.equal(want[i]) {
			return fmt.Errorf("%w: setting %d is not the one intended", ErrUnproven, i+1)
		}
		if old, ok := was[v.Name]; ok && v.equal(before.values[old]) && before.lines[old] != after.lines[i] {
			return fmt.Errorf("%w: setting %d is written in another way", ErrUnproven, i+1)
		}
	}
	if !slices.Equal(before.other, after.other) {
		return fmt.Errorf("%w: something other than a setting has changed", ErrUnproven)
	}
	return nil
}
