package prefs_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

func TestDeletingTheBindingLeavesEveryOtherByte(t *testing.T) {
	for _, s := range corpus(t) {
		t.Run(s.name, func(t *testing.T) {
			x := parse(t, string(s.data))
			before := x.Names()
			if err := x.Delete(prefs.BindingKeys()...); err != nil {
				t.Fatal(err)
			}
			if got := x.Bytes(); !bytes.Equal(got, s.want) {
				t.Errorf("got  %q\nwant %q", got, s.want)
			}
			left := slices.DeleteFunc(before, func(name string) bool { return slices.Contains(prefs.BindingKeys(), name) })
			if !slices.Equal(x.Names(), left) {
				t.Errorf("names are %q, want %q", x.Names(), left)
			}
			if _, bound := prefs.ReadBinding(x); bound {
				t.Error("it is still bound")
			}
		})
	}
}

func TestDeletingOneByOneIsDeletingTogether(t *testing.T) {
	for _, s := range corpus(t) {
		t.Run(s.name, func(t *testing.T) {
			x := parse(t, string(s.data))
			keys := prefs.BindingKeys()
			slices.Reverse(keys)
			for _, key := range keys {
				if err := x.Delete(key); err != nil {
					t.Fatal(err)
				}
			}
			if got := x.Bytes(); !bytes.Equal(got, s.want) {
				t.Errorf("got  %q\nwant %q", got, s.want)
			}
		})
	}
}

func TestDelete(t *testing.T) {
	for _, c := range []struct {
		name, before string
		names        []string
		after        string
	}{
		{"takes the white space before it", `<Preferences a="1" PlexOnlineToken="x" b="2"/>`, []string{"PlexOnlineToken"}, `<Preferences a="1" b="2"/>`},
		{"the first", `<Preferences a="1" b="2"/>`, []string{"a"}, `<Preferences b="2"/>`},
		{"the last", `<Preferences a="1" b="2" />`, []string{"b"}, `<Preferences a="1" />`},
		{"all", "<Preferences\n\ta='1'\n\tb='2'\n></Preferences>", []string{"b", "a"}, "<Preferences\n></Preferences>"},
		{"neighbours", `<Preferences a="1"  b="2"   c="3"    d="4"/>`, []string{"c", "b"}, `<Preferences a="1"    d="4"/>`},
		{"none", `<Preferences a="1"/>`, nil, `<Preferences a="1"/>`},
		{"what is not there", `<Preferences a="1"/>`, []string{"b", "", "A", "<", "Preferences"}, `<Preferences a="1"/>`},
		{"what is there and what is not", `<Preferences a="1" b="2"/>`, []string{"c", "a", "a"}, `<Preferences b="2"/>`},
		{"whole names", `<Preferences aX="1" Xa="2" a="3" aa="4"/>`, []string{"a"}, `<Preferences aX="1" Xa="2" aa="4"/>`},
		{"the identifier, not the two that end in it", `<Preferences AnonymousMachineIdentifier="1" MachineIdentifier="2" ProcessedMachineIdentifier="3"/>`,
			[]string{"MachineIdentifier"}, `<Preferences AnonymousMachineIdentifier="1" ProcessedMachineIdentifier="3"/>`},
		{"of the root alone", `<Preferences a="1"><Preferences a="2"/></Preferences>`, []string{"a"}, `<Preferences><Preferences a="2"/></Preferences>`},
		{"not what a value looks like", `<Preferences b=' a="1" ' a="/>"/>`, []string{"a"}, `<Preferences b=' a="1" '/>`},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := parse(t, c.before)
			if err := x.Delete(c.names...); err != nil {
				t.Fatal(err)
			}
			if got := string(x.Bytes()); got != c.after {
				t.Errorf("got  %q\nwant %q", got, c.after)
			}
		})
	}
}
