package prefs_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

func TestPlistSetInXML(t *testing.T) {
	const head, tail = "<plist version=\"1.0\">\n<dict>\n", "</dict>\n</plist>\n"
	for _, c := range []struct{ name, before, key, value, after string }{
		{"replaces in place", "\t<key>a</key>\n\t<string>1</string>\n\t<key>b</key>\n\t<true/>\n", "a", "x", "\t<key>a</key>\n\t<string>x</string>\n\t<key>b</key>\n\t<true/>\n"},
		{"keeps a boolean", "\t<key>a</key><true/>\n", "a", "0", "\t<key>a</key><false/>\n"},
		{"keeps a boolean the other way", "\t<key>a</key><false/>\n", "a", "1", "\t<key>a</key><true/>\n"},
		{"keeps an integer", "\t<key>a</key><integer>5</integer>\n", "a", "18446744073709551615", "\t<key>a</key><integer>18446744073709551615</integer>\n"},
		{"keeps a negative integer", "\t<key>a</key><integer>5</integer>\n", "a", "-9223372036854775808", "\t<key>a</key><integer>-9223372036854775808</integer>\n"},
		{"fills an empty string", "\t<key>a</key><string/>\n", "a", "x", "\t<key>a</key><string>x</string>\n"},
		{"empties a string", "\t<key>a</key><string>x</string>\n", "a", "", "\t<key>a</key><string></string>\n"},
		{"appends a string", "\t<key>a</key>\n\t<true/>\n", "b", "1", "\t<key>a</key>\n\t<true/>\n\t<key>b</key>\n\t<string>1</string>\n"},
		{"appends after the last and before a comment", "\t<key>a</key>\n\t<true/>\n\t<!-- c -->\n", "b", "1", "\t<key>a</key>\n\t<true/>\n\t<key>b</key>\n\t<string>1</string>\n\t<!-- c -->\n"},
		{"appends PlexOnlineHome as a boolean", "\t<key>a</key><true/>\n", "PlexOnlineHome", "0", "\t<key>a</key><true/>\n\t<key>PlexOnlineHome</key><false/>\n"},
		{"keeps PlexOnlineHome the string it is", "\t<key>PlexOnlineHome</key><string>1</string>\n", "PlexOnlineHome", "", "\t<key>PlexOnlineHome</key><string></string>\n"},
		{"keeps PlexOnlineHome the integer it is", "\t<key>PlexOnlineHome</key><integer>1</integer>\n", "PlexOnlineHome", "0", "\t<key>PlexOnlineHome</key><integer>0</integer>\n"},
		{"appends to none", "", "a", "1", "\t<key>a</key>\n\t<string>1</string>\n"},
		{"the root's and not a nested one's", "\t<key>d</key><dict><key>b</key><true/></dict>\n", "b", "1", "\t<key>d</key><dict><key>b</key><true/></dict>\n\t<key>b</key><string>1</string>\n"},
		{"case counts", "\t<key>A</key><true/>\n", "a", "1", "\t<key>A</key><true/>\n\t<key>a</key><string>1</string>\n"},
		{"escapes markup and carriage returns", "\t<key>a</key><string/>\n", "a", "<&>\"'\r\n\t]]>", "\t<key>a</key><string>&lt;&amp;&gt;\"'&#xD;\n\t]]&gt;</string>\n"},
		{"escapes a name", "\t<key>a</key><true/>\n", "<&>", "1", "\t<key>a</key><true/>\n\t<key>&lt;&amp;&gt;</key><string>1</string>\n"},
		{"leaves the same value as it is written", "\t<key>a</key><string>&#65;<![CDATA[B]]></string>\n", "a", "AB", "\t<key>a</key><string>&#65;<![CDATA[B]]></string>\n"},
		{"leaves the same integer as it is written", "\t<key>a</key><integer>0x0A</integer>\n", "a", "10", "\t<key>a</key><integer>0x0A</integer>\n"},
		{"leaves the same date as it is", "\t<key>a</key><date>2024-01-01T00:00:00Z</date>\n", "a", "2024-01-01T00:00:00Z", "\t<key>a</key><date>2024-01-01T00:00:00Z</date>\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := parsePlist(t, []byte(head+c.before+tail))
			if err := p.Set(c.key, c.value); err != nil {
				t.Fatal(err)
			}
			if got := string(p.Bytes()); got != head+c.after+tail {
				t.Errorf("got  %q\nwant %q", got, head+c.after+tail)
			}
			if got, ok := p.Get(c.key); got != c.value || !ok {
				t.Errorf("Get = %q %t, want %q", got, ok, c.value)
			}
		})
	}
}

func TestPlistSetInAnEmptyXMLDictionary(t *testing.T) {
	for _, c := range []struct{ before, after string }{
		{"<plist>\n<dict/>\n</plist>\n", "<plist>\n<dict>\n\t<key>a</key>\n\t<string>1</string>\n</dict>\n</plist>\n"},
		{"<plist>\r\n<dict />\r\n</plist>", "<plist>\r\n<dict >\r\n\t<key>a</key>\r\n\t<string>1</string>\r\n</dict>\r\n</plist>"},
		{"<plist><dict/></plist>", "<plist><dict><key>a</key><string>1</string></dict></plist>"},
		{"<plist><dict></dict></plist>", "<plist><dict><key>a</key><string>1</string></dict></plist>"},
		{"<plist>\n<dict></dict>\n</plist>", "<plist>\n<dict>\n\t<key>a</key>\n\t<string>1</string>\n</dict>\n</plist>"},
		{"<plist>\n<dict\n>\n</dict>\n</plist>", "<plist>\n<dict\n>\n\t<key>a</key>\n\t<string>1</string>\n</dict>\n</plist>"},
		{`<plist><dict a="x>y" b='/>' ></dict></plist>`, `<plist><dict a="x>y" b='/>' ><key>a</key><string>1</string></dict></plist>`},
		{`<plist><dict a="x/>y"/></plist>`, `<plist><dict a="x/>y"><key>a</key><string>1</string></dict></plist>`},
	} {
		p := parsePlist(t, []byte(c.before))
		if err := p.Set("a", "1"); err != nil {
			t.Errorf("%q: %v", c.before, err)
		}
		if got := string(p.Bytes()); got != c.after {
			t.Errorf("got  %q\nwant %q", got, c.after)
		}
	}
}

func TestPlistDeleteInXMLCutsNothingElse(t *testing.T) {
	const head, tail = "<plist version=\"1.0\">\n<dict>", "\n</dict>\n</plist>\n"
	for _, c := range []struct{ name, before, after string }{
		{"first", "\n\t<key>b</key>\n\t<true/>\n\t<key>c</key>\n\t<true/>", "\n\t<key>c</key>\n\t<true/>"},
		{"last", "\n\t<key>a</key>\n\t<true/>\n\t<key>b</key>\n\t<true/>", "\n\t<key>a</key>\n\t<true/>"},
		{"only", "\n\t<key>b</key>\n\t<true/>", ""},
		{"a container", "\n\t<key>b</key>\n\t<dict><key>a</key><true/></dict>", ""},
		{"not in a container", "\n\t<key>a</key>\n\t<dict><key>b</key><true/></dict>", "\n\t<key>a</key>\n\t<dict><key>b</key><true/></dict>"},
		{"not in a comment", "\n\t<!-- <key>b</key><true/> --><key>b</key><true/>", "\n\t<!-- <key>b</key><true/> -->"},
		{"not the comment between", "\n\t<key>b</key> <!-- c --> <true/>", " <!-- c -->"},
		{"whole names", "\n\t<key>ab</key>\n\t<true/>\n\t<key>B</key>\n\t<true/>", "\n\t<key>ab</key>\n\t<true/>\n\t<key>B</key>\n\t<true/>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := parsePlist(t, []byte(head+c.before+tail))
			if err := p.Delete("b"); err != nil {
				t.Fatal(err)
			}
			if got := string(p.Bytes()); got != head+c.after+tail {
				t.Errorf("got  %q\nwant %q", got, head+c.after+tail)
			}
		})
	}
}

func TestPlistSetInABinaryListKeepsTheType(t *testing.T) {
	for _, c := range []struct{ file, key, value string }{
		{"binary-integers", "zero", "255"}, {"binary-integers", "zero", "256"}, {"binary-integers", "zero", "65536"}, {"binary-integers", "one", "4294967296"},
		{"binary-integers", "one", "9223372036854775807"}, {"binary-integers", "one", "9223372036854775808"}, {"binary-integers", "one", "18446744073709551615"},
		{"binary-integers", "one", "-1"}, {"binary-integers", "one", "-9223372036854775808"}, {"binary-integers", "max64", "0"}, {"binary-integers", "minus1", "16777216"},
		{"binary-usual", "PlexOnlineHome", "0"}, {"binary-usual-home-integer", "PlexOnlineHome", "0"},
		{"binary-usual", "FriendlyName", ""}, {"binary-usual", "FriendlyName", "fourteen chars"}, {"binary-usual", "FriendlyName", "fifteen chars.."},
		{"binary-usual", "FriendlyName", strings.Repeat("x", 255)}, {"binary-usual", "FriendlyName", strings.Repeat("x", 256)}, {"binary-usual", "FriendlyName", strings.Repeat("x", 70000)},
		{"binary-usual", "FriendlyName", strings.Repeat("é", 14)}, {"binary-usual", "FriendlyName", strings.Repeat("🎬", 8)}, {"binary-usual", "FriendlyName", "a\x00\x1b\r\n"},
		{"binary-shared-value", "PlexOnlineToken", "x"}, {"binary-value-is-a-key", "PlexOnlineToken", "x"},
		{"binary-exactly-256-objects", "one object more than references have room for", "x"}, {"binary-15-settings", "sixteenth", "x"},
	} {
		p := parsePlist(t, read(t, filepath.Join("testdata", "plist", "corpus", c.file+".plist")))
		before, format := otherReading(t, p.Bytes())
		untouched := parsePlist(t, p.Bytes())
		if err := p.Set(c.key, c.value); err != nil {
			t.Errorf("%s: Set(%q): %v", c.file, c.key, err)
			continue
		}
		if got, _ := p.Get(c.key); got != c.value {
			t.Errorf("%s: Get(%q) = %q, want %q", c.file, c.key, got, c.value)
		}
		if diff := prefs.Diff(untouched, p); len(diff) != 1 || diff[0] != c.key {
			t.Errorf("%s: it differs in %q", c.file, diff)
		}
		after, _ := otherReading(t, p.Bytes())
		before[c.key] = after[c.key]
		checkReading(t, p.Bytes(), before, format)
	}
}

func TestPlistSetRefusesWhatTheTypeOrTheFormatCannotHold(t *testing.T) {
	data := xmlPlist(`<key>s</key><string>x</string><key>b</key><true/><key>i</key><integer>5</integer><key>r</key><real>1</real>
<key>t</key><date>2024-01-01T00:00:00Z</date><key>d</key><data>AQ==</data><key>a</key><array/><key>o</key><dict/>`)
	binary := read(t, filepath.Join("testdata", "plist", "corpus", "binary-integers.plist"))
	for _, c := range []struct{ key, value string }{
		{"b", "true"}, {"b", ""}, {"b", "2"}, {"b", "01"}, {"i", ""}, {"i", "x"}, {"i", "1.0"}, {"i", "0x5"}, {"i", "05"}, {"i", "+5"}, {"i", "-0"}, {"i", " 5"},
		{"i", "18446744073709551616"}, {"i", "-9223372036854775809"}, {"r", "2"}, {"t", "2025-01-01T00:00:00Z"}, {"d", "02"}, {"a", "made-up-secret"},
		{"o", "made-up-secret"}, {"s", "made-up-secret\x00"}, {"s", "made-up-secret\xff"}, {"s", "made-up-secret\ufffe"}, {"s", "made-up-secret\x1b"},
		{"new", "made-up-secret\x00"}, {"", "made-up-secret"}, {"a\x00", "made-up-secret"}, {"a\xff", "made-up-secret"},
		{prefs.KeyHome, "made-up-secret"}, {prefs.KeyHome, ""}, {prefs.KeyHome, "true"},
	} {
		p := parsePlist(t, []byte(data))
		checkPlistError(t, p.Set(c.key, c.value), prefs.ErrValue)
		if got := string(p.Bytes()); got != data {
			t.Errorf("Set(%q, %q) changed the document to %q", c.key, c.value, got)
		}
	}
	for _, c := range []struct{ key, value string }{
		{"one", "18446744073709551616"}, {"one", "x"}, {"one", ""}, {"PlexOnlineHome", "2"}, {"new", "made-up-secret\xff"}, {"", "made-up-secret"}, {"a\xff", "made-up-secret"},
		{"PlexOnlineToken", "made-up-secret\xed\xa0\xbd"},
	} {
		p := parsePlist(t, binary)
		checkPlistError(t, p.Set(c.key, c.value), prefs.ErrValue)
		if !bytes.Equal(p.Bytes(), binary) {
			t.Errorf("Set(%q, %q) changed the document", c.key, c.value)
		}
	}
}

func TestPlistEditsBuildOnEachOther(t *testing.T) {
	for _, file := range []string{"binary-usual", "xml-usual", "binary-over-256-objects", "xml-crlf", "xml-comments", "binary-gaps", "xml-empty", "binary-empty"} {
		t.Run(file, func(t *testing.T) {
			p := parsePlist(t, read(t, filepath.Join("testdata", "plist", "corpus", file+".plist")))
			want, format := otherReading(t, p.Bytes())
			for _, err := range []error{
				p.Delete(prefs.BindingKeys()...),
				p.Set(prefs.KeyToken, "made-up"),
				p.Set(prefs.KeyHome, "0"),
				p.Set(prefs.KeyToken, "made-up & longer"),
				p.Delete("FriendlyName", prefs.KeyHome),
				p.Set("FriendlyName", "居間"),
				p.Set(prefs.KeyHome, "1"),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			for _, key := range prefs.BindingKeys() {
				delete(want, key)
			}
			want[prefs.KeyToken], want["FriendlyName"], want[prefs.KeyHome] = "made-up & longer", "居間", true
			checkReading(t, p.Bytes(), want, format)
		})
	}
}

func TestPlistBinaryKeepsNothingThatIsNotPartOfTheList(t *testing.T) {
	for _, file := range []string{"binary-unreferenced-object", "binary-gaps"} {
		p := parsePlist(t, read(t, filepath.Join("testdata", "plist", "corpus", file+".plist")))
		if !bytes.Contains(p.Bytes(), []byte("made-up-secret")) {
			t.Fatalf("%s has no leftover", file)
		}
		if err := p.Set(prefs.KeyUsername, "you"); err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(p.Bytes(), []byte("made-up-secret")) {
			t.Errorf("%s still has its leftover", file)
		}
	}
}

func TestPlistResultsShareNoMemory(t *testing.T) {
	for _, file := range []string{"binary-usual", "xml-usual", "openstep-usual"} {
		data := read(t, filepath.Join("testdata", "plist", "corpus", file+".plist"))
		original := bytes.Clone(data)
		p := parsePlist(t, data)
		clear(data)
		clear(p.Bytes())
		clear(p.Names())
		if !bytes.Equal(p.Bytes(), original) {
			t.Errorf("%s: the document changed with the caller's memory", file)
		}
		if value, _ := p.Get(prefs.KeyToken); value != "made-up-secret" || p.Names()[0] == "" {
			t.Errorf("%s: a value or name changed with the caller's memory", file)
		}
	}
}

func TestPlistFailedDeleteIsNone(t *testing.T) {
	p := parsePlist(t, []byte("{ a = 1; b = 2; }"))
	if err := p.Delete("a", "b"); !errors.Is(err, prefs.ErrReadOnly) {
		t.Errorf("Delete: %v", err)
	}
	if got := p.Names(); len(got) != 2 {
		t.Errorf("names are %q", got)
	}
}
