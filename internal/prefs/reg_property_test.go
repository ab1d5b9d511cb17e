package prefs_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"pgregory.net/rapid"
)

func parseRegGenerated(t *rapid.T, text string) *prefs.Registry {
	r, err := prefs.ParseRegistry(version5(text))
	if err != nil {
		t.Fatalf("ParseRegistry: %v\n%q", err, text)
	}
	return r
}

func TestPropertyAnExportSaysWhatItsPartsMean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := regDocuments.Draw(t, "document")
		r := parseRegGenerated(t, g.text())
		if !bytes.Equal(r.Bytes(), version5(g.text())) {
			t.Errorf("the bytes became %q", r.Bytes())
		}
		if !slices.Equal(r.Names(), g.names()) {
			t.Errorf("names are %q, want %q", r.Names(), g.names())
		}
		for _, p := range g.values {
			if got, ok := r.Get(p.name); got != p.value || !ok {
				t.Errorf("Get(%q) = %q %t, want %q", p.name, got, ok, p.value)
			}
		}
	})
}

func TestPropertyDeleteCutsLinesOfAnExport(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := regDocuments.Draw(t, "document")
		doomed := rapid.SliceOf(rapid.OneOf(regNames, rapid.SampledFrom(append(g.names(), "absent")))).Draw(t, "doomed")
		r := parseRegGenerated(t, g.text())
		if err := r.Delete(doomed...); err != nil {
			t.Fatal(err)
		}
		if got, want := fromVersion5(r.Bytes()), g.text(doomed...); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

func TestPropertySetChangesOneRightSideOfAnExport(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := regDocuments.Filter(func(g regGenerated) bool { return len(g.values) > 0 }).Draw(t, "document")
		i := rapid.IntRange(0, len(g.values)-1).Draw(t, "which")
		value := regWritable.Draw(t, "value")
		r := parseRegGenerated(t, g.text())
		if !slices.ContainsFunc(r.Values(), func(v prefs.RegistryValue) bool { return v.Name == g.values[i].name && v.Type == 1 }) {
			t.Skip("not a text")
		}
		if err := r.Set(g.values[i].name, value); err != nil {
			t.Fatal(err)
		}
		before, after := g, g
		before.values, before.tail = g.values[:i], ""
		after.values, after.head = g.values[i+1:], ""
		got := fromVersion5(r.Bytes())
		if value == g.values[i].value && got != g.text() || !strings.HasPrefix(got, before.text()+g.values[i].before) || !strings.HasSuffix(got, g.values[i].after+after.text()) {
			t.Errorf("%q became %q", g.text(), got)
		}
		if read, _ := parseRegGenerated(t, got).Get(g.values[i].name); read != value {
			t.Errorf("it reads back as %q, want %q", read, value)
		}
	})
}

func TestPropertyDeleteUndoesTheSetOfANewRegistryName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := regDocuments.Draw(t, "document")
		r := parseRegGenerated(t, g.text())
		name := regNames.Filter(func(name string) bool {
			_, ok := r.Get(name)
			return !ok && name != prefs.KeyHome
		}).Draw(t, "name")
		if err := r.Set(name, regWritable.Draw(t, "value")); err != nil {
			t.Fatal(err)
		}
		if got := r.Names(); !slices.Equal(got, append(g.names(), name)) {
			t.Errorf("names are %q", got)
		}
		if err := r.Delete(name); err != nil {
			t.Fatal(err)
		}
		if got := fromVersion5(r.Bytes()); got != g.text() {
			t.Errorf("got  %q\nwant %q", got, g.text())
		}
	})
}

func TestPropertyAnExportMadeOfTheValuesOfAnotherHasThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := parseRegGenerated(t, regDocuments.Draw(t, "document").text())
		again, err := prefs.NewRegistry(r.Key(), r.Values())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(r.Values(), again.Values(), sameValue) {
			t.Errorf("%q became %q", r.Bytes(), again.Bytes())
		}
	})
}

func TestPropertyTheDeltaMakesOneExportTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := parseRegGenerated(t, regDocuments.Draw(t, "before").text())
		after := parseRegGenerated(t, regDocuments.Draw(t, "after").text())
		deleted, set, err := prefs.RegistryDelta(before, after)
		if err != nil {
			t.Fatal(err)
		}
		named := func(v prefs.RegistryValue, name string) bool { return strings.EqualFold(v.Name, name) }
		values := slices.DeleteFunc(before.Values(), func(v prefs.RegistryValue) bool {
			return slices.ContainsFunc(deleted, func(name string) bool { return named(v, name) }) ||
				slices.ContainsFunc(set, func(next prefs.RegistryValue) bool { return named(v, next.Name) })
		})
		became, err := prefs.NewRegistry(before.Key(), append(values, set...))
		if err != nil {
			t.Fatal(err)
		}
		if deleted, set, err := prefs.RegistryDelta(became, after); err != nil || len(deleted)+len(set) > 0 {
			t.Errorf("%q becomes %q, which differs by %q and %v: %v", before.Bytes(), became.Bytes(), deleted, set, err)
		}
	})
}

func TestPropertyNoErrorOfAnExportShowsAValue(t *testing.T) {
	const secret = "made-up-secret"
	refused := 0
	rapid.Check(t, func(t *rapid.T) {
		g := regDocuments.Draw(t, "document")
		g.values = slices.DeleteFunc(g.values, func(p regPart) bool { return strings.EqualFold(p.name, prefs.KeyToken) })
		token := regPart{before: `"` + prefs.KeyToken + `"=`, right: `"` + secret + `"`, after: g.eol}
		g.values = slices.Insert(g.values, rapid.IntRange(0, len(g.values)).Draw(t, "place"), token)
		damaged := g.text()
		for range rapid.IntRange(1, 3).Draw(t, "times") {
			at := rapid.SampledFrom(boundaries(damaged)).Draw(t, "at")
			patch := rapid.SampledFrom([]string{"", " ", `"`, `\`, "[", "]", ";", "=", ",", "\x00", "\r", "\n", "a"}).Draw(t, "patch")
			damaged = damaged[:at] + patch + damaged[at:]
		}
		data := version5(damaged)
		data = data[:rapid.IntRange(0, 3).Draw(t, "cut")*len(data)/4+len(data)%4]
		for _, data := range [][]byte{version5(damaged), data} {
			if _, err := prefs.ParseRegistry(data); err != nil {
				refused++
				if strings.Contains(fmt.Sprintf("%+v", err), "made-up") {
					t.Errorf("%q: %v", damaged, err)
				}
			}
		}
	})
	if refused == 0 {
		t.Error("no document was refused, so nothing was tested")
	}
}

// boundaries is where the characters of a text begin.
func boundaries(text string) []int {
	var list []int
	for at := range text {
		list = append(list, at)
	}
	return list
}
