package prefs_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// refusals maps the folders of testdata/refused to the error that every document in them must be refused with.
var refusals = map[string]error{
	"empty":      prefs.ErrEmpty,
	"truncated":  prefs.ErrTruncated,
	"not-xml":    prefs.ErrNotXML,
	"wrong-root": prefs.ErrWrongRoot,
	"duplicate":  prefs.ErrDuplicate,
	"doctype":    prefs.ErrDoctype,
	"encoding":   prefs.ErrEncoding,
	"too-large":  prefs.ErrTooLarge,
}

func TestEachKindOfBrokenDocumentIsRefusedWithItsOwnError(t *testing.T) {
	folders, err := os.ReadDir(filepath.Join("testdata", "refused"))
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) != len(refusals) {
		t.Fatalf("there are %d folders for %d errors", len(folders), len(refusals))
	}
	for kind, want := range refusals {
		files, err := filepath.Glob(filepath.Join("testdata", "refused", kind, "*.xml"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no documents for %s: %v", kind, err)
		}
		for _, file := range files {
			t.Run(kind+"/"+strings.TrimSuffix(filepath.Base(file), ".xml"), func(t *testing.T) {
				x, err := prefs.ParseXML(read(t, file))
				if x != nil {
					t.Error("a document came with the error")
				}
				checkRefusal(t, err, want)
			})
		}
	}
}

// checkRefusal wants an error that is exactly one of the sentinels, says where the fault is, and has no value.
func checkRefusal(t *testing.T, err, want error) {
	t.Helper()
	for _, sentinel := range append(sentinels(), prefs.ErrValue, prefs.ErrUnproven) {
		if got := errors.Is(err, sentinel); got != (sentinel == want) {
			t.Errorf("errors.Is(err, %q) = %t; err is %v", sentinel, got, err)
		}
	}
	if err == nil {
		return
	}
	if strings.Contains(err.Error(), "made-up-secret") && want != prefs.ErrDuplicate {
		t.Errorf("the error quotes the document: %v", err)
	}
	placed := regexp.MustCompile(`line \d+, byte offset \d+: `).MatchString(err.Error())
	if unplaced := want == prefs.ErrEmpty; placed == unplaced {
		t.Errorf("the error says where: %t: %v", placed, err)
	}
}

func sentinels() []error {
	var list []error
	for _, sentinel := range refusals {
		list = append(list, sentinel)
	}
	return list
}

func TestErrorsSayWhere(t *testing.T) {
	for _, c := range []struct{ document, want string }{
		{"<?xml version=\"1.0\"?>\n<!-- -->\n<Preferences a=\"1\"\nb=2/>", "line 4, byte offset 52: the value of attribute 2 is not quoted"},
		{`<Preferences a="1" a="2"/>`, `line 1, byte offset 18: "a"`},
		{`<MediaContainer/>`, `line 1, byte offset 1: it is "MediaContainer"`},
		{"<Preferences\n a=\"&#0;\"/>", "line 2, byte offset 17: "},
		{`<!-- a -- b --><Preferences/>`, "line 1, byte offset 9: a comment contains two hyphens"},
		{`<Preferences a"1"/>`, "line 1, byte offset 14: no equals sign follows the name of attribute 1"},
		{`<Preferences></Preferences a="1">`, "line 1, byte offset 27: something follows the name in an end tag"},
		{"<Preferences\n a=\"1", "line 2, byte offset 18: the value of attribute 1 is not closed"},
	} {
		_, err := prefs.ParseXML([]byte(c.document))
		if !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%q: %v, want %q", c.document, err, c.want)
		}
	}
}

// largest is the largest document that is read or written, as docs/design/limits.md has it.
const largest = 16 << 20

func TestSizeIsLimited(t *testing.T) {
	fill := func(size int) []byte {
		const head, tail = `<Preferences a="`, `"/>`
		return []byte(head + strings.Repeat("x", size-len(head)-len(tail)) + tail)
	}
	if _, err := prefs.ParseXML(fill(largest)); err != nil {
		t.Errorf("16 MiB: %v", err)
	}
	if _, err := prefs.ParseXML(fill(largest + 1)); !errors.Is(err, prefs.ErrTooLarge) {
		t.Errorf("a byte more: %v, want ErrTooLarge", err)
	}
}

func TestDepthIsLimited(t *testing.T) {
	nest := func(depth int, inner string) string {
		return strings.Repeat("<Preferences>", depth) + inner + strings.Repeat("</Preferences>", depth)
	}
	parse(t, nest(64, "<a/>"))
	if _, err := prefs.ParseXML([]byte(nest(65, ""))); !errors.Is(err, prefs.ErrTooLarge) {
		t.Errorf("65 elements: %v, want ErrTooLarge", err)
	}
}

func TestTheNumberOfAttributesElementsAndCommentsIsLimited(t *testing.T) {
	for _, c := range []struct{ name, head, repeated, tail string }{
		{"attributes", "<Preferences", ` n%d="1"`, "/>"},
		{"children", "<Preferences>", "<n%d/>", "</Preferences>"},
		{"comments", "", "<!--%d-->", "<Preferences/>"},
		{"instructions", "<Preferences/>", "<?n%d?>", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var b strings.Builder
			for i := range 260_000 {
				fmt.Fprintf(&b, c.repeated, i)
			}
			if _, err := prefs.ParseXML([]byte(c.head + b.String() + c.tail)); !errors.Is(err, prefs.ErrTooLarge) {
				t.Errorf("260000 of them: %v, want ErrTooLarge", err)
			}
		})
	}
}

// A server that is killed as it writes its preferences leaves any prefix of them.
func TestEveryPrefixIsRefusedAsTruncatedOrEmpty(t *testing.T) {
	complete := regexp.MustCompile(`(?s)^(\s|<!--.*?-->|<\?.*?\?>)*$`) // all that may follow the root element
	for _, s := range corpus(t) {
		t.Run(s.name, func(t *testing.T) {
			accepted := 0
			for cut := range s.data {
				_, err := prefs.ParseXML(s.data[:cut])
				switch {
				case err == nil && complete.Match(s.data[cut:]):
					accepted++
				case err == nil:
					t.Errorf("the first %d bytes were accepted", cut)
				case !errors.Is(err, prefs.ErrTruncated) && !errors.Is(err, prefs.ErrEmpty):
					t.Errorf("the first %d bytes: %v", cut, err)
				}
			}
			if accepted > 100 {
				t.Errorf("%d prefixes were accepted", accepted)
			}
		})
	}
}
