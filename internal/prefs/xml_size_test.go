package prefs_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// shapes are the largest documents that are read, each large in another way.
var shapes = []struct {
	name  string
	build func(size int) string
}{
	{"100000Attributes", func(size int) string { return manyAttributes(size, size/100_000-len(` n000000=""`)) }},
	{"240000Attributes", func(size int) string { return manyAttributes(size, max(0, size/240_000-len(` n000000=""`))) }},
	{"OneValue", func(size int) string {
		return `<Preferences PlexOnlineToken="made-up" a="` + fill(size-60, "x") + `"/>`
	}},
	{"OneValueOfReferences", func(size int) string {
		return `<Preferences PlexOnlineToken="made-up" a="` + fill(size-60, "&#xA;") + `"/>`
	}},
	{"Children", func(size int) string {
		return `<Preferences PlexOnlineToken="made-up">` + fill(size-80, `<Setting id="a" value="b"/>`+strings.Repeat("\n", 180)) + `</Preferences>`
	}},
	{"WhiteSpace", func(size int) string { return `<Preferences` + fill(size-60, " \r\n") + ` PlexOnlineToken="made-up"/>` }},
	{"Comments", func(size int) string {
		return fill(size-60, "<!-- -"+strings.Repeat(" ", 60)+"-->") + `<Preferences PlexOnlineToken="made-up"/>`
	}},
}

func fill(size int, with string) string { return strings.Repeat(with, size/len(with)) }

func manyAttributes(size, value int) string {
	var b strings.Builder
	b.Grow(size)
	b.WriteString(`<Preferences PlexOnlineToken="made-up"`)
	filling := strings.Repeat("v", value)
	for i := 0; b.Len() < size-value-40; i++ {
		fmt.Fprintf(&b, ` n%06d="%s"`, i, filling)
	}
	b.WriteString(`/>`)
	return b.String()
}

// A quadratic step anywhere would take minutes here; the limit leaves room for a slow machine and the race detector.
func TestReadingAndEditingAreLinear(t *testing.T) {
	for _, shape := range shapes {
		t.Run(shape.name, func(t *testing.T) {
			start := time.Now()
			x := parse(t, shape.build(prefs.MaxSize/8))
			if err := x.Delete(prefs.BindingKeys()...); err != nil {
				t.Fatal(err)
			}
			if _, bound := prefs.ReadBinding(x); bound {
				t.Error("it is still bound")
			}
			if took := time.Since(start); took > 30*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func BenchmarkParseXML(b *testing.B) {
	for _, shape := range shapes {
		data := []byte(shape.build(prefs.MaxSize))
		b.Run(shape.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := prefs.ParseXML(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkDelete(b *testing.B) {
	benchmarkEdit(b, func(x *prefs.XML) error { return x.Delete(prefs.BindingKeys()...) })
}

func BenchmarkSet(b *testing.B) {
	benchmarkEdit(b, func(x *prefs.XML) error { return x.Set(prefs.KeyToken, "made-up & longer") })
}

func benchmarkEdit(b *testing.B, edit func(*prefs.XML) error) {
	// Shorter than MaxSize, so that there is room for a longer value.
	for _, shape := range shapes[:3] {
		data := shape.build(prefs.MaxSize - 100)
		b.Run(shape.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				b.StopTimer()
				x := parse(b, data)
				b.StartTimer()
				if err := edit(x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
