package prefs

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// These tests reach inside, as those of xml_proof_test.go do and for the same reason.

func parsedPlist(t *testing.T, data string) *PropertyList {
	t.Helper()
	p, err := ParsePropertyList([]byte(data))
	if err != nil {
		t.Fatalf("ParsePropertyList: %v\n%q", err, data)
	}
	return p
}

// checkUnproven wants p not to become the edited document.
func checkUnproven(t *testing.T, p *PropertyList, edited string, want *plistValue) {
	t.Helper()
	original := string(p.Bytes())
	err := p.become([]byte(edited), want)
	for _, sentinel := range []error{ErrUnproven, ErrEmpty, ErrTruncated, ErrNotPropertyList, ErrNotXML, ErrWrongRoot, ErrDuplicate} {
		if got := errors.Is(err, sentinel); got != (sentinel == ErrUnproven) {
			t.Errorf("errors.Is(%v, %q) = %t", err, sentinel, got)
		}
	}
	if err != nil && strings.Contains(err.Error(), "made-up-secret") {
		t.Errorf("the error has a value: %v", err)
	}
	if token, _ := p.Get(KeyToken); string(p.Bytes()) != original || token != "made-up-secret" {
		t.Errorf("the document became %q", p.Bytes())
	}
}

func TestAPlistEditThatDoesNotReadBackAsIntendedChangesNothing(t *testing.T) {
	const original = `<!--c--><plist version="1.0"><?p i?><dict><!--d--><key>a</key><integer>1</integer><key>PlexOnlineToken</key><string>made-up-secret</string><key>b</key><dict><!--n--><key>c</key><real>1</real></dict></dict></plist><!--g-->`
	const cut = `<key>PlexOnlineToken</key><string>made-up-secret</string>`
	right := strings.Replace(original, cut, "", 1)
	want := parsedPlist(t, right).root
	for _, c := range []struct{ name, edited string }{
		{"nothing was cut", original},
		{"too much was cut", strings.Replace(right, `<key>a</key><integer>1</integer>`, "", 1)},
		{"the wrong one was cut", strings.Replace(original, `<key>a</key><integer>1</integer>`, "", 1)},
		{"a value was changed", strings.Replace(right, `<integer>1<`, `<integer>2<`, 1)},
		{"a value was written in another way", strings.Replace(right, `<integer>1<`, `<integer>01<`, 1)},
		{"a type was changed", strings.Replace(right, `<integer>1</integer>`, `<true/>`, 1)},
		{"a name was changed", strings.Replace(right, `<key>a<`, `<key>A<`, 1)},
		{"the order was changed", strings.Replace(strings.Replace(right, `<key>a</key><integer>1</integer>`, "", 1), `</dict></plist>`, `<key>a</key><integer>1</integer></dict></plist>`, 1)},
		{"a nested value was changed", strings.Replace(right, `<real>1<`, `<real>1.0<`, 1)},
		{"a nested comment was lost", strings.Replace(right, `<!--n-->`, "", 1)},
		{"a comment in the dictionary was lost", strings.Replace(right, `<!--d-->`, "", 1)},
		{"a comment in the dictionary was changed", strings.Replace(right, `<!--d-->`, "<!--e-->", 1)},
		{"a comment before was changed", strings.Replace(right, `<!--c-->`, "<!--C-->", 1)},
		{"a comment after was lost", strings.Replace(right, `<!--g-->`, "", 1)},
		{"the version was changed", strings.Replace(right, `1.0`, `1.1`, 1)},
		{"one was added at the end", strings.Replace(right, `</dict></plist>`, `<key>z</key><true/></dict></plist>`, 1)},
		{"it was emptied", ""},
		{"it was truncated", strings.TrimSuffix(right, `plist><!--g-->`)},
		{"it is no property list any more", strings.Replace(original, `<key>Plex`, `<key/><key>Plex`, 1)},
		{"a name was doubled", strings.Replace(right, `<key>b<`, `<key>a<`, 1)},
		{"it has another format", `{ a = 1; b = { c = 1; }; }`},
	} {
		t.Run(c.name, func(t *testing.T) { checkUnproven(t, parsedPlist(t, original), c.edited, want) })
	}
	// And the control: the same proof lets the right edit pass.
	p := parsedPlist(t, original)
	if err := p.become([]byte(right), want); err != nil || string(p.Bytes()) != right {
		t.Errorf("the right edit: %v", err)
	}
}

func TestABinaryEditThatLeavesSomethingBehindChangesNothing(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "plist", "corpus", "binary-root-in-the-middle.plist"))
	if err != nil {
		t.Fatal(err)
	}
	p := parsedPlist(t, string(data))
	file, ok := p.file.(*plistBinary)
	if !ok {
		t.Fatalf("it was read as %T", p.file)
	}
	right, err := file.without(map[int]bool{0: true})
	if err != nil {
		t.Fatal(err)
	}
	want := parsedPlist(t, string(right)).root

	unused := []byte(string(right))
	unused[len(unused)-plistTrailerSize] = 1
	for name, edited := range map[string]string{
		"nothing was cut":       string(data),
		"the trailer has other": string(unused),
		"an object is left": plistMagic + "\xd1\x02\x03" + "\x5emade-up-secret" + "\x54kept" + "\x09" + "\x08\x0b\x1a\x1f" +
			"\x00\x00\x00\x00\x00\x00\x01\x01" + "\x00\x00\x00\x00\x00\x00\x00\x04" + "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x20",
		"bytes are left": plistMagic + "\xd1\x01\x02" + "made-up-secret" + "\x54kept" + "\x09" + "\x08\x19\x1e" +
			"\x00\x00\x00\x00\x00\x00\x01\x01" + "\x00\x00\x00\x00\x00\x00\x00\x03" + "\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x00\x00\x00\x00\x00\x00\x1f",
	} {
		t.Run(name, func(t *testing.T) {
			parsedPlist(t, edited)
			checkUnproven(t, parsedPlist(t, string(data)), edited, want)
		})
	}
	if err := p.become(right, want); err != nil {
		t.Errorf("the right edit: %v", err)
	}
}

func TestAPlistThatTwoReadersSeeDifferentlyIsRefused(t *testing.T) {
	document := func(content string) string { return "<plist><dict>" + content + "</dict></plist>" }
	values := []string{
		"<string>1</string>", "<string>2</string>", "<integer>1</integer>", "<integer>-1</integer>", "<integer>18446744073709551615</integer>", "<true/>", "<false/>",
		"<real>1</real>", "<real>nan</real>", "<data>AQ==</data>", "<data/>", "<date>2024-01-01T00:00:00Z</date>", "<date>2024-01-01T00:00:01Z</date>",
		"<array/>", "<array><true/></array>", "<array><true/><true/></array>", "<dict/>", "<dict><key>b</key><true/></dict>", "<dict><key>c</key><true/></dict>",
		"<dict><key>b</key><false/></dict>", "<dict><key>b</key><true/><key>c</key><true/></dict>", "<dict><key>CF$UID</key><integer>1</integer></dict>",
	}
	for i, first := range values {
		for j, second := range values {
			p := parsedPlist(t, document("<key>a</key>"+first))
			p.data = []byte(document("<key>a</key>" + second))
			if err := p.checkAgreement(); (err == nil) != (i == j) || i != j && !errors.Is(err, ErrNotPropertyList) {
				t.Errorf("%s and %s: %v", first, second, err)
			}
		}
	}
	p := parsedPlist(t, document("<key>a</key><string>1</string>"))
	for _, second := range []string{"", "{ a = 1; }", document("<key>made-up-secret</key><string>1</string>"), document("<key>a</key><integer>made-up-secret</integer>"), "<plist><string>made-up-secret</string></plist>"} {
		p.data = []byte(second)
		if err := p.checkAgreement(); !errors.Is(err, ErrNotPropertyList) || strings.Contains(err.Error(), "made-up-secret") {
			t.Errorf("%q: %v, want ErrNotPropertyList without a value", second, err)
		}
	}
}

func TestAnEditThatMakesAPlistTooLargeSaysSo(t *testing.T) {
	var b strings.Builder
	for i := range maxMarkup/4 - 1 { // four tags each; two tags are the root's, and one is plist's, which leaves one
		b.WriteString("<key>" + strconv.Itoa(i) + "</key><true></true>")
	}
	p := parsedPlist(t, "<plist><dict>"+b.String()+"</dict></plist>")
	if err := p.Set("oneMore", "1"); !errors.Is(err, ErrTooLarge) || errors.Is(err, ErrUnproven) {
		t.Errorf("Set = %v, want ErrTooLarge", err)
	}
}
