package prefs_test

import (
	"slices"
	"strings"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"pgregory.net/rapid"
)

// generated is a document made of parts, so that a test can say what its bytes are with a part left out or replaced.
type generated struct {
	head, tail string
	attrs      []part
}

// part is one attribute: the text before its value (white space, name, equals sign, opening quote), its value as written, the quote that
// closes it, and what they mean.
type part struct{ before, raw, quote, name, value string }

func (p part) text() string { return p.before + p.raw + p.quote }

// text is the document without the named attributes.
func (g generated) text(without ...string) string {
	var b strings.Builder
	b.WriteString(g.head)
	for _, p := range g.attrs {
		if !slices.Contains(without, p.name) {
			b.WriteString(p.text())
		}
	}
	b.WriteString(g.tail)
	return b.String()
}

func (g generated) names() []string {
	var names []string
	for _, p := range g.attrs {
		names = append(names, p.name)
	}
	return names
}

var (
	spaces = rapid.SampledFrom([]string{" ", "  ", "\n", "\r\n", "\t", "\r", " \n\t"})
	gaps   = rapid.SampledFrom([]string{"", "", "", " ", "\n", "\r\n\t"})

	// names collide in part and never in whole.
	names = rapid.OneOf(
		rapid.SampledFrom([]string{
			prefs.KeyHome, prefs.KeyMail, prefs.KeyToken, prefs.KeyUsername, "xPlexOnlineToken", "PlexOnlineTokenOld", "PlexOnline",
			"MachineIdentifier", "ProcessedMachineIdentifier", "AnonymousMachineIdentifier", "FriendlyName", "a", "A", "aa",
		}),
		rapid.StringMatching(`[A-Za-z_][A-Za-z0-9_.\-]{0,12}`),
		rapid.StringMatching(`[à-ö一-三][à-ö一-三0-9.]{0,4}`),
	).Filter(func(name string) bool { return name != "xmlns" })

	// pieces are ways to write something in a value, and what it means.
	pieces = []struct{ raw, means string }{
		{"a", "a"}, {"PlexOnlineToken", "PlexOnlineToken"}, {" ", " "}, {"/>", "/>"}, {">", ">"}, {"=", "="}, {"居", "居"}, {"🎬", "🎬"},
		{"-->", "-->"}, {"]]>", "]]>"}, {"\t", " "}, {"\n", " "}, {"\r", " "}, {"\r\n", " "}, {"\n\r", "  "},
		{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", `"`}, {"&apos;", "'"},
		{"&#9;", "\t"}, {"&#xA;", "\n"}, {"&#13;", "\r"}, {"&#x0000d;&#10;", "\r\n"}, {"&#32;", " "}, {"&#x1F3ac;", "🎬"}, {"&#38;amp;", "&amp;"},
	}

	heads = rapid.SampledFrom([]string{
		"", "\ufeff", "\n", "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n", "\ufeff<?xml version='1.0' encoding='UTF-8'?>\r\n",
		"<!-- <Preferences a=\"1\"/> -->", "<?pi a=\"1\"?>\n",
	})
	tails = rapid.SampledFrom([]string{
		"/>", "/>\n", " />", "\r\n/>\r\n", "></Preferences>", " >\n</Preferences\n>\n", "/><!-- a=\"1\" -->\n", "/>\n<?pi?>",
		`><Preferences a="1" PlexOnlineToken="kept"/>text &amp; <![CDATA[<a b="c">]]></Preferences>`,
	})

	// writable is text that XML can hold.
	writable = rapid.StringOf(rapid.RuneFrom([]rune("ab&<>\"'\t\n\r ;#x/=居🎬\u0085\u2028\ufffd")))
)

var documents = rapid.Custom(func(t *rapid.T) generated {
	g := generated{head: heads.Draw(t, "head") + "<Preferences", tail: tails.Draw(t, "tail")}
	for _, name := range rapid.SliceOfNDistinct(names, 0, 8, rapid.ID).Draw(t, "names") {
		quote := rapid.SampledFrom([]string{`"`, `'`}).Draw(t, "quote")
		p := part{name: name, quote: quote}
		p.before = spaces.Draw(t, "space") + name + gaps.Draw(t, "gap") + "=" + gaps.Draw(t, "gap") + quote
		last := ""
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(pieces)), 0, 6).Draw(t, "pieces") {
			raw, means := "'", "'" // the quote that needs no escape here
			if quote == "'" {
				raw, means = `"`, `"`
			}
			if i < len(pieces) {
				raw, means = pieces[i].raw, pieces[i].means
			}
			if strings.HasSuffix(last, "\r") && strings.HasPrefix(raw, "\n") {
				continue // together they would be one line end
			}
			p.raw, p.value, last = p.raw+raw, p.value+means, raw
		}
		g.attrs = append(g.attrs, p)
	}
	return g
})
