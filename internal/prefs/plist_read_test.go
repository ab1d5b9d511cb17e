package prefs_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// xmlPlist is a property list in XML, in Apple's layout, with this content in its root dictionary.
func xmlPlist(content string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
` + content + `</dict>
</plist>
`
}

func TestPlistGet(t *testing.T) {
	for _, c := range []struct {
		file string
		want map[string]string
	}{
		{"usual", map[string]string{"PlexOnlineHome": "1", "PlexOnlineMail": "me@example.com", "PlexOnlineToken": "made-up-secret", "PlexOnlineUsername": "me",
			"FriendlyName": "den", "ManualPortMappingPort": "32400", "LastAutomaticMappedPort": "0"}},
		{"integers", map[string]string{"zero": "0", "b255": "255", "b256": "256", "max32": "4294967295", "over32": "4294967296", "max63": "9223372036854775807",
			"over63": "9223372036854775808", "max64": "18446744073709551615", "minus1": "-1", "minus129": "-129", "min63": "-9223372036854775808"}},
		{"reals", map[string]string{"zero": "0", "tenth": "0.1", "big": "1.7976931348623157e+308", "small": "5e-324", "nan": "NaN",
			"inf": "+Inf", "minus inf": "-Inf", "whole": "3"}},
		{"nested", map[string]string{
			"a": `[integer(1), [integer(2), [integer(3), {"k": []}]], "x", boolean(1), real(1.5), data(00ff), date(2024-01-01T00:00:00Z), {}]`,
			"d": `{"PlexOnlineToken": "kept-not-a-secret", "e": {"f": {}}}`, "NSWindow Frame": "1 2 3 4"}},
	} {
		for _, format := range []string{"binary-", "xml-"} {
			checkGet(t, format+c.file, c.want)
		}
	}
	checkGet(t, "xml-integers-hexadecimal", map[string]string{"hex": "255", "neg": "-16", "zeros": "7"})
	checkGet(t, "xml-reals", map[string]string{"minus zero": "-0"})
	checkGet(t, "xml-reals-apple-spelling", map[string]string{"n": "NaN", "p": "+Inf", "m": "-Inf", "e": "1e+20"})
	checkGet(t, "binary-dates", map[string]string{"epoch": "2001-01-01T00:00:00Z", "before": "2000-12-31T23:59:59Z", "now": "2024-05-06T07:08:09Z",
		"fraction": "2024-05-06T07:08:09.123456001Z", "year 1": "0001-01-01T00:00:00Z", "year 9999": "9999-12-31T23:59:59Z", "1969": "1969-12-31T23:59:59.5Z"})
	checkGet(t, "binary-dates-out-of-range", map[string]string{"nan": "2001-01-01T00:00:00Z + NaNs", "inf": "2001-01-01T00:00:00Z + -Infs",
		"huge": "2001-01-01T00:00:00Z + 1e+300s", "tiny": "2001-01-01T00:00:00Z + 1e-12s"})
	checkGet(t, "xml-dates-with-fractions", map[string]string{"f": "2024-05-06T07:08:09.123456789Z", "y": "0001-01-01T00:00:00Z"})
	checkGet(t, "binary-data-and-uid", map[string]string{"uid": "5", "uid2": "70000", "big uid": "1099511627776", "data": "", "d": strings.Repeat("78", 20)})
	checkGet(t, "binary-utf16", map[string]string{"FriendlyName": "Höhle 居間 🎬", "居間": "key", "empty": ""})
	checkGet(t, "binary-overlong-integers", map[string]string{"a": "-1", "b": "1", "c": "1"})
	checkGet(t, "binary-ascii-as-utf16", map[string]string{"PlexOnlineToken": "made-up-secret"})
	checkGet(t, "xml-cdata", map[string]string{"PlexOnlineToken": "made-up-secret <&>", "kept": "a</string>&]]>"})
	checkGet(t, "xml-entities", map[string]string{"PlexOnlineToken": "<&>\"'🎬\r", "<key>": "&lt;"})
	checkGet(t, "xml-white-space-in-strings", map[string]string{" padded ": "  a\n\tb  "})
	checkGet(t, "xml-data-wrapped", map[string]string{"data": "000102030405060708"})
	checkGet(t, "xml-empty-elements", map[string]string{"PlexOnlineToken": "", "s": "", "d": "", "t": "1", "f": "0", "a": "[]", "o": "{}"})
	checkGet(t, "openstep-usual", map[string]string{"PlexOnlineToken": "made-up-secret", "a b": "\"quoted\" \\ \t\n\u00e9A höhle", "path": "/Users/me/Library",
		"data": "0fbd777f", "list": `["a", "b c", [], {}, ""]`, "nested": `{"x": "1", "y": ["2"]}`})
}

func checkGet(t *testing.T, file string, want map[string]string) {
	t.Helper()
	t.Run(file, func(t *testing.T) {
		p := parsePlist(t, read(t, filepath.Join("testdata", "plist", "corpus", file+".plist")))
		for name, value := range want {
			if got, ok := p.Get(name); got != value || !ok {
				t.Errorf("Get(%q) = %q %t, want %q", name, got, ok, value)
			}
		}
		if got, ok := p.Get("absent"); got != "" || ok {
			t.Errorf("Get of what is not there = %q %t", got, ok)
		}
	})
}

func TestPlistDiffSeesTypesToo(t *testing.T) {
	element := func(value string) string { return xmlPlist("\t<key>a</key>\n\t" + value + "\n") }
	values := []string{
		"<string>1</string>", "<integer>1</integer>", "<true/>", "<real>1</real>", "<data>AQ==</data>", "<string>01</string>", "<string>[]</string>", "<array/>",
		"<array><integer>1</integer></array>", "<array><string>1</string></array>", "<array><true/></array>", "<array><array/></array>",
		"<dict/>", "<string>{}</string>", "<dict><key>b</key><true/></dict>", "<dict><key>b</key><false/></dict>",
		"<date>2024-01-01T00:00:00Z</date>", "<string>2024-01-01T00:00:00Z</string>", "<date>2024-01-01T00:00:00.000000001Z</date>",
		`<array><string>a</string><string>b</string></array>`, `<array><string>a", "b</string></array>`,
	}
	for i, before := range values {
		for j, after := range values {
			var want []string
			if i != j {
				want = []string{"a"}
			}
			if got := prefs.Diff(parsePlist(t, []byte(element(before))), parsePlist(t, []byte(element(after)))); !slices.Equal(got, want) {
				t.Errorf("Diff of %s and %s = %q, want %q", before, after, got, want)
			}
		}
	}
}

func TestPlistDiffComparesWhatIsSaidAndNotHow(t *testing.T) {
	for _, name := range []string{"usual", "integers", "reals", "dates", "nested", "long", "deep", "only-the-four", "unclaimed"} {
		file := func(format string) []byte {
			return read(t, filepath.Join("testdata", "plist", "corpus", format+name+".plist"))
		}
		var want []string
		switch name {
		case "dates":
			want = []string{"1969", "fraction"} // The writer of the XML dropped the fractions.
		case "reals":
			want = []string{"minus zero"} // The writer of the binary list took it for the same as zero.
		}
		if got := prefs.Diff(parsePlist(t, file("binary-")), parsePlist(t, file("xml-"))); !slices.Equal(got, want) {
			t.Errorf("%s: the binary list and the one in XML differ in %q", name, got)
		}
	}
	a := parsePlist(t, []byte(xmlPlist("<key>d</key><dict><key>x</key><true/><key>y</key><integer>10</integer></dict>")))
	b := parsePlist(t, []byte(xmlPlist("<key>d</key><dict><key>y</key><!-- ten --><integer>0xA</integer><key>x</key><true></true></dict>")))
	if got := prefs.Diff(a, b); got != nil {
		t.Errorf("order, comments and spelling count: %q", got)
	}
}

func TestNoFormattingOfAPlistShowsAValue(t *testing.T) {
	p := parsePlist(t, []byte(xmlPlist("<key>PlexOnlineToken</key><string>made-up-secret</string>")))
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{p, *p, []any{p}, struct{ P *prefs.PropertyList }{p}} {
			got := fmt.Sprintf(verb, value)
			if strings.Contains(got, "made-up") || strings.Contains(got, fmt.Sprintf("%x", "made-up")) {
				t.Errorf("%s shows %s", verb, got)
			}
		}
	}
	if got := fmt.Sprint(p); !strings.HasPrefix(got, "prefs.PropertyList{1 settings, ") {
		t.Errorf("it is formatted as %s", got)
	}
}

func TestFormatPropertyListParses(t *testing.T) {
	data := []byte(xmlPlist("<key>a</key><true/>"))
	d, err := prefs.FormatPropertyList.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if value, ok := d.Get("a"); value != "1" || !ok {
		t.Errorf("Get = %q %t", value, ok)
	}
	if d, err := prefs.FormatPropertyList.Parse(nil); d != nil || err == nil {
		t.Errorf("of nothing: %v, %v", d, err)
	}
}
