package prefs_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"howett.net/plist"
)

// Beside the seeds made here, a target may have some under testdata/fuzz, which were found by fuzzing.

// plistSeeds returns every document of testdata/plist, accepted or refused.
func plistSeeds(f *testing.F) [][]byte {
	f.Helper()
	var seeds [][]byte
	for _, s := range plistCorpus(f) {
		seeds = append(seeds, s.data)
	}
	refused, err := filepath.Glob(filepath.Join("testdata", "plist", "refused", "*", "*.plist"))
	if err != nil || len(refused) == 0 {
		f.Fatal("no refused documents", err)
	}
	for _, file := range refused {
		seeds = append(seeds, read(f, file))
	}
	return seeds
}

func FuzzPropertyListParse(f *testing.F) {
	for _, seed := range plistSeeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := prefs.ParsePropertyList(data)
		if err != nil {
			matched := 0
			for _, sentinel := range plistSentinels() {
				if errors.Is(err, sentinel) {
					matched++
				}
			}
			if matched != 1 {
				t.Errorf("an error of %d kinds: %v", matched, err)
			}
			return
		}
		if !bytes.Equal(p.Bytes(), data) {
			t.Errorf("the bytes became %q", p.Bytes())
		}
		if names := slices.Sorted(slices.Values(p.Names())); len(slices.Compact(names)) != len(p.Names()) {
			t.Errorf("a name is there twice: %q", names)
		}
		if diff := prefs.Diff(p, parsePlist(t, data)); diff != nil {
			t.Errorf("it differs from itself in %q", diff)
		}
	})
}

func FuzzPropertyListEdit(f *testing.F) {
	for _, seed := range plistSeeds(f) {
		f.Add(seed, prefs.KeyToken, "made-up & <new>\r\n\"token\"")
		f.Add(seed, prefs.KeyHome, "0")
		f.Add(seed, "one", "18446744073709551615")
		f.Add(seed, "kept", "居間 🎬")
	}
	f.Fuzz(func(t *testing.T, data []byte, name, value string) {
		original, err := prefs.ParsePropertyList(data)
		if err != nil {
			return
		}
		_, there := original.Get(name)
		without := parsePlist(t, data)
		if err := without.Delete(name); checkFuzzedEdit(t, original, without, name, err) && there {
			if slices.Contains(without.Names(), name) {
				t.Errorf("%q is still there", name)
			}
		}
		with := parsePlist(t, data)
		if err := with.Set(name, value); checkFuzzedEdit(t, original, with, name, err) {
			if got, ok := with.Get(name); got != value || !ok {
				t.Errorf("Get = %q %t, want %q", got, ok, value)
			}
		}
	})
}

// checkFuzzedEdit wants an edit to have changed nothing but name, or nothing at all if there is an error. It reports whether it was made.
func checkFuzzedEdit(t *testing.T, before, after *prefs.PropertyList, name string, err error) bool {
	t.Helper()
	if err != nil {
		if !errors.Is(err, prefs.ErrValue) && !errors.Is(err, prefs.ErrReadOnly) && !errors.Is(err, prefs.ErrTooLarge) {
			t.Errorf("%q: %v", before.Bytes(), err)
		}
		if !bytes.Equal(before.Bytes(), after.Bytes()) {
			t.Errorf("a refused edit changed %q to %q", before.Bytes(), after.Bytes())
		}
		return false
	}
	if diff := prefs.Diff(before, parsePlist(t, after.Bytes())); len(diff) > 1 || len(diff) == 1 && diff[0] != name {
		t.Errorf("%q became %q, which differs in %q", before.Bytes(), after.Bytes(), diff)
	}
	is := func(other string) bool { return other == name }
	if !slices.Equal(slices.DeleteFunc(before.Names(), is), slices.DeleteFunc(after.Names(), is)) {
		t.Errorf("the order of %q became %q", before.Names(), after.Names())
	}
	var old, now any
	oldFormat, _ := plist.Unmarshal(before.Bytes(), &old)
	if nowFormat, err := plist.Unmarshal(after.Bytes(), &now); err != nil || nowFormat != oldFormat {
		t.Errorf("another reader takes it for format %d, not %d: %v", nowFormat, oldFormat, err)
	}
	return true
}
