package prefs_test

import (
	"slices"
	"strings"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"pgregory.net/rapid"
)

// regGenerated is an export made of parts, so that a test can say what its bytes are with a part left out or replaced.
type regGenerated struct {
	head, tail, eol string
	values          []regPart
}

// regPart is the lines of one value: what stands before its right side, that, the rest of the line, and what they mean.
type regPart struct{ before, right, after, name, value string }

func (p regPart) text() string { return p.before + p.right + p.after }

// text is the document without the named values.
func (g regGenerated) text(without ...string) string {
	var b strings.Builder
	b.WriteString(g.head)
	for _, p := range g.values {
		if !slices.ContainsFunc(without, func(name string) bool { return strings.EqualFold(name, p.name) }) {
			b.WriteString(p.text())
		}
	}
	b.WriteString(g.tail)
	return b.String()
}

func (g regGenerated) names() []string {
	var names []string
	for _, p := range g.values {
		names = append(names, p.name)
	}
	return names
}

var (
	regBlanks = rapid.SampledFrom([]string{"", "", "", " ", "\t", " \t "})

	// regNames collide in part and, but for their case, never in whole.
	regNames = rapid.OneOf(
		rapid.SampledFrom([]string{
			prefs.KeyHome, prefs.KeyMail, prefs.KeyToken, prefs.KeyUsername, "xPlexOnlineToken", "PlexOnlineTokenOld", "PlexOnline",
			"plexonlinetoken", "", "@", "a", "A", "[a]", `"`, `\`, "=", ";", "a=", `a"="b`,
		}),
		rapid.StringMatching(`[ -~]{0,8}`),
		rapid.StringOfN(rapid.RuneFrom([]rune("ab居🎬\u0085\u2028\ufeffÄ")), 1, 5, -1),
	)

	// regPieces are ways to write something in a text, and what it means.
	regPieces = []struct{ raw, means string }{
		{"a", "a"}, {"PlexOnlineToken", "PlexOnlineToken"}, {" ", " "}, {"居", "居"}, {"🎬", "🎬"}, {"\ufeff", "\ufeff"}, {"'", "'"}, {"\t", "\t"},
		{`\"`, `"`}, {`\\`, `\`}, {";", ";"}, {"]", "]"}, {"=", "="}, {"=-", "=-"}, {"\r\n", "\r\n"}, {"\n", "\n"}, {"[HKEY_CURRENT_USER", "[HKEY_CURRENT_USER"},
		{"dword:1", "dword:1"}, {",\\\\", `,\`},
	}

	// regRights are right sides of other types, with line ends as \n.
	regRights = []struct{ raw, means string }{
		{"dword:0000000a", "10"}, {"dword:F", "15"}, {"hex:", ""}, {"hex:0,1", "0001"}, {"hex:00,\\\n  01,\\\n\t02", "000102"}, {"hex: 00 , 01", "0001"},
		{"hex(1):61,00,\\\n  00,00", "a"}, {"hex(2):25,00,00,00", "%"}, {"hex(7):61,00,00,00,00,00", `["a"]`}, {"hex(b):1,0,0,0,0,0,0,0", "1"},
		{"hex(0):", ""}, {"hex(4):01", "01"}, {"hex(1):61", "61"}, {"hex(ffffffff):\\\n01", "01"},
	}

	regTails = rapid.SampledFrom([]string{
		"", "\n", "; comment\n", "\n\n", "; \"PlexOnlineToken\"=\"kept\"", "\n[" + regKey + "\\Sub]\n\"PlexOnlineToken\"=\"kept\"\n",
		"\n[" + regKey + "\\Sub]\n@=hex:00,\\\n  01\n\n[" + regKey + "\\Sub\\]]\n\"\\n\"=\"\\0\"\n",
	})

	// regWritable is text that a REG_SZ can hold.
	regWritable = rapid.StringOf(rapid.RuneFrom([]rune("ab\\\"'=;[]@-\t\n\r\x00 居🎬\u0085\u2028\ufeff\ufffd")))
)

var regDocuments = rapid.Custom(func(t *rapid.T) regGenerated {
	g := regGenerated{eol: rapid.SampledFrom([]string{"\r\n", "\n"}).Draw(t, "line end")}
	lines := func(text string) string { return strings.ReplaceAll(text, "\n", g.eol) }
	g.head = lines("Windows Registry Editor Version 5.00\n" + rapid.SampledFrom([]string{"", "\n", "; \"a\"=\"b\"\n\n"}).Draw(t, "head") + "[" + regKey + "]\n")
	g.tail = lines(regTails.Draw(t, "tail"))
	for _, name := range rapid.SliceOfNDistinct(regNames, 0, 8, strings.ToLower).Draw(t, "names") {
		p := regPart{name: name}
		left := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
		if name == "" && rapid.Bool().Draw(t, "at") {
			left = "@"
		}
		p.before = regBlanks.Draw(t, "blank") + left + regBlanks.Draw(t, "blank") + "=" + regBlanks.Draw(t, "blank")
		if i := rapid.IntRange(-2*len(regRights), len(regRights)-1).Draw(t, "right"); i >= 0 {
			p.right, p.value = lines(regRights[i].raw), regRights[i].means
		} else {
			p.right = `"`
			for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(regPieces)-1), 0, 6).Draw(t, "pieces") {
				p.right, p.value = p.right+regPieces[i].raw, p.value+regPieces[i].means
			}
			p.right += `"`
		}
		p.after = rapid.SampledFrom([]string{"", "", " ", " ; comment", ";\"", "\t"}).Draw(t, "after") + g.eol
		g.values = append(g.values, p)
	}
	return g
})
