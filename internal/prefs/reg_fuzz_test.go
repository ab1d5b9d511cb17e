package prefs_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

func FuzzRegistryParse(f *testing.F) {
	for _, s := range regCorpus(f) {
		f.Add(s.data)
	}
	refused, err := filepath.Glob(filepath.Join("testdata", "reg", "refused", "*", "*.reg"))
	if err != nil || len(refused) == 0 {
		f.Fatal("no refused documents", err)
	}
	for _, file := range refused {
		f.Add(read(f, file))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := prefs.ParseRegistry(data)
		if err != nil {
			if !slices.ContainsFunc(regSentinels(), func(sentinel error) bool { return errors.Is(err, sentinel) }) {
				t.Errorf("an error of no kind: %v", err)
			}
			if strings.Contains(err.Error(), "second reader") {
				t.Errorf("the two readers disagree: %v", err)
			}
			return
		}
		if !bytes.Equal(r.Bytes(), data) {
			t.Errorf("the bytes became %q", r.Bytes())
		}
		again, err := prefs.NewRegistry(r.Key(), r.Values())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.EqualFunc(r.Values(), again.Values(), sameValue) || prefs.Diff(r, again) != nil {
			t.Errorf("made anew it is %q", again.Bytes())
		}
	})
}

func FuzzRegistryDelete(f *testing.F) {
	for _, s := range regCorpus(f) {
		for _, name := range []string{prefs.KeyToken, "", "FriendlyName"} {
			f.Add(s.data, name)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		r, err := prefs.ParseRegistry(data)
		if err != nil {
			return
		}
		before := parseReg(t, data)
		_, there := r.Get(name)
		if err := r.Delete(name); err != nil {
			t.Fatal(err)
		}
		got := r.Bytes()
		if !there && !bytes.Equal(got, data) || there && !isOneCut(data, got) {
			t.Errorf("%q became %q", data, got)
		}
		if there && len(prefs.Diff(before, r)) != 1 {
			t.Errorf("it differs in %q", prefs.Diff(before, r))
		}
		if left := len(before.Names()) - len(r.Names()); there != (left == 1) {
			t.Errorf("it has %d names less", left)
		}
	})
}

// isOneCut reports whether after is before with one run of bytes removed.
func isOneCut(before, after []byte) bool {
	prefix := 0
	for prefix < len(after) && before[prefix] == after[prefix] {
		prefix++
	}
	return len(after) < len(before) && bytes.HasSuffix(before, after[prefix:])
}

func FuzzRegistrySet(f *testing.F) {
	for _, s := range regCorpus(f) {
		f.Add(s.data, prefs.KeyToken, "made-up \\ \"new\"\r\ntoken")
		f.Add(s.data, prefs.KeyHome, "0")
		f.Add(s.data, "Name\"=\\", "den 居間\x00")
	}
	f.Fuzz(func(t *testing.T, data []byte, name, value string) {
		r, err := prefs.ParseRegistry(data)
		if err != nil {
			return
		}
		before := parseReg(t, data)
		_, there := before.Get(name)
		if err := r.Set(name, value); err != nil {
			if !errors.Is(err, prefs.ErrValue) || !bytes.Equal(r.Bytes(), data) {
				t.Errorf("Set(%q, %q) = %v and %q", name, value, err, r.Bytes())
			}
			unicode := bytes.HasPrefix(data, []byte{0xff, 0xfe})
			if unicode && !there && !strings.EqualFold(name, prefs.KeyHome) && !strings.ContainsAny(name, "\x00\r\n") &&
				len(name) < 16383 && utf8.ValidString(name) && utf8.ValidString(value) {
				t.Errorf("Set(%q, %q) = %v, though a registry can hold it", name, value, err)
			}
			return
		}
		after := parseReg(t, r.Bytes())
		if got, ok := after.Get(name); got != value || !ok {
			t.Errorf("it reads back as %q %t, want %q", got, ok, value)
		}
		if differing := prefs.Diff(before, after); len(differing) > 1 {
			t.Errorf("it changed %q", differing)
		}
		if more := len(after.Names()) - len(before.Names()); there != (more == 0) {
			t.Errorf("it has %d names more", more)
		}
	})
}
