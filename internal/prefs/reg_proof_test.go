package prefs

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
)

// As in xml_proof_test.go, these tests reach inside, for defects that the API cannot show while it has none.

const provenExport = regHeader5 + "\r\n; c\r\n[HKEY_CURRENT_USER\\Software\\X]\r\n\"a\"=\"1\"\r\n\"PlexOnlineToken\"=\"made-up-secret\"\r\n\"b\"=dword:2\r\n\r\n" +
	"[HKEY_CURRENT_USER\\Software\\X\\Sub]\r\n\"d\"=\"e\"\r\n"

func parseProven(t *testing.T) *Registry {
	t.Helper()
	r, err := ParseRegistry(version5(provenExport))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAnEditOfAnExportThatDoesNotReadBackAsIntendedChangesNothing(t *testing.T) {
	const token = "\"PlexOnlineToken\"=\"made-up-secret\"\r\n"
	right := strings.Replace(provenExport, token, "", 1)
	want := slices.DeleteFunc(parseProven(t).Values(), func(v RegistryValue) bool { return v.Name == KeyToken })
	also := func(old, replacement string) string {
		if !strings.Contains(right, old) {
			t.Fatalf("%q is not there", old)
		}
		return strings.Replace(right, old, replacement, 1)
	}
	for _, c := range []struct{ name, edited string }{
		{"nothing was cut", provenExport},
		{"too much was cut", also("\"a\"=\"1\"\r\n", "")},
		{"the wrong one was cut", strings.Replace(provenExport, "\"b\"=dword:2\r\n", "", 1)},
		{"a value was changed", also(`"1"`, `"2"`)},
		{"a type was changed", also(`dword:2`, `"2"`)},
		{"a name was changed", also(`"a"`, `"A"`)},
		{"one was added", also("\"b\"", "\"c\"=\"\"\r\n\"b\"")},
		{"the order was changed", also("\"a\"=\"1\"\r\n\"b\"=dword:2\r\n", "\"b\"=dword:2\r\n\"a\"=\"1\"\r\n")},
		{"a value is written in another way", also(`dword:2`, `dword:02`)},
		{"a line has another end", also("\"1\"\r\n", "\"1\"\n")},
		{"a comment was changed", also("; c", "; d")},
		{"a comment was lost", also("; c\r\n", "")},
		{"an empty line was lost", also("\r\n\r\n", "\r\n")},
		{"the key was changed", strings.ReplaceAll(right, `\X`, `\Y`)},
		{"a subkey was changed", also(`\Sub`, `\Sup`)},
		{"a value of a subkey was changed", also(`"e"`, `"f"`)},
		{"a value of a subkey was lost", also("\"d\"=\"e\"\r\n", "")},
		{"it was emptied", ""},
		{"it was truncated", right[:len(right)-4]},
		{"it has no key any more", regHeader5 + "\r\n"},
		{"it is not an export any more", also(`"a"=`, `"a"`)},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := parseProven(t)
			err := r.become(regText{utf16Units(version5(c.edited), binary.LittleEndian), false}, want)
			if !errors.Is(err, ErrUnproven) {
				t.Errorf("become = %v, want ErrUnproven", err)
			} else if strings.Contains(err.Error(), "made-up-secret") {
				t.Errorf("the error has a value: %v", err)
			}
			for _, other := range []error{ErrEmpty, ErrTruncated, ErrNotRegistry, ErrNoKey} {
				if errors.Is(err, other) {
					t.Errorf("the error passes for a fault of the server's registry: %v", err)
				}
			}
			if token, _ := r.Get(KeyToken); !slices.Equal(r.Bytes(), version5(provenExport)) || token != "made-up-secret" {
				t.Errorf("the document became %q", r.Bytes())
			}
		})
	}
	// And the control: the same proof lets the right edit pass.
	if err := parseProven(t).become(regText{utf16Units(version5(right), binary.LittleEndian), false}, want); err != nil {
		t.Errorf("the right edit: %v", err)
	}
}

func TestAnExportThatTwoReadersSeeDifferentlyIsRefused(t *testing.T) {
	for name, damage := range map[string]func(*Registry){
		"another key":   func(r *Registry) { r.second.key += "x" },
		"another name":  func(r *Registry) { r.second.values[0].Name = "A" },
		"another type":  func(r *Registry) { r.second.values[0].Type = regExpandSZ },
		"another value": func(r *Registry) { r.second.values[0].Data[0]++ },
		"one less":      func(r *Registry) { r.second.values = r.second.values[1:] },
		"one more":      func(r *Registry) { r.layout.entries = r.layout.entries[1:] },
	} {
		r := parseProven(t)
		if err := r.checkAgreement(); err != nil {
			t.Fatal(err)
		}
		damage(r)
		if err := r.checkAgreement(); !errors.Is(err, ErrNotRegistry) || strings.Contains(err.Error(), "made-up-secret") {
			t.Errorf("%s: %v, want ErrNotRegistry", name, err)
		}
	}
}
