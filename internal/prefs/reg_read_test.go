package prefs_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

func TestARegistryExportKeepsItsBytes(t *testing.T) {
	for _, s := range regCorpus(t) {
		t.Run(s.name, func(t *testing.T) {
			data := bytes.Clone(s.data)
			r := parseReg(t, data)
			clear(data)
			if !bytes.Equal(r.Bytes(), s.data) {
				t.Errorf("the bytes became %q", r.Bytes())
			}
			again, err := prefs.NewRegistry(r.Key(), r.Values())
			if err != nil {
				t.Fatal(err)
			}
			if deleted, set, err := prefs.RegistryDelta(r, again); err != nil || len(deleted)+len(set) != 0 || !slices.Equal(r.Names(), again.Names()) {
				t.Errorf("made anew from its values it has %q less and %v more: %v", deleted, set, err)
			}
		})
	}
}

func TestTheTextOfAValueIsThatOfItsType(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{`"x"="text"`, "text"},
		{`"x"=""`, ""},
		{`"x"="a \"b\" \\ c"`, `a "b" \ c`},
		{`"x"="居間 🎬"`, "居間 🎬"},
		{"\"x\"=\"a\r\nb\"", "a\r\nb"},
		{`"x"=dword:0000000a`, "10"},
		{`"x"=dword:FFFFFFFF`, "4294967295"},
		{`"x"=dword:1`, "1"},
		{`"x"=hex:00,01,ff`, "0001ff"},
		{"\"x\"=hex:00,\\\r\n  01,\\\r\n\t 2", "000102"},
		{"\"x\"=hex:\\\r\n  01", "01"},
		{`"x"=hex:`, ""},
		{`"x"=hex(0):`, ""},
		{`"x"=hex(1):61,00,00,00`, "a"},
		{`"x"=hex(1):61,00`, "a"},
		{`"x"=hex(1):`, ""},
		{`"x"=hex(1):61,00,00,00,62,00,00,00`, "a\x00b"},
		{`"x"=hex(1):61`, "61"},
		{`"x"=hex(1):00,d8,00,00`, "00d80000"},
		{`"x"=hex(2):25,00,61,00,25,00,00,00`, "%a%"},
		{`"x"=hex(4):0a,00,00,00`, "10"},
		{`"x"=hex(4):0a,00,00`, "0a0000"},
		{`"x"=hex(5):00,00,00,0a`, "0000000a"},
		{`"x"=hex(b):0a,00,00,00,00,00,00,00`, "10"},
		{`"x"=hex(B):ff,ff,ff,ff,ff,ff,ff,ff`, "18446744073709551615"},
		{`"x"=hex(b):0a`, "0a"},
		{`"x"=hex(7):61,00,00,00,3c,00,22,00,00,00,00,00`, `["a","<\""]`},
		{`"x"=hex(7):00,00`, `[]`},
		{`"x"=hex(7):61,00,00,00`, `61000000`},
		{`"x"=hex(7):61,00,00,00,00,00,00,00`, `6100000000000000`},
		{`"x"=hex(ffff0007):61`, `61`},
	} {
		if got, ok := parseExport(t, c.line).Get("x"); got != c.want || !ok {
			t.Errorf("%s is %q %t, want %q", c.line, got, ok, c.want)
		}
	}
	for line, want := range map[string]string{
		`"x"=hex(2):25,61,25,00`:    "%a%",
		`"x"=hex(7):61,00,62,00,00`: `["a","b"]`,
		`"x"=hex(1):61`:             "a",
		`"x"=hex:ff`:                "ff",
	} {
		if got, ok := parseReg(t, []byte(export4(line))).Get("x"); got != want || !ok {
			t.Errorf("in REGEDIT4 %s is %q %t, want %q", line, got, ok, want)
		}
	}
}

func TestRegistryNamesAreMatchedWholeAndWithoutCase(t *testing.T) {
	r := parseExport(t, `"xPlexOnlineToken"="1"`, `@="2"`, `"PLEXOnlineToken"="3"`, `"PlexOnlineTokenOld"="4"`)
	for name, want := range map[string]string{prefs.KeyToken: "3", "plexonlinetoken": "3", "": "2", "xplexonlinetoken": "1", "PlexOnline": ""} {
		if got, ok := r.Get(name); got != want || ok != (want != "") {
			t.Errorf("Get(%q) = %q %t, want %q", name, got, ok, want)
		}
	}
	if got, want := r.Names(), []string{"xPlexOnlineToken", "", "PLEXOnlineToken", "PlexOnlineTokenOld"}; !slices.Equal(got, want) {
		t.Errorf("names are %q, want %q", got, want)
	}
}

func TestWhatABindingInTheRegistrySays(t *testing.T) {
	r := parseReg(t, read(t, "testdata/reg/bound.reg"))
	want := prefs.Binding{Token: "made-up-secret", Username: "me", Mail: "me@example.com", Home: "1"}
	if b, bound := prefs.ReadBinding(r); b != want || !bound {
		t.Errorf("the binding is %v %t", b, bound)
	}
	if r.Key() != regKey {
		t.Errorf("the key is %q", r.Key())
	}
}

func TestSubkeysAreNotSettings(t *testing.T) {
	r := parseReg(t, read(t, "testdata/reg/subkeys.reg"))
	if got := len(r.Names()); got != 7 {
		t.Errorf("it has %d settings: %q", got, r.Names())
	}
	if token, _ := r.Get(prefs.KeyToken); token != "made-up-secret" {
		t.Error("the token is that of a subkey")
	}
}

func TestNothingThatFormatsARegistryShowsAValue(t *testing.T) {
	r := parseExport(t, `"PlexOnlineToken"="made-up-secret"`)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, shown := range []any{r, *r, r.Values(), r.Values()[0], &r.Values()[0]} {
			text := fmt.Sprintf(verb, shown)
			if strings.Contains(text, "made-up") || strings.Contains(text, "6d616465") || strings.Contains(text, "109") {
				t.Errorf("%s of %T shows %s", verb, shown, text)
			}
		}
	}
}

func TestFormatRegistryReadsAnExport(t *testing.T) {
	if d, err := prefs.FormatRegistry.Parse(version5(export(`"a"="b"`))); err != nil || !slices.Equal(d.Names(), []string{"a"}) {
		t.Errorf("Parse = %v, %v", d, err)
	}
	if d, err := prefs.FormatRegistry.Parse(nil); d != nil || !errors.Is(err, prefs.ErrEmpty) {
		t.Errorf("Parse(nothing) = %v, %v", d, err)
	}
}

func TestDiffSeesATypeThatChangedWithTheSameText(t *testing.T) {
	for _, c := range []struct {
		name, before, after string
		want                []string
	}{
		{"a number and a text", `"x"=dword:1`, `"x"="1"`, []string{"x"}},
		{"two numbers", `"x"=dword:1`, `"x"=hex(b):1,0,0,0,0,0,0,0`, []string{"x"}},
		{"two texts", `"x"="1"`, `"x"=hex(2):31,00,00,00`, []string{"x"}},
		{"a text and what is none", `"x"="61"`, `"x"=hex(1):61`, []string{"x"}},
		{"two ways to write a text", `"x"="1"`, `"x"=hex(1):31,00,00,00`, nil},
		{"two ways to write a number", `"x"=dword:1`, `"x"=hex(4):1,0,0,0`, nil},
		{"two ways to write a name", `"x"="1"`, `"X"="1"`, nil},
		{"empty and absent", `"x"=""`, ``, []string{"x"}},
	} {
		if got := prefs.Diff(parseExport(t, c.before), parseExport(t, c.after)); !slices.Equal(got, c.want) {
			t.Errorf("%s: Diff = %q, want %q", c.name, got, c.want)
		}
	}
	if got := prefs.Diff(parseExport(t, `"x"=dword:1`), parse(t, `<Preferences x="1"/>`)); got != nil {
		t.Errorf("a document without types differs in %q", got)
	}
}
