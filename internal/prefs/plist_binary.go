package prefs

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"howett.net/plist"
)

const (
	plistMagic = "bplist00"

	plistTrailerSize = 32 // bytes
)

// plistBinary is a binary property list, which consists of plistMagic, objects, a table of where each object starts, and a trailer.
// Containers refer to objects by their number in the table, several perhaps to the same one.
type plistBinary struct {
	trailer plistTrailer
	objects []plistObject // by number
	root    *plistValue
	tidy    bool // every object is part of the list, and there is nothing between them
}

// plistTrailer is the end of a binary property list, which says how to read it.
type plistTrailer struct {
	unused     [6]byte // five bytes without a meaning and the version of the sort order, of which Apple's writer makes no use
	offsetSize int     // bytes of each entry of the table
	refSize    int     // bytes of each reference to an object
	top        int     // number of the root
	table      int     // offset of the table
}

// plistObject is one object. Those that are not part of the list have no value: what is at their place is never read.
type plistObject struct {
	value *plistValue
	from  int    // offset in the file
	raw   []byte // the object, for a container without its references
	refs  []int  // of a container: what it contains; a dictionary's keys first, then its values

	height  int // how deep containers are nested in it, itself included
	values  int // how many values it consists of, itself included, each as often as it is referred to
	length  int // how many bytes these have
	reading bool
}

// size is how long the object is, in bytes.
func (o *plistObject) size(refSize int) int { return len(o.raw) + len(o.refs)*refSize }

// plistBinaryReader walks over the objects, from the root on.
type plistBinaryReader struct {
	plistTrailer
	data    []byte
	objects []plistObject
	total   int // bytes of all objects that were read
}

func readPlistBinary(data []byte) (plistFile, error) {
	r := &plistBinaryReader{data: data}
	if err := r.readTrailer(); err != nil {
		return nil, err
	}
	top, err := r.object(r.top, 1)
	if err != nil {
		return nil, err
	}
	if top.value.kind != plistDictionary {
		return nil, refuse(ErrWrongRoot, data, top.from, "it is of type "+string(top.value.kind))
	}
	return &plistBinary{trailer: r.plistTrailer, objects: r.objects, root: top.value, tidy: r.isTidy()}, nil
}

// readTrailer reads the trailer and the table. A list that was cut off has something else where its trailer would be, which is taken for one
// only if the table that it tells of ends where it starts.
func (r *plistBinaryReader) readTrailer() error {
	start := len(r.data) - plistTrailerSize
	if start < len(plistMagic)+2 {
		return refuse(ErrTruncated, r.data, len(r.data), "it has no room for an object and a trailer")
	}
	t := r.data[start:]
	count, top, table := binary.BigEndian.Uint64(t[8:]), binary.BigEndian.Uint64(t[16:]), binary.BigEndian.Uint64(t[24:])
	r.offsetSize, r.refSize = int(t[6]), int(t[7])
	length := uint64(start) // not negative
	if table <= uint64(len(plistMagic)) || table >= length || r.offsetSize < 1 || r.offsetSize > 8 || count == 0 || count > length ||
		table+count*uint64(r.offsetSize) != length {
		return refuse(ErrTruncated, r.data, start, "what should be the trailer does not tell of the table before it")
	}
	if top >= count || r.refSize < 1 || r.refSize > 4 || bytesFor(count-1) > r.refSize || bytesFor(table) > r.offsetSize {
		return refuse(ErrNotPropertyList, r.data, start, "the trailer contradicts itself")
	}
	if count > maxPlistValues {
		return refuse(ErrTooLarge, r.data, start, "there are too many objects")
	}
	copy(r.unused[:], t)
	r.top, r.table = int(top), int(table) //nolint:gosec // both are less than MaxSize
	r.objects = make([]plistObject, count)
	for i := range r.objects {
		at := r.table + i*r.offsetSize
		from := bigEndian(r.data[at : at+r.offsetSize])
		if from < uint64(len(plistMagic)) || from >= table {
			return refuse(ErrNotPropertyList, r.data, at, "the table has an object that is not before it")
		}
		r.objects[i].from = int(from) //nolint:gosec // it is less than MaxSize
	}
	return nil
}

// object reads one object and, once each, those that it contains. The recursion is bounded by the depth.
func (r *plistBinaryReader) object(number, depth int) (*plistObject, error) {
	o := &r.objects[number]
	switch {
	case o.reading:
		return nil, refuse(ErrNotPropertyList, r.data, o.from, "a container contains itself")
	case depth > maxPlistDepth:
		return nil, r.tooDeep(o)
	case o.value != nil:
		return o, nil
	}
	o.reading = true
	defer func() { o.reading = false }()
	marker, head, count, err := r.head(o.from)
	if err != nil {
		return nil, err
	}
	if marker == markerArray || marker == markerDictionary {
		err = r.container(o, head, count, depth)
	} else {
		err = r.scalarObject(o, marker, head, count)
	}
	if err != nil {
		return nil, err
	}
	// Objects that overlap could together be much longer than the file.
	if r.total += o.size(r.refSize); r.total > MaxSize {
		return nil, refuse(ErrTooLarge, r.data, o.from, "its objects are together larger than what is read")
	}
	return o, nil
}

func (r *plistBinaryReader) tooDeep(o *plistObject) error {
	return refuse(ErrTooLarge, r.data, o.from, "containers are nested too deep, or contain too much")
}

// container reads the references of an array or a dictionary, and what they refer to.
func (r *plistBinaryReader) container(o *plistObject, head, count, depth int) error {
	v := &plistValue{kind: plistArray}
	refs := count
	if r.data[o.from]&0xF0 == markerDictionary {
		v.kind = plistDictionary
		refs = 2 * count
	}
	switch {
	case refs > (r.table-head)/r.refSize:
		return r.beyond(o.from)
	case refs > maxPlistValues:
		return r.tooDeep(o)
	}
	o.raw, o.refs = r.data[o.from:head], make([]int, refs)
	o.height, o.values, o.length = 1, 1, len(o.raw)
	for i := range o.refs {
		at := head + i*r.refSize
		ref := bigEndian(r.data[at : at+r.refSize])
		if ref >= uint64(len(r.objects)) {
			return refuse(ErrNotPropertyList, r.data, at, "a container refers to an object that does not exist")
		}
		o.refs[i] = int(ref) //nolint:gosec // it is less than the number of objects
		child, err := r.object(o.refs[i], depth+1)
		if err != nil {
			return err
		}
		o.height, o.values, o.length = max(o.height, child.height+1), o.values+child.values, o.length+child.length
		if o.height > maxPlistDepth || o.values > maxPlistValues || o.length > MaxSize {
			return r.tooDeep(o)
		}
		if v.kind == plistArray || i >= count {
			v.items = append(v.items, child.value)
		} else if v.keys, err = r.key(v.keys, child, at); err != nil {
			return err
		}
	}
	if err := r.unique(v.keys, o.from); err != nil {
		return err
	}
	o.value = v
	return nil
}

func (r *plistBinaryReader) key(keys []string, o *plistObject, at int) ([]string, error) {
	if o.value.kind != plistString {
		return nil, refuse(ErrNotPropertyList, r.data, at, "a dictionary has a key that is no string")
	}
	return append(keys, o.value.text), nil
}

func (r *plistBinaryReader) unique(keys []string, at int) error {
	seen := make(map[string]struct{}, len(keys))
	for _, key := range keys {
		if _, twice := seen[key]; twice {
			return refuse(ErrDuplicate, r.data, at, "a dictionary has the same key twice")
		}
		seen[key] = struct{}{}
	}
	return nil
}

func (r *plistBinaryReader) beyond(at int) error {
	return refuse(ErrNotPropertyList, r.data, at, "an object does not end before the table")
}

func (r *plistBinaryReader) unknown(at int) error {
	return refuse(ErrNotPropertyList, r.data, at, fmt.Sprintf("an object has a type that is not known (%#02x)", r.data[at]))
}

// isTidy reports whether the objects stand one after another, from the first byte to the table, and all of them are part of the list.
func (r *plistBinaryReader) isTidy() bool {
	at := len(plistMagic)
	for i := range r.objects {
		o := &r.objects[i]
		if o.value == nil || o.from != at {
			return false
		}
		at += o.size(r.refSize)
	}
	return at == r.table
}

func (f *plistBinary) dictionary() *plistValue { return f.root }

func (f *plistBinary) format() int { return plist.BinaryFormat }

// bigEndian reads an unsigned integer of one to eight bytes.
func bigEndian(b []byte) uint64 {
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n
}

// bytesFor is how many bytes an unsigned integer needs.
func bytesFor(n uint64) int { return max(1, (bits.Len64(n)+7)/8) }
