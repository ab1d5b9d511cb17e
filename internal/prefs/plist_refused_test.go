package prefs_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// plistRefusals maps the folders of testdata/plist/refused to the error that every document in them must be refused with.
var plistRefusals = map[string]error{
	"empty":             prefs.ErrEmpty,
	"truncated":         prefs.ErrTruncated,
	"not-property-list": prefs.ErrNotPropertyList,
	"not-xml":           prefs.ErrNotXML,
	"wrong-root":        prefs.ErrWrongRoot,
	"duplicate":         prefs.ErrDuplicate,
	"doctype":           prefs.ErrDoctype,
	"encoding":          prefs.ErrEncoding,
	"too-large":         prefs.ErrTooLarge,
}

func TestEachKindOfBrokenPlistIsRefusedWithItsOwnError(t *testing.T) {
	folders, err := os.ReadDir(filepath.Join("testdata", "plist", "refused"))
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) != len(plistRefusals) {
		t.Fatalf("there are %d folders for %d errors", len(folders), len(plistRefusals))
	}
	for kind, want := range plistRefusals {
		files, err := filepath.Glob(filepath.Join("testdata", "plist", "refused", kind, "*.plist"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no documents for %s: %v", kind, err)
		}
		for _, file := range files {
			t.Run(kind+"/"+strings.TrimSuffix(filepath.Base(file), ".plist"), func(t *testing.T) {
				p, err := prefs.ParsePropertyList(read(t, file))
				if p != nil {
					t.Error("a document came with the error")
				}
				checkPlistError(t, err, want)
			})
		}
	}
}

// checkPlistError wants an error that is exactly one of the sentinels and has no value.
func checkPlistError(t testing.TB, err, want error) {
	t.Helper()
	for _, sentinel := range plistSentinels() {
		if got := errors.Is(err, sentinel); got != (sentinel == want) {
			t.Errorf("errors.Is(err, %q) = %t; err is %v", sentinel, got, err)
		}
	}
	if err != nil && strings.Contains(err.Error(), "made-up-secret") {
		t.Errorf("the error quotes the document: %v", err)
	}
}

func plistSentinels() []error {
	list := []error{prefs.ErrValue, prefs.ErrUnproven, prefs.ErrReadOnly}
	for _, sentinel := range plistRefusals {
		list = append(list, sentinel)
	}
	return list
}

// A write that is cut off leaves any prefix.
func TestEveryPrefixOfAPlistIsRefusedAsTruncatedOrEmpty(t *testing.T) {
	for _, s := range plistCorpus(t) {
		t.Run(s.name, func(t *testing.T) {
			for cut := range s.data {
				_, err := prefs.ParsePropertyList(s.data[:cut])
				if err == nil && complete(s, cut) {
					continue
				}
				if !errors.Is(err, prefs.ErrTruncated) && !errors.Is(err, prefs.ErrEmpty) {
					t.Errorf("the first %d of %d bytes: %v", cut, len(s.data), err)
				}
			}
		})
	}
}

// complete reports whether nothing but white space and comments is cut off.
func complete(s specimen, cut int) bool {
	end := "</plist>"
	switch {
	case strings.HasPrefix(s.name, "binary-"):
		return false
	case s.readOnly():
		end = "}"
	}
	return cut >= strings.LastIndex(string(s.data), end)+len(end)
}

func TestPlistSizeIsLimited(t *testing.T) {
	fill := func(size int) []byte {
		const head, tail = "<plist><dict><key>a</key><string>", "</string></dict></plist>"
		return []byte(head + strings.Repeat("x", size-len(head)-len(tail)) + tail)
	}
	if _, err := prefs.ParsePropertyList(fill(largest)); err != nil {
		t.Errorf("16 MiB: %v", err)
	}
	if _, err := prefs.ParsePropertyList(fill(largest + 1)); !errors.Is(err, prefs.ErrTooLarge) {
		t.Errorf("a byte more: %v, want ErrTooLarge", err)
	}
	p := parsePlist(t, fill(largest))
	if err := p.Set("b", "x"); !errors.Is(err, prefs.ErrTooLarge) {
		t.Errorf("Set: %v, want ErrTooLarge", err)
	}
}

func TestWhatReadersOfPlistsTakeLongForIsLimited(t *testing.T) {
	for _, c := range []struct{ name, document string }{
		{"settings in XML", "<plist><dict><key>a</key><array>" + strings.Repeat("<true/>", 260_000) + "</array></dict></plist>"},
		{"comments in XML", "<plist><dict>" + strings.Repeat("<!---->", 260_000) + "</dict></plist>"},
		{"size in the format of OpenStep", `{ a = "` + strings.Repeat("x", 1<<20) + `"; }`},
		{"escapes", `{ a = "` + strings.Repeat(`\n`, 5000) + `"; }`},
		{"values in the format of OpenStep", "{ a = (" + strings.Repeat("1,", 260_000) + "); }"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := prefs.ParsePropertyList([]byte(c.document))
			checkPlistError(t, err, prefs.ErrTooLarge)
		})
	}
	parsePlist(t, []byte(`{ a = "`+strings.Repeat("x", 1<<20-5000)+strings.Repeat(`\n`, 2000)+`"; }`))
}
