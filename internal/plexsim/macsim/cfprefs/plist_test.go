package cfprefs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/macsim/cfprefs"
)

var everyType = cfprefs.Dict{
	"a <b> & \"c\"": "line one\nline two\ttab", "empty": "", "on": true, "off": false,
	"integer": cfprefs.Scalar{Kind: "integer", Text: "-9223372036854775808"}, "real": cfprefs.Scalar{Kind: "real", Text: "0.25"},
	"date": cfprefs.Scalar{Kind: "date", Text: "2026-01-02T03:04:05Z"}, "data": cfprefs.Scalar{Kind: "data", Text: "Ym9va21hcms="},
	"list": []any{"one", true, []any{}, cfprefs.Dict{"nested": cfprefs.Dict{}}},
}

func TestAListReadsBackAsItWasWritten(t *testing.T) {
	got, err := cfprefs.Decode(cfprefs.Encode(everyType))
	if err != nil || !reflect.DeepEqual(got, everyType) {
		t.Errorf("got %v %v", got, err)
	}
}

func TestAListIsOneForOtherReaders(t *testing.T) {
	if _, err := exec.LookPath("plistutil"); err != nil {
		t.Skip("NOT RUN: plistutil is not installed")
	}
	path := filepath.Join(t.TempDir(), "list.plist")
	if err := os.WriteFile(path, cfprefs.Encode(everyType), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("plistutil", "-i", path, "-f", "xml").Output()
	if err != nil {
		t.Fatal(err)
	}
	got, err := cfprefs.Decode(out)
	if err != nil || !reflect.DeepEqual(got, everyType) {
		t.Errorf("plistutil read %v %v", got, err)
	}
}

func TestWhatIsNoListIsAnError(t *testing.T) {
	for _, text := range []string{"", "<Preferences/>", `<plist><dict><key>a</key></dict></plist>`, `<plist><dict><string>a</string></dict></plist>`, `<plist><array/></plist>`, `<plist><dict>`} {
		if list, err := cfprefs.Decode([]byte(text)); err == nil {
			t.Errorf("%q is %v", text, list)
		}
	}
}
