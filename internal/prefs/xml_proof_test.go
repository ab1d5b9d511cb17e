package prefs

import (
	"errors"
	"strconv"
	"strings"
	"testing"
)

// These tests reach inside: what they guard against are defects of this package, which its own API cannot show while it has none.

func TestAnEditThatDoesNotReadBackAsIntendedChangesNothing(t *testing.T) {
	const original = `<!--c--><?p i?><Preferences a="1" PlexOnlineToken="made-up-secret" b="2"><d e="f">text</d></Preferences><!--g-->`
	want := []setting{{"a", "1"}, {"b", "2"}}
	for _, c := range []struct{ name, edited string }{
		{"nothing was cut", original},
		{"too much was cut", strings.Replace(original, ` PlexOnlineToken="made-up-secret" b="2"`, ``, 1)},
		{"the wrong one was cut", strings.Replace(original, ` b="2"`, ``, 1)},
		{"a value was changed", strings.Replace(original, `PlexOnlineToken="made-up-secret" b="2"`, `b="3"`, 1)},
		{"a name was changed", strings.Replace(original, `PlexOnlineToken="made-up-secret" b="2"`, `B="2"`, 1)},
		{"the order was changed", strings.Replace(original, `a="1" PlexOnlineToken="made-up-secret" b="2"`, `b="2" a="1"`, 1)},
		{"a comment was changed", strings.Replace(original, ` PlexOnlineToken="made-up-secret" b="2"><d e="f">text</d></Preferences><!--g-->`, ` b="2"><d e="f">text</d></Preferences><!--h-->`, 1)},
		{"a comment was lost", strings.Replace(original, `<!--c--><?p i?><Preferences a="1" PlexOnlineToken="made-up-secret"`, `<?p i?><Preferences a="1"`, 1)},
		{"one was added at the end", strings.Replace(original, `PlexOnlineToken="made-up-secret" b="2"`, `b="2" c="3"`, 1)},
		{"an instruction's name was changed", strings.Replace(original, `<?p i?><Preferences a="1" PlexOnlineToken="made-up-secret"`, `<?q i?><Preferences a="1"`, 1)},
		{"an instruction was changed", strings.Replace(original, `<?p i?><Preferences a="1" PlexOnlineToken="made-up-secret"`, `<?p j?><Preferences a="1"`, 1)},
		{"a child was lost", strings.Replace(original, ` PlexOnlineToken="made-up-secret" b="2"><d e="f">text</d>`, ` b="2">`, 1)},
		{"a child's name was changed", strings.Replace(original, ` PlexOnlineToken="made-up-secret" b="2"><d e="f">text</d>`, ` b="2"><D e="f">text</D>`, 1)},
		{"a child's attribute was renamed", strings.Replace(original, ` PlexOnlineToken="made-up-secret" b="2"><d e="f">`, ` b="2"><d E="f">`, 1)},
		{"a child's attribute was changed", strings.Replace(original, ` PlexOnlineToken="made-up-secret" b="2"><d e="f">`, ` b="2"><d e="F">`, 1)},
		{"a child's attribute was lost", strings.Replace(original, ` PlexOnlineToken="made-up-secret" b="2"><d e="f">`, ` b="2"><d>`, 1)},
		{"text was changed", strings.Replace(original, ` PlexOnlineToken="made-up-secret" b="2"><d e="f">text`, ` b="2"><d e="f">Text`, 1)},
		{"text became a comment", strings.Replace(original, ` PlexOnlineToken="made-up-secret" b="2"><d e="f">text`, ` b="2"><d e="f"><!--text-->`, 1)},
		{"it was emptied", ``},
		{"it was truncated", strings.TrimSuffix(original, `Preferences><!--g-->`)},
		{"it is not XML any more", strings.Replace(original, ` PlexOnlineToken="`, ` `, 1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, err := ParseXML([]byte(original))
			if err != nil {
				t.Fatal(err)
			}
			err = x.become([]byte(c.edited), want)
			if !errors.Is(err, ErrUnproven) {
				t.Errorf("become = %v, want ErrUnproven", err)
			} else if strings.Contains(err.Error(), "made-up-secret") {
				t.Errorf("the error has a value: %v", err)
			}
			for _, other := range []error{ErrEmpty, ErrTruncated, ErrNotXML} {
				if errors.Is(err, other) {
					t.Errorf("the error passes for a fault of the server's file: %v", err)
				}
			}
			if token, _ := x.Get(KeyToken); string(x.Bytes()) != original || token != "made-up-secret" {
				t.Errorf("the document became %q", x.Bytes())
			}
		})
	}
	// And the control: the same proof lets the right edit pass.
	x, err := ParseXML([]byte(original))
	if err != nil {
		t.Fatal(err)
	}
	if err := x.become([]byte(strings.Replace(original, ` PlexOnlineToken="made-up-secret"`, ``, 1)), want); err != nil {
		t.Errorf("the right edit: %v", err)
	}
}

func TestADocumentThatTwoReadersSeeDifferentlyIsRefused(t *testing.T) {
	const document = `<Preferences a="1" b="2"/>`
	for _, c := range []struct {
		name, second string
		want         error
	}{
		{"another value", `<Preferences a="1" b="3"/>`, ErrNotXML},
		{"another name", `<Preferences a="1" B="2"/>`, ErrNotXML},
		{"another order", `<Preferences b="2" a="1"/>`, ErrNotXML},
		{"more attributes", `<Preferences a="1" b="2" c="3"/>`, ErrNotXML},
		{"fewer attributes", `<Preferences a="1"/>`, ErrNotXML},
		{"another root", `<preferences a="1" b="2"/>`, ErrNotXML},
		{"two roots", `<Preferences a="1" b="2"/><x/>`, ErrNotXML},
		{"a declaration", `<!DOCTYPE Preferences><Preferences a="1" b="2"/>`, ErrDoctype},
		{"the same", `<Preferences a='1' b='2'></Preferences>`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			root, err := scan([]byte(document))
			if err != nil {
				t.Fatal(err)
			}
			tree, err := readTree([]byte(c.second))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := newXML([]byte(document), root, tree); !errors.Is(err, c.want) {
				t.Errorf("newXML = %v, want %v", err, c.want)
			}
		})
	}
}

func TestTheSecondReaderRefusesWhatIsNoDocument(t *testing.T) {
	for _, data := range []string{"", "<!-- -->", "<a", "<a></b>", `<a b="&made-up-secret;"/>`} {
		if _, err := readTree([]byte(data)); !errors.Is(err, ErrNotXML) || strings.Contains(err.Error(), "made-up-secret") {
			t.Errorf("readTree(%q) = %v, want ErrNotXML without a value", data, err)
		}
	}
	tree, err := readTree([]byte(`<a b="1" b="2"/>`))
	if err != nil || len(settings(tree)) != 2 {
		t.Errorf("a duplicate is hidden: %v, %v", settings(tree), err)
	}
}

func TestAnEditThatMakesTheDocumentTooLargeSaysSo(t *testing.T) {
	x, err := ParseXML([]byte(`<Preferences` + manySettings(maxMarkup-1) + `/>`)) // one name is the root's
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Set("oneMore", "1"); !errors.Is(err, ErrTooLarge) || errors.Is(err, ErrUnproven) {
		t.Errorf("Set = %v, want ErrTooLarge", err)
	}
}

func manySettings(count int) string {
	var b strings.Builder
	for i := range count {
		b.WriteString(" n" + strconv.Itoa(i) + `=""`)
	}
	return b.String()
}
