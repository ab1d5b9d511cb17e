package prefs_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"pgregory.net/rapid"
)

func parseGenerated(t *rapid.T, data string) *prefs.XML {
	x, err := prefs.ParseXML([]byte(data))
	if err != nil {
		t.Fatalf("ParseXML: %v\n%q", err, data)
	}
	return x
}

func TestPropertyADocumentSaysWhatItsPartsMean(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := documents.Draw(t, "document")
		x := parseGenerated(t, g.text())
		if got := string(x.Bytes()); got != g.text() {
			t.Errorf("the bytes became %q", got)
		}
		if !slices.Equal(x.Names(), g.names()) {
			t.Errorf("names are %q, want %q", x.Names(), g.names())
		}
		for _, p := range g.attrs {
			if got, ok := x.Get(p.name); got != p.value || !ok {
				t.Errorf("Get(%q) = %q %t, want %q", p.name, got, ok, p.value)
			}
		}
	})
}

func TestPropertyDeleteThenParseIsParseWithout(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := documents.Draw(t, "document")
		doomed := rapid.SliceOf(rapid.OneOf(names, rapid.SampledFrom(append(g.names(), "absent")))).Draw(t, "doomed")
		x := parseGenerated(t, g.text())
		if err := x.Delete(doomed...); err != nil {
			t.Fatal(err)
		}
		if got, want := string(x.Bytes()), g.text(doomed...); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		if differing := prefs.Diff(x, parseGenerated(t, g.text(doomed...))); differing != nil {
			t.Errorf("it differs in %q from the document without them", differing)
		}
	})
}

func TestPropertySetChangesOneValueBetweenItsQuotes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := documents.Filter(func(g generated) bool { return len(g.attrs) > 0 }).Draw(t, "document")
		i := rapid.IntRange(0, len(g.attrs)-1).Draw(t, "which")
		value := writable.Draw(t, "value")
		x := parseGenerated(t, g.text())
		if err := x.Set(g.attrs[i].name, value); err != nil {
			t.Fatal(err)
		}
		same := value == g.attrs[i].value
		before := g.head + texts(g.attrs[:i]) + g.attrs[i].before
		after := g.attrs[i].quote + texts(g.attrs[i+1:]) + g.tail
		got := string(x.Bytes())
		if same != (got == g.text()) || !strings.HasPrefix(got, before) || !strings.HasSuffix(got, after) {
			t.Errorf("%q became %q", g.text(), got)
		}
		if read, _ := parseGenerated(t, got).Get(g.attrs[i].name); read != value {
			t.Errorf("it reads back as %q, want %q", read, value)
		}
	})
}

func TestPropertyDeleteUndoesTheSetOfANewName(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := documents.Draw(t, "document")
		name := names.Filter(func(name string) bool { return !slices.Contains(g.names(), name) }).Draw(t, "name")
		x := parseGenerated(t, g.text())
		if err := x.Set(name, writable.Draw(t, "value")); err != nil {
			t.Fatal(err)
		}
		if got := x.Names(); !slices.Equal(got, append(g.names(), name)) {
			t.Errorf("names are %q", got)
		}
		if err := x.Delete(name); err != nil {
			t.Fatal(err)
		}
		if got := string(x.Bytes()); got != g.text() {
			t.Errorf("got  %q\nwant %q", got, g.text())
		}
	})
}

func TestPropertyNoErrorShowsAValue(t *testing.T) {
	const secret = "made-up-secret"
	refused := 0
	rapid.Check(t, func(t *rapid.T) {
		g := documents.Draw(t, "document")
		g.attrs = slices.DeleteFunc(g.attrs, func(p part) bool { return p.name == prefs.KeyToken })
		token := part{before: " " + prefs.KeyToken + `="`, raw: secret, quote: `"`, name: prefs.KeyToken}
		g.attrs = slices.Insert(g.attrs, rapid.IntRange(0, len(g.attrs)).Draw(t, "place"), token)
		damaged := []byte(g.text())
		for range rapid.IntRange(1, 3).Draw(t, "times") {
			at := rapid.IntRange(0, len(damaged)-1).Draw(t, "at")
			patch := rapid.SampledFrom([]string{"", " ", `"`, "'", "<", ">", "/", "&", ";", "=", "\x00", "\xff", "a"}).Draw(t, "patch")
			keep := rapid.IntRange(0, 1).Draw(t, "keep") // insert or replace
			damaged = slices.Concat(damaged[:at], []byte(patch), damaged[at+1-keep:])
		}
		if _, err := prefs.ParseXML(damaged); err != nil {
			refused++
			if strings.Contains(fmt.Sprintf("%+v", err), secret) {
				t.Errorf("%q: %v", damaged, err)
			}
		}
	})
	if refused == 0 {
		t.Error("no document was refused, so nothing was tested")
	}
}

func texts(parts []part) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.text())
	}
	return b.String()
}
