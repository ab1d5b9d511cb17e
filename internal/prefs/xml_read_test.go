package prefs_test

import (
	"bytes"
	"path/filepath"
	"slices"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

func TestUneditedDocumentsAreByteIdentical(t *testing.T) {
	for _, s := range corpus(t) {
		t.Run(s.name, func(t *testing.T) {
			if got := parse(t, string(s.data)).Bytes(); !bytes.Equal(got, s.data) {
				t.Errorf("got  %q\nwant %q", got, s.data)
			}
		})
	}
}

func TestADocumentSharesNoMemoryWithItsCallers(t *testing.T) {
	const original = `<Preferences a="1"/>`
	data := []byte(original)
	x, err := prefs.ParseXML(data)
	if err != nil {
		t.Fatal(err)
	}
	clear(data)
	clear(x.Bytes())
	x.Names()[0] = "changed"
	if got := string(x.Bytes()); got != original || x.Names()[0] != "a" {
		t.Errorf("the document became %q with names %q", got, x.Names())
	}
}

func TestNamesAreInDocumentOrder(t *testing.T) {
	x := parse(t, `<Preferences z="1" a="2" M="3" agentAutoEnabled.com.example="4" x:y="5"><c d="6"/></Preferences>`)
	want := []string{"z", "a", "M", "agentAutoEnabled.com.example", "x:y"}
	if got := x.Names(); !slices.Equal(got, want) {
		t.Errorf("Names() = %q, want %q", got, want)
	}
}

func TestWholeNamesAreMatched(t *testing.T) {
	x := parse(t, `<Preferences AnonymousMachineIdentifier="anonymous" ProcessedMachineIdentifier="processed" MachineIdentifier="machine" xPlexOnlineToken="x"/>`)
	for name, want := range map[string]string{
		"AnonymousMachineIdentifier": "anonymous",
		"ProcessedMachineIdentifier": "processed",
		"MachineIdentifier":          "machine",
	} {
		if got, ok := x.Get(name); got != want || !ok {
			t.Errorf("Get(%q) = %q %t, want %q", name, got, ok, want)
		}
	}
	for _, name := range []string{"PlexOnlineToken", "Identifier", "machineidentifier", "MachineIdentifie", "", "Preferences"} {
		if got, ok := x.Get(name); ok {
			t.Errorf("Get(%q) found %q", name, got)
		}
	}
}

// The values are what XML 1.0 sections 2.11 and 3.3.3 say, as any conforming reader gives them.
func TestValuesAreDecodedByTheRulesOfXML(t *testing.T) {
	for file, want := range map[string]map[string]string{
		"named-entities":               {"FriendlyName": `Tom & Jerry's "den" <1>`, "PlexOnlineUsername": `a&b"c`},
		"numeric-references":           {"FriendlyName": "line\ntwo\nthree\r\ttab 🎬 A", "PlexOnlineMail": "den@example.com", "customCertificatePath": "/a/b"},
		"line-breaks-in-values":        {"FriendlyName": "one two three four five", "PlexOnlineUsername": "den den"},
		"unicode-values":               {"FriendlyName": "Wohnzimmer-Höhle 居間 🎬", "PlexOnlineUsername": "dèn-日本"},
		"unicode-names":                {"Größe": "1", "名前": "2", "naïve.name-1": "3"},
		"c1-and-separators-in-values":  {"FriendlyName": "a\u0085b\u2028c\ufeffd\u00a0e\x7ff"},
		"space-padded-values":          {"FriendlyName": "  den  ", "PlexOnlineUsername": "  den  ", "LogVerbose": " "},
		"mixed-quotes":                 {"FriendlyName": `the "den"`, "GracenoteUser": "it's", "PlexOnlineUsername": "den"},
		"slash-and-angle-in-value":     {"FriendlyName": "a /> b > c", "PlexOnlineUsername": "/>", "LogVerbose": "0"},
		"spaces-around-equals":         {"PlexOnlineToken": "made-up-token-0001", "PlexOnlineUsername": "den", "FriendlyName": "den"},
		"token-empty":                  {"PlexOnlineToken": ""},
		"dotted-and-prefixed-names":    {"x:PlexOnlineToken": "kept", "PlexOnlineToken": "made-up-token-0001"},
		"children-named-like-the-root": {"PlexOnlineToken": "made-up-token-0001"},
	} {
		t.Run(file, func(t *testing.T) {
			x := parse(t, string(read(t, filepath.Join("testdata", "corpus", file+".xml"))))
			for name, value := range want {
				if got, ok := x.Get(name); got != value || !ok {
					t.Errorf("Get(%q) = %q %t, want %q", name, got, ok, value)
				}
			}
		})
	}
}
