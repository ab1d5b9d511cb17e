package registry

import (
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	winreg "golang.org/x/sys/windows/registry"
)

func TestAChangeThatFailsHalfWayIsTakenBack(t *testing.T) {
	path := `Software\terraform-provider-plex, Inc. ` + t.Name()
	key, _, err := winreg.CreateKey(winreg.CURRENT_USER, path, winreg.ALL_ACCESS)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = key.Close()
		if err := winreg.DeleteKey(winreg.CURRENT_USER, path); err != nil {
			t.Error(err)
		}
	})
	for _, name := range prefs.BindingKeys() {
		if err := key.SetStringValue(name, "made-up"); err != nil {
			t.Fatal(err)
		}
	}
	before, err := Read(`HKCU\` + path)
	if err != nil {
		t.Fatal(err)
	}
	set := []prefs.RegistryValue{{Name: "new", Type: winreg.DWORD, Data: []byte{1, 0, 0, 0}}, {Name: "no name \x00 of Windows"}}
	if err := apply(before.Key(), []string{prefs.KeyToken}, set); err == nil {
		t.Fatal("the change did not fail, so nothing is tested")
	}
	if err := check(before); err == nil {
		t.Fatal("the change failed before it began, so nothing is tested")
	}
	if err := change(before, []string{prefs.KeyToken}, set); err == nil {
		t.Error("the change did not fail")
	}
	if err := check(before); err != nil {
		t.Error(err)
	}
}
