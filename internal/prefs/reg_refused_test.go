package prefs_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// regRefusals maps the folders of testdata/reg/refused to the error that every document in them must be refused with.
var regRefusals = map[string]error{
	"empty":        prefs.ErrEmpty,
	"truncated":    prefs.ErrTruncated,
	"not-registry": prefs.ErrNotRegistry,
	"no-key":       prefs.ErrNoKey,
	"duplicate":    prefs.ErrDuplicate,
	"encoding":     prefs.ErrEncoding,
}

func TestEachKindOfBrokenExportIsRefusedWithItsOwnError(t *testing.T) {
	folders, err := os.ReadDir(filepath.Join("testdata", "reg", "refused"))
	if err != nil {
		t.Fatal(err)
	}
	if len(folders) != len(regRefusals) {
		t.Fatalf("there are %d folders for %d errors", len(folders), len(regRefusals))
	}
	for kind, want := range regRefusals {
		files, err := filepath.Glob(filepath.Join("testdata", "reg", "refused", kind, "*.reg"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no documents for %s: %v", kind, err)
		}
		for _, file := range files {
			t.Run(kind+"/"+strings.TrimSuffix(filepath.Base(file), ".reg"), func(t *testing.T) {
				r, err := prefs.ParseRegistry(read(t, file))
				if r != nil {
					t.Error("a document came with the error")
				}
				checkRegRefusal(t, err, want)
			})
		}
	}
}

// checkRegRefusal wants an error that is exactly one of the sentinels and has no value.
func checkRegRefusal(t *testing.T, err, want error) {
	t.Helper()
	for _, sentinel := range regSentinels() {
		if got := errors.Is(err, sentinel); got != (sentinel == want) {
			t.Errorf("errors.Is(err, %q) = %t; err is %v", sentinel, got, err)
		}
	}
	if strings.Contains(fmt.Sprint(err), "made-up") {
		t.Errorf("the error has a value: %v", err)
	}
}

func regSentinels() []error {
	list := append(sentinels(), prefs.ErrNotRegistry, prefs.ErrNoKey, prefs.ErrValue, prefs.ErrUnproven)
	slices.SortFunc(list, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return slices.Compact(list)
}

func TestRegistryErrorsSayWhere(t *testing.T) {
	for _, c := range []struct {
		document []byte
		want     string
	}{
		{version5(export(`"a"=b`)), "line 4, byte offset 208: not a value of a known form"},
		{[]byte(export4(`"a"=b`)), "line 4, byte offset 75: not a value of a known form"},
		{version5(export(`"a"="b"`, ``, `"c`)), "line 6, byte offset 226: a name goes on over a line break"},
		{version5(export(`"a"="b"`, `"A"="c"`)), "value 2 of the key has the name of value 1"},
	} {
		if _, err := prefs.ParseRegistry(c.document); !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
}

// Each prefix of an export is one that was cut short as it was written or read.
func TestNoPrefixOfAnExportIsTakenForAnotherValue(t *testing.T) {
	for _, s := range regCorpus(t) {
		t.Run(s.name, func(t *testing.T) {
			whole := parseReg(t, s.data).Values()
			for cut := range s.data {
				r, err := prefs.ParseRegistry(s.data[:cut])
				switch {
				case err == nil:
					// Between two lines, where nothing shows that there were more.
					n := len(r.Names())
					if !slices.EqualFunc(r.Values(), whole[:n], sameValue) {
						t.Errorf("the first %d bytes have other values", cut)
					}
				case !errors.Is(err, prefs.ErrTruncated) && !errors.Is(err, prefs.ErrEmpty) && !errors.Is(err, prefs.ErrNoKey):
					t.Errorf("the first %d bytes: %v", cut, err)
				}
			}
		})
	}
}

func sameValue(a, b prefs.RegistryValue) bool {
	return a.Name == b.Name && a.Type == b.Type && bytes.Equal(a.Data, b.Data)
}

func TestTheSizeOfAnExportIsLimited(t *testing.T) {
	head, tail := []byte(export4()+";"), []byte("\r\n")
	fill := func(size int) []byte {
		return slices.Concat(head, bytes.Repeat([]byte("x"), size-len(head)-len(tail)), tail)
	}
	r := parseReg(t, fill(largest))
	if err := r.Set("b", "x"); !errors.Is(err, prefs.ErrTooLarge) {
		t.Errorf("an edit that makes it too large: %v", err)
	}
	_, err := prefs.ParseRegistry(fill(largest + 1))
	checkRegRefusal(t, err, prefs.ErrTooLarge)
}
