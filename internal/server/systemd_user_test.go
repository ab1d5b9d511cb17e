package server_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// asAdmin is the command that gives a shell as the lab host's user admin, who has
// a manager of units of his own.
func asAdmin(t *testing.T, command ...string) []string {
	t.Helper()
	uid, err := exec.Command("id", "-u", "admin").Output()
	if err != nil {
		t.Fatal(err)
	}
	as := []string{"runuser", "-u", "admin", "--", "env", "HOME=/home/admin", "XDG_RUNTIME_DIR=/run/user/" + strings.TrimSpace(string(uid))}
	return append(as, command...)
}

func TestAUnitOfAUsersOwnIsFoundAndEditedByThatUser(t *testing.T) {
	onSystemd(t)
	run := func(command ...string) string {
		t.Helper()
		argv := asAdmin(t, command...)
		out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v %s", command, err, out)
		}
		return string(out)
	}
	const dir = "/home/admin/Library/Application Support/Plex Media Server"
	run("systemctl", "--user", "stop", "plexmediaserver.service")
	run("mkdir", "-p", dir)
	t.Cleanup(func() {
		run("systemctl", "--user", "stop", "plexmediaserver.service")
		if err := os.RemoveAll("/home/admin/Library"); err != nil {
			t.Error(err)
		}
	})
	path := filepath.Join(dir, "Preferences.xml")
	identity := simtest.NewIdentity()
	if err := os.WriteFile(path, simtest.Preferences(identity, simtest.Owner, "tokenOfTheUsersOwn"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("chown", "-R", "admin:", "/home/admin/Library").CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	run("systemctl", "--user", "start", "plexmediaserver.service")

	h := host.Exec{Command: asAdmin(t, "sh")}
	report := mustEdit(t, newServer(t, h, server.Options{URL: "http://127.0.0.1:32420", Limits: quick, Service: server.Service{Manager: server.ManagerSystemdUser}}), unbind)
	if report.PreferencesPath != path || report.Service() != "plexmediaserver.service (systemd-user)" || !report.Restarted || report.ID != identity.Processed {
		t.Errorf("found %s, %s, %s; restarted: %t", report.PreferencesPath, report.Service(), report.ID, report.Restarted)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if hasToken(t, data) {
		t.Error("the token is still there")
	}
	if limit := strings.TrimSpace(run("systemctl", "--user", "show", "-p", "TimeoutStopUSec", "--value", "plexmediaserver.service")); limit == "infinity" {
		t.Error("the kill limit is still lifted")
	}
}
