package prefs

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
	"strings"
)

// How a binary list is edited.
//
// The edit is one of the root's references. What is written then are the objects that the root still leads to, each as it was, in the order
// of their numbers: so a value that was deleted is gone unless something else has it too, and so is whatever else nothing referred to.
// Numbers and offsets are made anew, and with them the references in containers; nothing else of an object changes.

// with implements plistFile.
func (f *plistBinary) with(position int, name string, value *plistValue) ([]byte, error) {
	objects := slices.Clone(f.objects)
	root := &objects[f.trailer.top]
	count := len(root.refs) / 2
	keys, values := slices.Clone(root.refs[:count]), slices.Clone(root.refs[count:])
	if position == count {
		key, err := f.scalar(plistString, name)
		if err != nil {
			return nil, err
		}
		keys, values = append(keys, len(objects)), append(values, 0)
		objects = append(objects, plistObject{raw: key.raw})
	}
	values[position] = len(objects)
	objects = append(objects, plistObject{raw: value.raw})
	return f.write(objects, keys, values), nil
}

// without implements plistFile.
func (f *plistBinary) without(doomed map[int]bool) ([]byte, error) {
	root := f.objects[f.trailer.top]
	count := len(root.refs) / 2
	var keys, values []int
	for i := range count {
		if !doomed[i] {
			keys, values = append(keys, root.refs[i]), append(values, root.refs[count+i])
		}
	}
	return f.write(slices.Clone(f.objects), keys, values), nil
}

// write returns the list of these objects with a root of these keys and values.
func (f *plistBinary) write(objects []plistObject, keys, values []int) []byte {
	root := &objects[f.trailer.top]
	if 2*len(keys) != len(root.refs) {
		root.raw = countedHead(markerDictionary, len(keys))
	}
	root.refs = slices.Concat(keys, values)

	order, numbers := reachable(objects, f.trailer.top)
	t := f.trailer
	// Neither gets smaller than it was: that would be a change that nobody asked for, and some writer's reason is not known.
	t.refSize = max(t.refSize, bytesFor(uint64(len(order)-1))) //nolint:gosec // it is not negative: the root is in it
	t.table = len(plistMagic)
	for _, old := range order {
		t.table += objects[old].size(t.refSize)
	}
	t.offsetSize = max(t.offsetSize, bytesFor(uint64(t.table))) //nolint:gosec // it is not negative

	data := append(make([]byte, 0, t.table+len(order)*t.offsetSize+plistTrailerSize), plistMagic...)
	offsets := make([]int, len(order))
	for i, old := range order {
		offsets[i] = len(data)
		data = append(data, objects[old].raw...)
		for _, ref := range objects[old].refs {
			data = appendBigEndian(data, numbers[ref], t.refSize)
		}
	}
	for _, offset := range offsets {
		data = appendBigEndian(data, offset, t.offsetSize)
	}
	data = append(data, t.unused[:]...)
	data = append(data, byte(t.offsetSize), byte(t.refSize)) //nolint:gosec // both are at most 8
	data = appendBigEndian(data, len(order), 8)
	data = appendBigEndian(data, numbers[t.top], 8)
	return appendBigEndian(data, t.table, 8)
}

// reachable returns the old numbers of the objects that top leads to, in their order, and the new number for each old one.
func reachable(objects []plistObject, top int) (order, numbers []int) {
	found := make([]bool, len(objects))
	found[top] = true
	for pending := []int{top}; len(pending) > 0; {
		last := len(pending) - 1
		refs := objects[pending[last]].refs
		pending = pending[:last]
		for _, ref := range refs {
			if !found[ref] {
				found[ref] = true
				pending = append(pending, ref)
			}
		}
	}
	numbers = make([]int, len(objects))
	for old := range objects {
		if found[old] {
			numbers[old] = len(order)
			order = append(order, old)
		}
	}
	return order, numbers
}

// keeps implements plistFile. All that a binary list has beside its settings is what the writer of the trailer put there; and an edited one
// must have nothing that is not part of the list, since that could be what was deleted.
func (f *plistBinary) keeps(before plistFile) bool {
	old, ok := before.(*plistBinary)
	return ok && f.tidy && f.trailer.unused == old.trailer.unused
}

// scalar implements plistFile.
func (f *plistBinary) scalar(kind plistKind, text string) (*plistValue, error) {
	v := &plistValue{kind: kind, text: text}
	switch {
	case kind == plistString && isASCII(text):
		v.raw = append(countedHead(markerASCII, len(text)), text...)
	case kind == plistString:
		units := encodeUTF16(text)
		v.raw = countedHead(markerUTF16, len(units))
		for _, unit := range units {
			v.raw = binary.BigEndian.AppendUint16(v.raw, unit)
		}
	case kind == plistInteger:
		v.raw = integerObject(text)
	case text == "1":
		v.raw = []byte{markerTrue}
	default:
		v.raw = []byte{markerFalse}
	}
	return v, nil
}

// integerObject is the object for an integer from -2^63 to 2^64-1 in decimal: without a sign in 1, 2 or 4 bytes, with one in 8, and in 16
// what is larger, as Apple's writer does it.
func integerObject(decimal string) []byte {
	if strings.HasPrefix(decimal, "-") {
		n, _ := strconv.ParseInt(decimal, 10, 64)
		return binary.BigEndian.AppendUint64([]byte{markerInteger | 3}, uint64(n)) //nolint:gosec // two's complement is meant
	}
	n, _ := strconv.ParseUint(decimal, 10, 64)
	switch size := bytesFor(n); {
	case n > 1<<63-1:
		return binary.BigEndian.AppendUint64(append([]byte{markerInteger | 4}, make([]byte, 8)...), n)
	case size > 4:
		return binary.BigEndian.AppendUint64([]byte{markerInteger | 3}, n)
	default:
		power := bits.Len(uint(size - 1))                                             // it is 1 to 4
		return appendBigEndian([]byte{markerInteger | byte(power)}, int(n), 1<<power) //nolint:gosec // at most 2, and at most 4 bytes
	}
}

// countedHead is the start of an object that says how much it contains.
func countedHead(marker byte, count int) []byte {
	if count < manyItems {
		return []byte{marker | byte(count)} //nolint:gosec // fewer than 15
	}
	return append([]byte{marker | manyItems}, integerObject(strconv.Itoa(count))...)
}

// appendBigEndian appends an integer that is not negative in this many bytes, of which it needs no more.
func appendBigEndian(b []byte, n, size int) []byte {
	for shift := 8 * (size - 1); shift >= 0; shift -= 8 {
		b = append(b, byte(n>>shift)) //nolint:gosec // the lowest byte is meant
	}
	return b
}
