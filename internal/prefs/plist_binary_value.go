package prefs

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/big"
	"strconv"
	"time"
)

// The upper half of an object's first byte is its type, the lower half a count or a size.
const (
	markerFixed      = 0x00
	markerInteger    = 0x10
	markerReal       = 0x20
	markerDate       = 0x30
	markerData       = 0x40
	markerASCII      = 0x50
	markerUTF16      = 0x60
	markerUID        = 0x80
	markerArray      = 0xA0
	markerDictionary = 0xD0

	markerFalse = 0x08
	markerTrue  = 0x09

	manyItems = 0x0F // the count does not fit: it follows, as an integer object
)

// plistEpoch is what dates are counted from, in seconds.
var plistEpoch = time.Date(2001, time.January, 1, 0, 0, 0, 0, time.UTC)

// head reads the first byte of an object and, if it has one, the count after it. It returns where the content starts.
func (r *plistBinaryReader) head(from int) (marker byte, content, count int, err error) {
	marker, count, content = r.data[from]&0xF0, int(r.data[from]&0x0F), from+1
	counted := marker == markerData || marker == markerASCII || marker == markerUTF16 || marker == markerArray || marker == markerDictionary
	if !counted || count != manyItems {
		return marker, content, count, nil
	}
	if content >= r.table {
		return 0, 0, 0, r.beyond(from)
	}
	size := 1 << (r.data[content] & 0x0F)
	if r.data[content]&0xF0 != markerInteger || size > 8 {
		return 0, 0, 0, r.unknown(content)
	}
	content++
	if content+size > r.table {
		return 0, 0, 0, r.beyond(from)
	}
	n := bigEndian(r.data[content : content+size])
	if n > MaxSize {
		return 0, 0, 0, r.beyond(from)
	}
	return marker, content + size, int(n), nil // it is at most MaxSize
}

// scalarObject reads an object that contains no others.
func (r *plistBinaryReader) scalarObject(o *plistObject, marker byte, content, count int) error {
	size := count
	switch marker {
	case markerFixed:
		size = 0
	case markerInteger, markerReal, markerDate:
		if count > 4 {
			return r.unknown(o.from)
		}
		size = 1 << count
	case markerUTF16:
		size = 2 * count
	case markerUID:
		size = count + 1
	}
	if size > r.table-content {
		return r.beyond(o.from)
	}
	kind, text, ok := binaryScalar(r.data[o.from], r.data[content:content+size])
	switch {
	case kind == "":
		return r.unknown(o.from)
	case !ok:
		return refuse(ErrNotPropertyList, r.data, o.from, "this is no value of type "+string(kind))
	}
	o.raw = r.data[o.from : content+size]
	o.value = &plistValue{kind: kind, text: text, raw: o.raw}
	o.values, o.length = 1, len(o.raw)
	return nil
}

// binaryScalar returns what an object means. The kind is "" if there is no such type.
func binaryScalar(first byte, content []byte) (kind plistKind, text string, ok bool) {
	switch {
	case first == markerFalse, first == markerTrue:
		return plistBoolean, booleanText(first == markerTrue), true
	case first&0xF0 == markerInteger:
		text, ok = binaryInteger(content)
		return plistInteger, text, ok
	case first == markerReal|2:
		return plistReal, realText(float64(math.Float32frombits(binary.BigEndian.Uint32(content)))), true
	case first == markerReal|3:
		return plistReal, realText(math.Float64frombits(binary.BigEndian.Uint64(content))), true
	case first == markerDate|3:
		return plistDate, dateText(math.Float64frombits(binary.BigEndian.Uint64(content))), true
	case first&0xF0 == markerData:
		return plistData, hex.EncodeToString(content), true
	case first&0xF0 == markerASCII:
		return plistString, string(content), isASCII(string(content))
	case first&0xF0 == markerUTF16:
		text, ok = decodeUTF16(utf16Units(content, binary.BigEndian))
		return plistString, text, ok
	case first&0xF0 == markerUID && len(content) <= 8:
		return plistUID, strconv.FormatUint(bigEndian(content), 10), true
	}
	return "", "", false
}

// binaryInteger reads an integer of 1, 2, 4, 8 or 16 bytes: those of up to 4 bytes have no sign, the others are two's complement. It is not
// ok if it is not one from -2^63 to 2^64-1.
func binaryInteger(content []byte) (text string, ok bool) {
	n := new(big.Int).SetBytes(content)
	if bits := uint(8 * len(content)); bits >= 64 && n.Bit(int(bits)-1) == 1 { // it is at most 128
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), bits))
	}
	return n.String(), n.IsInt64() || n.IsUint64()
}

// dateText is the date by RFC 3339, in nanoseconds; or the number of seconds since 2001 for one that this does not tell exactly: what is no
// date of the years 0 to 9999, or differs by less than a nanosecond.
func dateText(seconds float64) string {
	whole, fraction := math.Modf(seconds)
	if math.Abs(whole) < 1<<40 { // some 35000 years
		nanoseconds := math.Round(fraction * 1e9)
		date := time.Unix(plistEpoch.Unix()+int64(whole), int64(nanoseconds)).UTC()
		if whole+nanoseconds/1e9 == seconds && date.Year() >= 0 && date.Year() <= 9999 {
			return date.Format(time.RFC3339Nano)
		}
	}
	return "2001-01-01T00:00:00Z + " + realText(seconds) + "s"
}
