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

func TestDeletingTheBindingLeavesAllOtherLinesOfAnExport(t *testing.T) {
	for _, s := range regCorpus(t) {
		t.Run(s.name, func(t *testing.T) {
			r := parseReg(t, s.data)
			if err := r.Delete(prefs.BindingKeys()...); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(r.Bytes(), s.want) {
				t.Errorf("got  %q\nwant %q", r.Bytes(), s.want)
			}
		})
	}
}

func TestSettingAndDeletingANewNameRestoresAnExport(t *testing.T) {
	for _, s := range regCorpus(t) {
		t.Run(s.name, func(t *testing.T) {
			r := parseReg(t, s.data)
			if err := r.Set("new", "value"); err != nil {
				t.Fatal(err)
			}
			if bytes.Equal(r.Bytes(), s.data) {
				t.Error("nothing was set")
			}
			if err := r.Delete("NEW", "absent"); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(r.Bytes(), s.data) {
				t.Errorf("got  %q\nwant %q", r.Bytes(), s.data)
			}
		})
	}
}

func TestSetInARegistryExport(t *testing.T) {
	long := strings.Repeat("x", 20)
	for _, c := range []struct{ name, before, key, value, after string }{
		{"replaces in place", export(`"a"="1"`, `"b"="2"`, `"c"="3"`), "b", "x", export(`"a"="1"`, `"b"="x"`, `"c"="3"`)},
		{"keeps the layout and a comment", export("\t\"a\" = \"1\" ; one"), "a", "x", export("\t\"a\" = \"x\" ; one")},
		{"keeps the case of the name", export(`"FriendlyNAME"="1"`), "FriendlyName", "x", export(`"FriendlyNAME"="x"`)},
		{"adds after the last value", export(`"a"="1"`, `; end`, ``), "b", "x", export(`"a"="1"`, `"b"="x"`, `; end`, ``)},
		{"adds to none", export(), "b", "x", export(`"b"="x"`)},
		{"adds before a subkey", export(``, `[`+regKey+`\Sub]`, `"b"="1"`), "b", "x", export(`"b"="x"`, ``, `[`+regKey+`\Sub]`, `"b"="1"`)},
		{"adds with the line ends that are there", strings.ReplaceAll(export(`"a"="1"`), "\r\n", "\n"), "b", "x", strings.ReplaceAll(export(`"a"="1"`, `"b"="x"`), "\r\n", "\n")},
		{"escapes", export(), `q"\`, `"C:\"`, export(`"q\"\\"="\"C:\\\""`)},
		{"sets the default value", export(`@="1"`), "", "x", export(`@="x"`)},
		{"adds the default value", export(), "", "x", export(`@="x"`)},
		{"writes other scripts as they are", export(), "Größe", "居間 🎬", export(`"Größe"="居間 🎬"`)},
		{"writes line breaks in hexadecimal", export(), "a", "b\r\n", export(`"a"=hex(1):62,00,0d,00,0a,00,00,00`)},
		{"writes a NUL in hexadecimal", export(), "a", "b\x00", export(`"a"=hex(1):62,00,00,00,00,00`)},
		{"breaks long lines as regedit does", export(), "a", long + "\n", export(`"a"=hex(1):`+strings.Repeat("78,00,", 10)+`78,00,\`, `  `+strings.Repeat("78,00,", 9)+`0a,00,00,00`)},
		{"replaces lines of data", export("\"a\"=hex(1):62,00,\\\r\n  0d,00,00,00 ; x", `"b"="1"`), "a", "x", export(`"a"="x" ; x`, `"b"="1"`)},
		{"keeps a number a number", export(`"a"=dword:1`), "a", "255", export(`"a"=dword:000000ff`)},
		{"mends a number that is none", export(`"a"=hex(4):01`), "a", "2", export(`"a"=dword:00000002`)},
		{"keeps a long number", export(`"a"=hex(b):01,00,00,00,00,00,00,00`), "a", "256", export(`"a"=hex(b):00,01,00,00,00,00,00,00`)},
		{"keeps a text with variables", export(`"a"=hex(2):62,00,00,00`), "a", "%", export(`"a"=hex(2):25,00,00,00`)},
		{"a new PlexOnlineHome is a number", export(), prefs.KeyHome, "1", export(`"PlexOnlineHome"=dword:00000001`)},
		{"a PlexOnlineHome that is text stays text", export(`"plexonlinehome"="0"`), prefs.KeyHome, "1", export(`"plexonlinehome"="1"`)},
		{"the other keys of the binding are text", export(), prefs.KeyToken, "1", export(`"PlexOnlineToken"="1"`)},
		{"leaves what is the same as it is written", export(`"a"=hex(1):62,00`, `"b"=dword:A`), "a", "b", export(`"a"=hex(1):62,00`, `"b"=dword:A`)},
		{"leaves a type that it does not write, if it is the same", export(`"a"=hex:01`), "a", "01", export(`"a"=hex:01`)},
		{"empties a text", export(`"a"="1"`), "a", "", export(`"a"=""`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := parseReg(t, version5(c.before))
			if err := r.Set(c.key, c.value); err != nil {
				t.Fatal(err)
			}
			if got := fromVersion5(r.Bytes()); got != c.after {
				t.Errorf("got  %q\nwant %q", got, c.after)
			}
			if got, ok := r.Get(c.key); got != c.value || !ok {
				t.Errorf("Get = %q %t, want %q", got, ok, c.value)
			}
		})
	}
}

func TestSetInREGEDIT4(t *testing.T) {
	before := export4(`"a"="1"`, `"b"=hex(2):62,00`, `; H`+"\xf6"+`hle`)
	r := parseReg(t, []byte(before))
	for _, err := range []error{r.Set("a", "x\r\n"), r.Set("b", "%"), r.Set("c", "y"), r.Set(prefs.KeyHome, "1")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	want := export4(`"a"=hex(1):78,0d,0a,00`, `"b"=hex(2):25,00`, `"c"="y"`, `"PlexOnlineHome"=dword:00000001`, `; H`+"\xf6"+`hle`)
	if got := string(r.Bytes()); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for name, value := range map[string]string{"a": "ö", "ö": "a", "b": "居"} {
		if err := r.Set(name, value); !errors.Is(err, prefs.ErrValue) {
			t.Errorf("Set(%q, %q) = %v, want ErrValue", name, value, err)
		}
	}
	if got := string(r.Bytes()); got != want {
		t.Errorf("refused edits made it %q", got)
	}
}

func TestWhatARegistryCannotHoldIsRefused(t *testing.T) {
	const secret = "made-up-secret"
	lines := []string{`"number"=dword:1`, `"quad"=hex(b):1,0,0,0,0,0,0,0`, `"multi"=hex(7):0,0`, `"binary"=hex:01`, `"other"=hex(8):01`, `"text"="x"`}
	for _, c := range []struct{ name, value string }{
		{"number", secret}, {"number", ""}, {"number", "01"}, {"number", "+1"}, {"number", "-1"}, {"number", "4294967296"}, {"number", "0x1"}, {"number", " 1"},
		{"quad", secret}, {"quad", "18446744073709551616"}, {"multi", secret}, {"multi", `["a"]`}, {"binary", secret}, {"binary", "02"}, {"other", "02"},
		{prefs.KeyHome, secret}, {prefs.KeyHome, "true"}, {prefs.KeyHome, ""},
		{"text", "made-up-secret\xff"}, {"text", "made-up-secret\xed\xa0\x80"},
		{"a\nb", secret}, {"a\rb", secret}, {"a\x00b", secret}, {"a\xffb", secret}, {strings.Repeat("x", 16384), secret}, {strings.Repeat("🎬", 8192), secret},
	} {
		r := parseExport(t, lines...)
		err := r.Set(c.name, c.value)
		if !errors.Is(err, prefs.ErrValue) || strings.Contains(fmt.Sprint(err), secret) {
			t.Errorf("Set(%.20q, %q) = %v, want ErrValue", c.name, c.value, err)
		}
		if !bytes.Equal(r.Bytes(), version5(export(lines...))) {
			t.Errorf("Set(%.20q, %q) made it %q", c.name, c.value, r.Bytes())
		}
	}
	for _, name := range []string{strings.Repeat("x", 16383), "a=b", "[a]", ";a", "-", "@", " a "} {
		r := parseExport(t, lines...)
		if err := r.Set(name, "x"); err != nil || !slices.Equal(r.Names(), append(parseExport(t, lines...).Names(), name)) {
			t.Errorf("Set(%.20q) = %v", name, err)
		}
	}
}

func TestARegistryIsMadeOfWhatWasRead(t *testing.T) {
	r, err := prefs.NewRegistry(`HKU\S-1-5-18\Software\Plex, Inc.\Plex Media Server`, []prefs.RegistryValue{
		{Name: prefs.KeyToken, Type: 1, Data: []byte{'m', 0, 0, 0}}, {Name: prefs.KeyHome, Type: 4, Data: []byte{1, 0, 0, 0}}, {Type: 0x1ff},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_USERS\\S-1-5-18\\Software\\Plex, Inc.\\Plex Media Server]\r\n" +
		"\"PlexOnlineToken\"=\"m\"\r\n\"PlexOnlineHome\"=dword:00000001\r\n@=hex(1ff):\r\n\r\n"
	if got := fromVersion5(r.Bytes()); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for key, values := range map[string][]prefs.RegistryValue{
		"":                      nil,
		`Software\Plex, Inc.`:   nil,
		"HKCU":                  nil,
		`HKCU\`:                 nil,
		`HKCU\a\\b`:             nil,
		"HKCU\\a]\r\n[b":        nil,
		"HKCU\\a\xff":           nil,
		`HKEY_CURRENT_USER\new`: {{Name: "a\nb", Type: 1}},
		`HKCU\new`:              {{Name: "a\x00", Type: 1}},
	} {
		if r, err := prefs.NewRegistry(key, values); !errors.Is(err, prefs.ErrValue) || r != nil {
			t.Errorf("NewRegistry(%q) = %v, %v", key, r, err)
		}
	}
	if _, err := prefs.NewRegistry(`HKCU\a`, []prefs.RegistryValue{{Name: "a"}, {Name: "A"}}); !errors.Is(err, prefs.ErrDuplicate) {
		t.Errorf("two names: %v, want ErrDuplicate", err)
	}
}

func TestRegistryDeltaIsOnlyWhatDiffers(t *testing.T) {
	for _, c := range []struct {
		name                        string
		before, after, deleted, set []string
	}{
		{"nothing", []string{`"a"="1"`}, []string{`"a"="1"`}, nil, nil},
		{"another way to write it", []string{`"a"="1"`, `"b"=dword:1`}, []string{`"B"=hex(4):1,0,0,0`, `"A"=hex(1):31,00,00,00`}, nil, nil},
		{"deleted", []string{`"a"="1"`, `"b \"\\"="2"`, `@="3"`}, []string{`"a"="1"`}, []string{`b "\`, ""}, nil},
		{"set", []string{`"a"="1"`, `"b"="2"`}, []string{`"b"="3"`, `"a"="1"`, `"c"=dword:4`}, nil, []string{`"b"="3"`, `"c"=dword:4`}},
		{"another type", []string{`"a"="1"`}, []string{`"a"=dword:1`}, nil, []string{`"a"=dword:1`}},
		{"a NUL less at the end", []string{`"a"="1"`}, []string{`"a"=hex(1):31,00`}, nil, []string{`"a"=hex(1):31,00`}},
		{"deleted and set", []string{`"a"="1"`}, []string{`"b"="1"`}, []string{"a"}, []string{`"b"="1"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			deleted, set, err := prefs.RegistryDelta(parseExport(t, c.before...), parseExport(t, c.after...))
			if err != nil || !slices.Equal(deleted, c.deleted) || !slices.EqualFunc(set, parseExport(t, c.set...).Values(), sameValue) {
				t.Errorf("deleted %q and set %v: %v\nwant %q, %q", deleted, set, err, c.deleted, c.set)
			}
		})
	}
	other, err := prefs.NewRegistry(`HKCU\Software\Other`, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := prefs.RegistryDelta(other, parseExport(t)); !errors.Is(err, prefs.ErrValue) {
		t.Errorf("from one key to another: %v", err)
	}
	same, err := prefs.NewRegistry(strings.ToLower(regKey), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := prefs.RegistryDelta(same, parseExport(t)); err != nil {
		t.Errorf("a key in another case: %v", err)
	}
}
