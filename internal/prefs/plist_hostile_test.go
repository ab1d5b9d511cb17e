package prefs_test

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// binaryPlist is a binary list, with references of 2 bytes and offsets of 4, that is put together from objects of which each may start
// anywhere, also within another.
type binaryPlist struct {
	body    []byte // what follows the mark
	offsets []int  // of each object, in the file
}

// object adds an object and returns its number.
func (b *binaryPlist) object(head string, refs ...int) int {
	b.offsets = append(b.offsets, len("bplist00")+len(b.body))
	b.body = append(b.body, head...)
	for _, ref := range refs {
		b.body = binary.BigEndian.AppendUint16(b.body, uint16(ref))
	}
	return len(b.offsets) - 1
}

// list is the file, whose root is the dictionary {"a": value}.
func (b *binaryPlist) list(value int) []byte {
	key := b.object("\x51a")
	root := b.object("\xd1", key, value)
	data := append([]byte("bplist00"), b.body...)
	table := len(data)
	for _, offset := range b.offsets {
		data = binary.BigEndian.AppendUint32(data, uint32(offset))
	}
	data = append(data, 0, 0, 0, 0, 0, 0, 4, 2)
	for _, n := range []int{len(b.offsets), root, table} {
		data = binary.BigEndian.AppendUint64(data, uint64(n))
	}
	return data
}

// A binary list may say far more than it has bytes for, since objects can be shared and can overlap.
func TestBinaryPlistsThatSayMoreThanTheyHoldAreLimited(t *testing.T) {
	doubling := func(levels int) []byte {
		var b binaryPlist
		value := b.object("\x09")
		for range levels {
			value = b.object("\xa2", value, value)
		}
		return b.list(value)
	}
	chain := func(b *binaryPlist, end, levels int) int {
		for range levels {
			end = b.object("\xa1", end)
		}
		return end
	}
	for _, c := range []struct {
		name   string
		build  func() []byte
		detail string // "" if the list is within the bounds
	}{
		{"values", func() []byte { return doubling(16) }, ""},
		{"too many values", func() []byte { return doubling(18) }, "contain too much"},
		{"values beyond counting", func() []byte { return doubling(100) }, "contain too much"},
		{"depth", func() []byte { var b binaryPlist; return b.list(chain(&b, b.object("\xa0"), 126)) }, ""},
		{"too much depth", func() []byte { var b binaryPlist; return b.list(chain(&b, b.object("\xa0"), 127)) }, "nested too deep"},
		{"too much depth by way of what was read before", func() []byte {
			var b binaryPlist
			lower := chain(&b, b.object("\xa0"), 100)
			return b.list(b.object("\xa2", lower, chain(&b, lower, 100)))
		}, "nested too deep"},
		{"bytes of what overlaps", func() []byte {
			const size = 1 << 20
			var b binaryPlist
			b.body = []byte(strings.Repeat("\x4f\x12\x00\x00\x00\x00", 40) + strings.Repeat("x", size))
			for i := range 40 {
				at := i * 6
				binary.BigEndian.PutUint32(b.body[at+2:], uint32(39*6-at+size))
				b.offsets = append(b.offsets, len("bplist00")+at)
			}
			value := b.object("\x09")
			for i := range 40 { // one in each container, so that none of them has too many bytes by itself
				value = b.object("\xa2", i, value)
			}
			return b.list(value)
		}, "together larger"},
		{"bytes of what is shared", func() []byte {
			var b binaryPlist
			data := b.object("\x4f\x12\x00\x10\x00\x00" + strings.Repeat("x", 1<<20))
			value := b.object("\xae", data, data, data, data, data, data, data, data, data, data, data, data, data, data)
			return b.list(b.object("\xa2", value, value))
		}, "contain too much"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := prefs.ParsePropertyList(c.build())
			if c.detail == "" {
				if err != nil {
					t.Fatal(err)
				}
				if err := p.Set("b", "x"); err != nil {
					t.Error(err)
				}
				return
			}
			checkPlistError(t, err, prefs.ErrTooLarge)
			if err != nil && !strings.Contains(err.Error(), c.detail) {
				t.Errorf("%v, want %q", err, c.detail)
			}
		})
	}
}

func TestTheNumberOfObjectsOfABinaryPlistIsLimited(t *testing.T) {
	var b binaryPlist
	for range 260_000 {
		b.offsets = append(b.offsets, len("bplist00"))
	}
	b.object("\x09")
	data := b.list(0)
	data[len(data)-25] = 3 // references of 3 bytes; it does not come to reading one
	_, err := prefs.ParsePropertyList(data)
	checkPlistError(t, err, prefs.ErrTooLarge)
	if err != nil && !strings.Contains(err.Error(), "too many objects") {
		t.Errorf("%v", err)
	}
}
