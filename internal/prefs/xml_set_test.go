package prefs_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

func TestSet(t *testing.T) {
	for _, c := range []struct{ name, before, key, value, after string }{
		{"replaces in place", `<Preferences a="1" b="2" c="3"/>`, "b", "x", `<Preferences a="1" b="x" c="3"/>`},
		{"keeps single quotes", `<Preferences a='1' b="2"/>`, "a", "x", `<Preferences a='x' b="2"/>`},
		{"keeps the layout", "<Preferences\r\n  a = \"1\"\r\n  b='2' />\r\n", "a", "x", "<Preferences\r\n  a = \"x\"\r\n  b='2' />\r\n"},
		{"fills an empty value", `<Preferences a=""/>`, "a", "x", `<Preferences a="x"/>`},
		{"empties a value and keeps the name", `<Preferences a="1"/>`, "a", "", `<Preferences a=""/>`},
		{"appends after the last", `<Preferences a='1'/>`, "b", "x", `<Preferences a='1' b="x"/>`},
		{"appends before the space at the end", "<Preferences a=\"1\"\n/>", "b", "x", "<Preferences a=\"1\" b=\"x\"\n/>"},
		{"appends to none", `<Preferences/>`, "b", "x", `<Preferences b="x"/>`},
		{"appends to none, with a space", `<Preferences />`, "b", "x", `<Preferences b="x" />`},
		{"appends to the root and not to a child", `<Preferences><c a="1"/></Preferences>`, "b", "x", `<Preferences b="x"><c a="1"/></Preferences>`},
		{"sets the root's and not a child's", `<Preferences b="1"><c b="1"/></Preferences>`, "b", "x", `<Preferences b="x"><c b="1"/></Preferences>`},
		{"is not misled by a tag end in a value", `<Preferences a="/>"/>`, "b", "/>", `<Preferences a="/>" b="/&gt;"/>`},
		{"whole names", `<Preferences xb="1" bx="2"/>`, "b", "x", `<Preferences xb="1" bx="2" b="x"/>`},
		{"case counts", `<Preferences B="1"/>`, "b", "x", `<Preferences B="1" b="x"/>`},
		{"writes markup and both quotes as entities", `<Preferences/>`, "b", `&<>"'`, `<Preferences b="&amp;&lt;&gt;&quot;&apos;"/>`},
		{"escapes what is already an entity", `<Preferences/>`, "b", `&amp;&#65;`, `<Preferences b="&amp;amp;&amp;#65;"/>`},
		{"writes line breaks as references", `<Preferences b='1'/>`, "b", "1\t2\n3\r4\r\n5", `<Preferences b='1&#x9;2&#xA;3&#xD;4&#xD;&#xA;5'/>`},
		{"keeps spaces", `<Preferences/>`, "b", "  x  ", `<Preferences b="  x  "/>`},
		{"writes other scripts as they are", `<Preferences/>`, "b", "Höhle 居間 🎬\u0085\u2028\ufffd", "<Preferences b=\"Höhle 居間 🎬\u0085\u2028\ufffd\"/>"},
		{"leaves a value that is already the same as it is written", `<Preferences a="&#65;&gt;>&#x20;" b="2"/>`, "a", "A>> ", `<Preferences a="&#65;&gt;>&#x20;" b="2"/>`},
		{"takes a name of another script", `<Preferences/>`, "Größe", "1", `<Preferences Größe="1"/>`},
		{"takes a dotted name", `<Preferences/>`, "agentAutoEnabled.com.example-1_x", "1", `<Preferences agentAutoEnabled.com.example-1_x="1"/>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := parse(t, c.before)
			if err := x.Set(c.key, c.value); err != nil {
				t.Fatal(err)
			}
			if got := string(x.Bytes()); got != c.after {
				t.Errorf("got  %q\nwant %q", got, c.after)
			}
			if got, ok := x.Get(c.key); got != c.value || !ok {
				t.Errorf("Get = %q %t, want %q", got, ok, c.value)
			}
		})
	}
}

func TestEditsBuildOnEachOther(t *testing.T) {
	x := parse(t, `<Preferences a="1" PlexOnlineToken="" b="2"/>`)
	for _, err := range []error{
		x.Delete(prefs.BindingKeys()...),
		x.Set(prefs.KeyToken, "made-up"),
		x.Set("a", "one"),
		x.Delete("b"),
		x.Set(prefs.KeyToken, "made-up & longer"),
		x.Set("b", "two"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	const want = `<Preferences a="one" PlexOnlineToken="made-up &amp; longer" b="two"/>`
	if got := string(x.Bytes()); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestSetRefusesWhatXMLCannotHold(t *testing.T) {
	const original = `<Preferences a="1" x:y="2"/>`
	for _, c := range []struct{ name, key, value string }{
		{"NUL", "a", "made-up-secret\x00"},
		{"bell", "a", "made-up-secret\x07"},
		{"escape", "b", "\x1bmade-up-secret"},
		{"U+FFFE", "a", "made-up-secret\ufffe"},
		{"U+FFFF", "b", "made-up-secret\uffff"},
		{"invalid UTF-8", "a", "made-up-secret\xff"},
		{"half a character", "a", "made-up-secret\xe5\xb1"},
		{"encoded surrogate", "a", "made-up-secret\xed\xa0\xbd"},
		{"no name", "", "made-up-secret"},
		{"name with a space", "a b", "made-up-secret"},
		{"name with a quote", `a="1" b`, "made-up-secret"},
		{"name with an equals sign", "a=", "made-up-secret"},
		{"name that starts with a digit", "1a", "made-up-secret"},
		{"name that starts with a hyphen", "-a", "made-up-secret"},
		{"name that starts with a combining mark", "\u0301a", "made-up-secret"},
		{"name with markup", "a<", "made-up-secret"},
		{"name with a slash", "a/", "made-up-secret"},
		{"name with a sign", "a×", "made-up-secret"},
		{"name with a no-break space", "a\u00a0", "made-up-secret"},
		{"name that is not UTF-8", "a\xff", "made-up-secret"},
		{"name that only the fifth edition of XML 1.0 allows", "\U00010000", "made-up-secret"},
		{"prefixed name", "b:c", "made-up-secret"},
		{"prefixed name that is there", "x:y", "made-up-secret"},
		{"namespace", "xmlns", "made-up-secret"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := parse(t, original)
			err := x.Set(c.key, c.value)
			if !errors.Is(err, prefs.ErrValue) {
				t.Errorf("Set(%q) = %v, want ErrValue", c.key, err)
			} else if strings.Contains(err.Error(), "made-up-secret") {
				t.Errorf("the error has the value: %v", err)
			}
			if got := string(x.Bytes()); got != original {
				t.Errorf("it changed the document to %q", got)
			}
		})
	}
}

func TestSetRefusesToGrowADocumentBeyondWhatIsRead(t *testing.T) {
	x := parse(t, `<Preferences a="1"/>`)
	fits := strings.Repeat("x", largest-len(x.Bytes())-len(` b=""`))
	if err := x.Set("b", fits+"x"); !errors.Is(err, prefs.ErrTooLarge) {
		t.Errorf("one byte too many: %v, want ErrTooLarge", err)
	}
	if got := len(x.Bytes()); got != len(`<Preferences a="1"/>`) {
		t.Errorf("the refused edit left %d bytes", got)
	}
	if err := x.Set("b", fits); err != nil {
		t.Errorf("what fits exactly: %v", err)
	}
}
