package prefs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

func TestReadBinding(t *testing.T) {
	for _, c := range []struct {
		name, document string
		want           prefs.Binding
		bound          bool
	}{
		{
			"all four",
			`<Preferences PlexOnlineHome="1" PlexOnlineMail="den@example.com" PlexOnlineToken="made-up" PlexOnlineUsername="den"/>`,
			prefs.Binding{Token: "made-up", Username: "den", Mail: "den@example.com", Home: "1"}, true,
		},
		{"a token alone binds", `<Preferences PlexOnlineToken="made-up"/>`, prefs.Binding{Token: "made-up"}, true},
		{
			"an empty token is absent, and the last owner is still named",
			`<Preferences PlexOnlineToken="" PlexOnlineUsername="den"/>`, prefs.Binding{Username: "den"}, false,
		},
		{"no token", `<Preferences PlexOnlineHome="0"/>`, prefs.Binding{Home: "0"}, false},
		{"nothing", `<Preferences/>`, prefs.Binding{}, false},
		{
			"names that contain the keys do not bind",
			`<Preferences xPlexOnlineToken="no" PlexOnlineTokenOld="no" plexonlinetoken="no" FriendlyName="PlexOnlineToken"/>`,
			prefs.Binding{}, false,
		},
		{"a token in a child or a comment does not bind", `<Preferences><!-- PlexOnlineToken="no" --><a PlexOnlineToken="no"/></Preferences>`, prefs.Binding{}, false},
		{"values are decoded", `<Preferences PlexOnlineToken="a&amp;b" PlexOnlineUsername='d&#xE9;n'/>`, prefs.Binding{Token: "a&b", Username: "dén"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, bound := prefs.ReadBinding(parse(t, c.document))
			// Not by %v, which hides the token.
			if got != c.want || bound != c.bound {
				t.Errorf("got %v %t, want %v %t", got, bound, c.want, c.bound)
			}
		})
	}
}

func TestFormattingNeverShowsAToken(t *testing.T) {
	const secret = "made-up-secret"
	x := parse(t, `<Preferences PlexOnlineToken="`+secret+`" PlexOnlineUsername="den"/>`)
	binding, _ := prefs.ReadBinding(x)
	holder := struct {
		Document prefs.Document
		Binding  prefs.Binding
	}{x, binding}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, value := range []any{x, *x, binding, &binding, holder} {
			text := fmt.Sprintf(verb, value)
			if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) || strings.Contains(text, "109 97 100") {
				t.Errorf("%s of a %T shows the token", verb, value)
			}
		}
	}
	if text := fmt.Sprint(binding); !strings.Contains(text, "den") || !strings.Contains(text, "redacted") {
		t.Errorf("a binding is formatted as %s, which does not say whose it is", text)
	}
	if text := fmt.Sprint(prefs.Binding{}); !strings.Contains(text, "none") {
		t.Errorf("an empty binding is formatted as %s", text)
	}
}
