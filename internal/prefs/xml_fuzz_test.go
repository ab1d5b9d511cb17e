package prefs_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/beevik/etree"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// Beside the seeds made here, each target has some under testdata/fuzz, of which those named by a hash were found by fuzzing.

func FuzzParseXML(f *testing.F) {
	for _, s := range corpus(f) {
		f.Add(s.data)
	}
	refused, err := filepath.Glob(filepath.Join("testdata", "refused", "*", "*.xml"))
	if err != nil || len(refused) == 0 {
		f.Fatal("no refused documents", err)
	}
	for _, file := range refused {
		f.Add(read(f, file))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := prefs.ParseXML(data)
		if err != nil {
			if !slices.ContainsFunc(sentinels(), func(sentinel error) bool { return errors.Is(err, sentinel) }) {
				t.Errorf("an error of no kind: %v", err)
			}
			return
		}
		if !bytes.Equal(x.Bytes(), data) {
			t.Errorf("the bytes became %q", x.Bytes())
		}
		agreesWithEtree(t, x)
		agreesWithStrictReader(t, data)
	})
}

// agreesWithEtree compares names and values with etree's, which does not turn tabs and line breaks into spaces.
func agreesWithEtree(t *testing.T, x *prefs.XML) {
	t.Helper()
	tree := etree.NewDocument()
	tree.ReadSettings.PreserveDuplicateAttrs = true
	if err := tree.ReadFromBytes(x.Bytes()); err != nil {
		t.Fatalf("etree refuses it: %v", err)
	}
	attrs := tree.Root().Attr
	if len(attrs) != len(x.Names()) {
		t.Fatalf("etree sees %d attributes, not %d", len(attrs), len(x.Names()))
	}
	normal := strings.NewReplacer("\t", " ", "\n", " ", "\r", " ")
	for i, name := range x.Names() {
		value, _ := x.Get(name)
		if attrs[i].FullKey() != name || normal.Replace(attrs[i].Value) != normal.Replace(value) {
			t.Errorf("etree sees %q = %q, not %q = %q", attrs[i].FullKey(), attrs[i].Value, name, value)
		}
	}
}

// agreesWithStrictReader has encoding/xml match the tags, which etree does for itself.
func agreesWithStrictReader(t *testing.T, data []byte) {
	t.Helper()
	for decoder := xml.NewDecoder(bytes.NewReader(data)); ; {
		if _, err := decoder.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("encoding/xml refuses it: %v", err)
		}
	}
}

func FuzzDelete(f *testing.F) {
	for _, s := range corpus(f) {
		for _, name := range []string{prefs.KeyToken, "MachineIdentifier", "FriendlyName"} {
			f.Add(s.data, name)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		x, err := prefs.ParseXML(data)
		if err != nil {
			return
		}
		_, there := x.Get(name)
		if err := x.Delete(name); err != nil {
			t.Fatal(err)
		}
		got := x.Bytes()
		if !there {
			if !bytes.Equal(got, data) {
				t.Errorf("%q became %q", data, got)
			}
			return
		}
		if !isCut(data, got, name) {
			t.Errorf("%q became %q, which is not the removal of one attribute", data, got)
		}
		before, after := parse(t, string(data)), parse(t, string(got))
		left := slices.DeleteFunc(before.Names(), func(other string) bool { return other == name })
		if !slices.Equal(after.Names(), left) {
			t.Errorf("names are %q, want %q", after.Names(), left)
		}
		if differing := prefs.Diff(before, after); !slices.Equal(differing, []string{name}) {
			t.Errorf("it differs in %q", differing)
		}
	})
}

// isCut reports whether after is before with one run of bytes removed that is white space and this attribute.
func isCut(before, after []byte, name string) bool {
	size := len(before) - len(after)
	attribute := regexp.MustCompile(`^[ \t\r\n]+` + regexp.QuoteMeta(name) + `[ \t\r\n]*=[ \t\r\n]*("[^"]*"|'[^']*')$`)
	for at := 0; size > 0 && at <= len(after); at++ {
		if bytes.Equal(before[at+size:], after[at:]) && attribute.Match(before[at:at+size]) {
			return true
		}
		if before[at] != after[min(at, len(after)-1)] {
			break
		}
	}
	return false
}

func FuzzSet(f *testing.F) {
	for _, s := range corpus(f) {
		f.Add(s.data, prefs.KeyToken, "made-up & <new>\n\"token\"")
		f.Add(s.data, "FriendlyName", "den '居間'\t\r\n")
	}
	f.Add([]byte(`<Preferences a="1"/>`), "a:b", "x")
	f.Add([]byte(`<Preferences a="1"/>`), "a", "\x00")
	f.Fuzz(func(t *testing.T, data []byte, name, value string) {
		x, err := prefs.ParseXML(data)
		if err != nil {
			return
		}
		want := x.Names()
		if !slices.Contains(want, name) {
			want = append(want, name)
		}
		if err := x.Set(name, value); err != nil {
			if !errors.Is(err, prefs.ErrValue) || !bytes.Equal(x.Bytes(), data) {
				t.Errorf("Set(%q, %q) = %v and %q", name, value, err, x.Bytes())
			}
			if plainName.MatchString(name) && name != "xmlns" && holdable(value) {
				t.Errorf("Set(%q, %q) = %v, though XML can hold it", name, value, err)
			}
			return
		}
		before, after := parse(t, string(data)), parse(t, string(x.Bytes()))
		if got, ok := after.Get(name); got != value || !ok {
			t.Errorf("it reads back as %q %t, want %q", got, ok, value)
		}
		if !slices.Equal(after.Names(), want) {
			t.Errorf("names are %q, want %q", after.Names(), want)
		}
		for _, differing := range prefs.Diff(before, after) {
			if differing != name {
				t.Errorf("it changed %q", differing)
			}
		}
		agreesWithEtree(t, after)
	})
}

var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.\-]*$`)

// holdable asks encoding/xml's writer, which replaces what XML cannot hold.
func holdable(value string) bool {
	var escaped bytes.Buffer
	if err := xml.EscapeText(&escaped, []byte(value)); err != nil {
		return false
	}
	return utf8.ValidString(value) && strings.Count(escaped.String(), "\ufffd") == strings.Count(value, "\ufffd")
}

func TestTheCheckedInSeedsAreThere(t *testing.T) {
	for _, target := range []string{"FuzzParseXML", "FuzzDelete", "FuzzSet"} {
		if seeds, err := os.ReadDir(filepath.Join("testdata", "fuzz", target)); err != nil || len(seeds) == 0 {
			t.Errorf("%s has no seeds: %v", target, err)
		}
	}
}
