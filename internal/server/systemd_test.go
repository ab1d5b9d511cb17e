package server_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// onSystemd runs test only where systemd is real.
func onSystemd(t *testing.T) {
	t.Helper()
	if os.Getenv(simtest.EnvLab) != "systemd" {
		t.Skip("NOT RUN here: it needs a real systemd; make testlab runs it")
	}
}

// dropIn adds lines to the [Service] section of a unit for the time of a test.
func dropIn(t *testing.T, unit, lines string) {
	t.Helper()
	dir := filepath.Join("/etc/systemd/system", unit+".d")
	reload := func() {
		if out, err := exec.Command("systemctl", "daemon-reload").CombinedOutput(); err != nil {
			t.Fatalf("daemon-reload: %v %s", err, out)
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "test.conf"), []byte("[Service]\n"+lines+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
		reload()
	})
	reload()
}

func TestTheServerOfThisMachineIsFoundByItself(t *testing.T) {
	onSystemd(t)
	sim := bound(t, nil)
	for sim.Unit() != "plexmediaserver.service" {
		sim = bound(t, nil)
	}
	report := mustEdit(t, newServer(t, host.Local{}, server.Options{Limits: quick}), unbind)
	if report.PreferencesPath != sim.PreferencesPath() || report.Service() != "plexmediaserver.service (systemd)" {
		t.Errorf("found %s, %s", report.PreferencesPath, report.Service())
	}
	if sim.StopCount() != 1 || hasToken(t, sim.Preferences()) {
		t.Errorf("stopped %d times; token there: %v", sim.StopCount(), hasToken(t, sim.Preferences()))
	}
}

func TestTheDataDirectoryIsWhereTheUnitSays(t *testing.T) {
	onSystemd(t)
	for name, lines := range map[string]func(dir string) string{
		"drop-in": func(dir string) string {
			return fmt.Sprintf(`Environment=A=1 "PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR=%s" B=2`, dir)
		},
		"environment file, which comes last": func(dir string) string {
			file := filepath.Join(filepath.Dir(dir), "environment")
			content := "# PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR=/nowhere\nA=1\nPLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR=\"" + dir + "\"\n"
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			return "Environment=PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR=/nowhere\nEnvironmentFile=" + file
		},
	} {
		t.Run(name, func(t *testing.T) {
			sim := bound(t, nil)
			sim.Stop()
			dir := filepath.Join(t.TempDir(), "Application Support")
			data := filepath.Join(dir, "Plex Media Server")
			if err := os.MkdirAll(data, 0o755); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(data, "Preferences.xml")
			if err := os.WriteFile(path, sim.Preferences(), 0o600); err != nil {
				t.Fatal(err)
			}
			dropIn(t, sim.Unit(), lines(dir))
			s := newServer(t, host.Local{}, server.Options{
				Service: server.Service{Manager: server.ManagerSystemd, Name: sim.Unit()}, URL: sim.URL(), Limits: quick,
			})
			found, err := s.Inspect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if found.PreferencesPath != path {
				t.Errorf("found %s, want %s", found.PreferencesPath, path)
			}
		})
	}
}

// systemd would kill the server when the unit's own limit is over.
func TestSystemdDoesNotKillAServerThatStopsLate(t *testing.T) {
	onSystemd(t)
	sim := bound(t, func(c *plexsim.Config) { c.IgnoreTerm = true })
	dropIn(t, sim.Unit(), "TimeoutStopSec=1s")
	pid, before := sim.PID(), sim.Preferences()
	s := newServer(t, host.Local{}, options(sim, func(o *server.Options) { o.StopTimeout, o.Limits.Linger = 3*time.Second, time.Second }))
	_, err := s.Edit(t.Context(), unbind)
	wantError(t, err, server.ErrStopTimeout)
	if sim.PID() != pid || string(sim.Preferences()) != string(before) {
		t.Error("the server was killed, or its preferences were changed")
	}
	sim.Kill()
	simtest.Eventually(t, "the script to end", func() bool { return lockIsFree(t, sim) })
}

// A reload of all units is spared a server that stops within seconds.
func TestALongLimitIsLiftedWhenTheServerTakesItsTime(t *testing.T) {
	onSystemd(t)
	sim := bound(t, func(c *plexsim.Config) { c.IgnoreTerm = true })
	limit := func() string {
		out, err := exec.Command("systemctl", "show", "--property=TimeoutStopUSec", "--value", sim.Unit()).Output()
		if err != nil {
			t.Error(err)
		}
		return strings.TrimSpace(string(out))
	}
	edited := make(chan error, 1)
	go func() {
		s := newServer(t, host.Local{}, options(sim, func(o *server.Options) { o.StopTimeout, o.Limits.Linger = 8*time.Second, 20*time.Second }))
		_, err := s.Edit(t.Context(), unbind)
		edited <- err
	}()
	simtest.Eventually(t, "the limit to be lifted", func() bool { return limit() == "infinity" })
	wantError(t, <-edited, server.ErrStopTimeout)
	if pid := sim.PID(); pid == 0 || limit() != "infinity" {
		t.Errorf("process %d, TimeoutStopUSec %s", pid, limit())
	}
	sim.Kill()
	simtest.Eventually(t, "the script to end", func() bool { return lockIsFree(t, sim) })
	if limit() != "1min 30s" {
		t.Errorf("TimeoutStopUSec is %s after the edit", limit())
	}
}

func TestTheLimitIsLiftedForTheEditOnly(t *testing.T) {
	onSystemd(t)
	sim := bound(t, nil)
	mustEdit(t, newServer(t, host.Local{}, options(sim)), unbind)
	out, err := exec.Command("systemctl", "show", "--property=TimeoutStopUSec", "--value", sim.Unit()).Output()
	if err != nil || string(out) != "1min 30s\n" {
		t.Errorf("TimeoutStopUSec is %q, %v", out, err)
	}
	left, err := filepath.Glob("/run/systemd/system/" + sim.Unit() + ".d/*")
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
