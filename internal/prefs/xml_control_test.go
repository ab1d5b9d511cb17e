package prefs_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// Of the control characters XML 1.0 allows three, and a value may have them as
// they are or as references.
func TestEveryControlCharacterIsRefusedUnlessXMLAllowsIt(t *testing.T) {
	for c := range rune(0x20) {
		allowed := c == '\t' || c == '\n' || c == '\r'
		for _, document := range []string{
			fmt.Sprintf(`<Preferences a="x%cy"/>`, c),
			fmt.Sprintf(`<Preferences a="x&#%d;y"/>`, c),
			fmt.Sprintf(`<Preferences a="x&#x%02X;y"/>`, c),
			fmt.Sprintf("<Preferences>%c</Preferences>", c),
			fmt.Sprintf("<!-- %c --><Preferences/>", c),
		} {
			x, err := prefs.ParseXML([]byte(document))
			if allowed != (err == nil) || err != nil && !errors.Is(err, prefs.ErrNotXML) {
				t.Errorf("%q: %v", document, err)
			}
			if err == nil && string(x.Bytes()) != document {
				t.Errorf("%q was changed to %q", document, x.Bytes())
			}
		}
		x := parse(t, `<Preferences a="b"/>`)
		value := fmt.Sprintf("x%cy", c)
		err := x.Set("a", value)
		if got, _ := x.Get("a"); allowed != (err == nil) || err == nil && got != value {
			t.Errorf("a value with %#x: %v, and it is %q", c, err, got)
		}
	}
}
