package prefs_test

import (
	"slices"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

func TestDiffNamesWhatWasAddedRemovedAndChanged(t *testing.T) {
	for _, c := range []struct {
		name, before, after string
		want                []string
	}{
		{"nothing", `<Preferences a="1" b="2"/>`, `<Preferences a="1" b="2"/>`, nil},
		{"order, quotes, encoding, layout and comments do not count", `<Preferences a="1" b="&#65;"/>`, "<!-- x -->\n<Preferences\tb='A' a=\"1\"></Preferences>", nil},
		{"changed, in both directions", `<Preferences a="1" b="2"/>`, `<Preferences a="1" b="3"/>`, []string{"b"}},
		{"added", `<Preferences a="1"/>`, `<Preferences a="1" b="2"/>`, []string{"b"}},
		{"removed", `<Preferences a="1" b="2"/>`, `<Preferences a="1"/>`, []string{"b"}},
		{"empty is not absent", `<Preferences a=""/>`, `<Preferences/>`, []string{"a"}},
		{"all, sorted and once each", `<Preferences z="1" m="1" a="1"/>`, `<Preferences b="1" m="2" z="2"/>`, []string{"a", "b", "m", "z"}},
		{"case counts", `<Preferences A="1"/>`, `<Preferences a="1"/>`, []string{"A", "a"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := prefs.Diff(parse(t, c.before), parse(t, c.after)); !slices.Equal(got, c.want) {
				t.Errorf("Diff = %q, want %q", got, c.want)
			}
			if got := prefs.Diff(parse(t, c.after), parse(t, c.before)); !slices.Equal(got, c.want) {
				t.Errorf("Diff the other way = %q, want %q", got, c.want)
			}
		})
	}
}
