package prefs_test

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"howett.net/plist"
	"pgregory.net/rapid"
)

// plistPart is one setting of a generated list in XML: the text that a deletion cuts, an aside after it, and what it means.
type plistPart struct{ text, aside, name, value string }

// plistXMLDocument is a generated list in XML.
type plistXMLDocument struct {
	head, tail string
	parts      []plistPart
}

// text is the document without the named settings.
func (d plistXMLDocument) text(without ...string) string {
	var b strings.Builder
	b.WriteString(d.head)
	for _, p := range d.parts {
		if !slices.Contains(without, p.name) {
			b.WriteString(p.text)
		}
		b.WriteString(p.aside)
	}
	b.WriteString(d.tail)
	return b.String()
}

func (d plistXMLDocument) names() []string {
	var names []string
	for _, p := range d.parts {
		names = append(names, p.name)
	}
	return names
}

// plistNames collide in part and never in whole.
var plistNames = rapid.OneOf(names, rapid.SampledFrom([]string{"NSWindow Frame", "<key>", "a&b", "居間 🎬", " ", "CF$UID"}))

// plistElements are values as they are written, and what they mean.
var plistElements = rapid.OneOf(
	rapid.SampledFrom([]struct{ raw, means string }{
		{"<true/>", "1"}, {"<false></false>", "0"}, {"<integer>-5</integer>", "-5"}, {"<integer>0xff</integer>", "255"}, {"<real>1.50</real>", "1.5"},
		{"<real>nan</real>", "NaN"}, {"<date>0001-01-01T00:00:00Z</date>", "0001-01-01T00:00:00Z"}, {"<data>\n\tAQI=\n</data>", "0102"},
		{"<array><string>x</string><!-- y --><dict/></array>", `["x", {}]`}, {"<dict><key>PlexOnlineToken</key><true/></dict>", `{"PlexOnlineToken": boolean(1)}`},
		{"<string/>", ""}, {"<string>a<![CDATA[<&>\r\n]]>b</string>", "a<&>\nb"}, {"<string>&#13;&#x1F3AC;&quot;</string>", "\r🎬\""},
	}),
	rapid.Map(writable, func(s string) struct{ raw, means string } {
		return struct{ raw, means string }{"<string>" + strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#13;").Replace(s) + "</string>", s}
	}),
	rapid.Map(rapid.SliceOf(rapid.Byte()), func(data []byte) struct{ raw, means string } {
		return struct{ raw, means string }{"<data>" + base64.StdEncoding.EncodeToString(data) + "</data>", fmt.Sprintf("%x", data)}
	}),
)

var plistXMLDocuments = rapid.Custom(func(t *rapid.T) plistXMLDocument {
	d := plistXMLDocument{
		head: rapid.SampledFrom([]string{
			"<plist><dict>", "\ufeff<plist version='1.0'>\n<dict>", "<?xml version=\"1.0\"?>\r\n<!DOCTYPE plist SYSTEM 'x'><!-- <dict> --><plist>\r\n<dict a='>'>", "<plist><?p?><dict ><!-- c -->",
		}).Draw(t, "head"),
		tail: rapid.SampledFrom([]string{"</dict></plist>", "\n</dict>\n</plist>\n", "<!-- </dict> --></dict ></plist ><!-- e -->", "<?p?></dict>\r\n</plist>\r\n<?p?>"}).Draw(t, "tail"),
	}
	for _, name := range rapid.SliceOfNDistinct(plistNames, 0, 6, rapid.ID).Draw(t, "names") {
		value := plistElements.Draw(t, "value")
		key := "<key>" + strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(name) + "</key>"
		d.parts = append(d.parts, plistPart{
			text:  gaps.Draw(t, "gap") + key + gaps.Draw(t, "gap") + value.raw,
			aside: rapid.SampledFrom([]string{"", "", "<!-- aside -->", "\n\t<?aside?>"}).Draw(t, "aside"), name: name, value: value.means,
		})
	}
	return d
})

func parseGeneratedPlist(t *rapid.T, data []byte) *prefs.PropertyList {
	p, err := prefs.ParsePropertyList(data)
	if err != nil {
		t.Fatalf("ParsePropertyList: %v\n%q", err, data)
	}
	return p
}

func TestPropertyAnXMLPlistSaysWhatItsPartsMean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := plistXMLDocuments.Draw(t, "document")
		p := parseGeneratedPlist(t, []byte(d.text()))
		if got := string(p.Bytes()); got != d.text() {
			t.Errorf("the bytes became %q", got)
		}
		if !slices.Equal(p.Names(), d.names()) {
			t.Errorf("names are %q, want %q", p.Names(), d.names())
		}
		for _, part := range d.parts {
			if got, ok := p.Get(part.name); got != part.value || !ok {
				t.Errorf("Get(%q) = %q %t, want %q", part.name, got, ok, part.value)
			}
		}
	})
}

func TestPropertyDeleteOfAnXMLPlistThenParseIsParseWithout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := plistXMLDocuments.Draw(t, "document")
		doomed := rapid.SliceOf(rapid.SampledFrom(append(d.names(), "absent"))).Draw(t, "doomed")
		p := parseGeneratedPlist(t, []byte(d.text()))
		if err := p.Delete(doomed...); err != nil {
			t.Fatal(err)
		}
		if got, want := string(p.Bytes()), d.text(doomed...); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

// binaryPlists are lists as howett.net/plist writes them.
var binaryPlists = rapid.Custom(func(t *rapid.T) map[string]any {
	scalar := rapid.OneOf(
		rapid.Map(rapid.String(), func(s string) any { return s }), rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Uint64(), func(n uint64) any { return n }), rapid.Map(rapid.Int64Range(-1<<63, -1), func(n int64) any { return n }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) any { return b }),
	)
	value := rapid.OneOf(scalar, scalar, rapid.Map(rapid.SliceOf(scalar), func(s []any) any { return s }),
		rapid.Map(rapid.MapOfN(plistNames, scalar, 0, 4), func(m map[string]any) any { return m }))
	return rapid.MapOfN(plistNames, value, 0, 40).Draw(t, "settings")
})

func TestPropertyEditsOfABinaryPlistLeaveAllElseAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		written := binaryPlists.Draw(t, "list")
		data, err := plist.Marshal(written, plist.BinaryFormat)
		if err != nil {
			t.Fatal(err)
		}
		var want map[string]any
		if _, err := plist.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		p := parseGeneratedPlist(t, data)
		order := p.Names()
		doomed := rapid.SliceOf(rapid.SampledFrom(append(p.Names(), "absent"))).Draw(t, "doomed")
		if err := p.Delete(doomed...); err != nil {
			t.Fatal(err)
		}
		for _, name := range doomed {
			delete(want, name)
			order = slices.DeleteFunc(order, func(other string) bool { return other == name })
		}
		name, value := "new setting", rapid.String().Draw(t, "value")
		if err := p.Set(name, value); err != nil {
			t.Fatal(err)
		}
		want[name] = value
		var got map[string]any
		if format, err := plist.Unmarshal(p.Bytes(), &got); err != nil || format != plist.BinaryFormat || !sameValues(got, want) {
			t.Errorf("another reader sees %#v (format %d, %v), want %#v", got, format, err, want)
		}
		if order = append(order, name); !slices.Equal(p.Names(), order) {
			t.Errorf("names are %q, want %q", p.Names(), order)
		}
	})
}

func TestPropertyNoErrorOfAPlistShowsAValue(t *testing.T) {
	for _, s := range plistCorpus(t) {
		if !strings.Contains(string(s.data), "made-up-secret") {
			continue
		}
		rapid.Check(t, func(t *rapid.T) {
			damaged := slices.Clone(s.data)
			for range rapid.IntRange(1, 3).Draw(t, "times") {
				at := rapid.IntRange(0, len(damaged)-1).Draw(t, "at")
				patch := rapid.SampledFrom([]string{"", " ", `"`, "<", ">", "/", "&", ";", "=", "{", "}", "\x00", "\xff", "a", "\x5f", "\xd3", "\xa1"}).Draw(t, "patch")
				keep := rapid.IntRange(0, 1).Draw(t, "keep") // insert or replace
				damaged = slices.Concat(damaged[:at], []byte(patch), damaged[at+1-keep:])
			}
			p, err := prefs.ParsePropertyList(damaged)
			if err == nil {
				err = p.Set(prefs.KeyHome, "made-up-secret")
			}
			if err != nil && strings.Contains(fmt.Sprintf("%+v", err), "made-up-secret") {
				t.Errorf("%q: %v", damaged, err)
			}
		})
	}
}
