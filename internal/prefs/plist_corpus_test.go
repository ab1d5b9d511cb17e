package prefs_test

import (
	"bytes"
	"errors"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"howett.net/plist"
)

// plistCorpus returns the documents of testdata/plist/corpus by name, which says the format.
func plistCorpus(t testing.TB) []specimen {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "plist", "corpus", "*.plist"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 72 {
		t.Fatalf("the corpus has %d documents, some are missing", len(files))
	}
	specimens := make([]specimen, len(files))
	for i, file := range files {
		specimens[i] = specimen{name: strings.TrimSuffix(filepath.Base(file), ".plist"), data: read(t, file)}
	}
	return specimens
}

func (s specimen) readOnly() bool { return strings.HasPrefix(s.name, "openstep-") }

// editable returns the corpus without the format that is only read.
func editablePlists(t testing.TB) []specimen {
	return slices.DeleteFunc(plistCorpus(t), specimen.readOnly)
}

func parsePlist(t testing.TB, data []byte) *prefs.PropertyList {
	t.Helper()
	p, err := prefs.ParsePropertyList(data)
	if err != nil {
		t.Fatalf("ParsePropertyList: %v\n%q", err, data)
	}
	return p
}

// otherReading is what howett.net/plist reads.
func otherReading(t testing.TB, data []byte) (values map[string]any, format int) {
	t.Helper()
	format, err := plist.Unmarshal(data, &values)
	if err != nil {
		t.Fatalf("howett.net/plist refuses it: %v", err)
	}
	return values, format
}

// sameValues is reflect.DeepEqual for which not a number equals itself.
func sameValues(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && math.Float64bits(a) == math.Float64bits(b)
	case float32:
		b, ok := b.(float32)
		return ok && math.Float32bits(a) == math.Float32bits(b)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, sameValues)
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for key := range a {
			if other, there := b[key]; !there || !sameValues(a[key], other) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(a, b)
}

func TestPlistCorpusRoundTrips(t *testing.T) {
	for _, s := range plistCorpus(t) {
		t.Run(s.name, func(t *testing.T) {
			p := parsePlist(t, s.data)
			if !bytes.Equal(p.Bytes(), s.data) {
				t.Errorf("the bytes became %q", p.Bytes())
			}
			if err := p.Delete("absent"); err != nil || !bytes.Equal(p.Bytes(), s.data) {
				t.Errorf("deleting what is not there: %v, %q", err, p.Bytes())
			}
			values, _ := otherReading(t, s.data)
			if len(values) != len(p.Names()) {
				t.Errorf("%d names, another reader sees %d", len(p.Names()), len(values))
			}
			for _, name := range p.Names() {
				if _, ok := p.Get(name); !ok {
					t.Errorf("Get(%q) finds nothing", name)
				}
			}
		})
	}
}

func TestPlistEditsLeaveAllElseAsItWas(t *testing.T) {
	for _, s := range editablePlists(t) {
		t.Run(s.name, func(t *testing.T) {
			before, format := otherReading(t, s.data)
			p := parsePlist(t, s.data)
			names := p.Names()

			if err := p.Delete(prefs.BindingKeys()...); err != nil {
				t.Fatal(err)
			}
			isBinding := func(name string) bool { return slices.Contains(prefs.BindingKeys(), name) }
			left := slices.DeleteFunc(slices.Clone(names), isBinding)
			if !slices.Equal(p.Names(), left) {
				t.Errorf("names are %q, want %q", p.Names(), left)
			}
			for _, key := range prefs.BindingKeys() {
				delete(before, key)
			}
			checkReading(t, p.Bytes(), before, format)
			kept, _ := p.Get("kept") // in one document the same string
			if bytes.Contains(p.Bytes(), []byte("made-up-secret")) && kept != "made-up-secret" {
				t.Errorf("the value is still in the file: %q", p.Bytes())
			}

			if err := p.Set(prefs.KeyToken, "made-up & <new> 居間 🎬"); err != nil {
				t.Fatal(err)
			}
			if err := p.Set(prefs.KeyHome, "1"); err != nil {
				t.Fatal(err)
			}
			if want := append(left, prefs.KeyToken, prefs.KeyHome); !slices.Equal(p.Names(), want) {
				t.Errorf("names are %q, want %q", p.Names(), want)
			}
			before[prefs.KeyToken], before[prefs.KeyHome] = "made-up & <new> 居間 🎬", true
			checkReading(t, p.Bytes(), before, format)
		})
	}
}

// checkReading wants another reader to see these values.
func checkReading(t *testing.T, data []byte, want map[string]any, format int) {
	t.Helper()
	got, gotFormat := otherReading(t, data)
	if gotFormat != format {
		t.Errorf("the format is %d, not %d", gotFormat, format)
	}
	if !sameValues(got, want) {
		t.Errorf("another reader sees\n%#v, want\n%#v", got, want)
	}
}

func TestPlistDeleteUndoesSetToTheByte(t *testing.T) {
	for _, s := range editablePlists(t) {
		if strings.HasPrefix(s.name, "xml-empty") && s.name != "xml-empty-elements" ||
			slices.Contains([]string{"binary-unreferenced-object", "binary-gaps", "binary-aliased-object", "binary-exactly-256-objects"}, s.name) {
			continue // The first setting brings a layout that stays; an edit tidies up, and makes references wide enough.
		}
		t.Run(s.name, func(t *testing.T) {
			p := parsePlist(t, s.data)
			if err := p.Set("new", "x"); err != nil {
				t.Fatal(err)
			}
			if err := p.Delete("new"); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(p.Bytes(), s.data) {
				t.Errorf("got  %q\nwant %q", p.Bytes(), s.data)
			}
		})
	}
}

func TestPlistIsOnlyReadInTheFormatOfOpenStep(t *testing.T) {
	for _, s := range plistCorpus(t) {
		if !s.readOnly() {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			p := parsePlist(t, s.data)
			if err := p.Set("new", "x"); !errors.Is(err, prefs.ErrReadOnly) {
				t.Errorf("Set: %v, want ErrReadOnly", err)
			}
			if names := p.Names(); len(names) > 0 {
				if err := p.Delete(names[0]); !errors.Is(err, prefs.ErrReadOnly) {
					t.Errorf("Delete: %v, want ErrReadOnly", err)
				}
			}
			if err := p.Delete(prefs.KeyHome); err != nil {
				t.Errorf("deleting what is not there: %v", err)
			}
			if !bytes.Equal(p.Bytes(), s.data) {
				t.Errorf("it became %q", p.Bytes())
			}
		})
	}
}
