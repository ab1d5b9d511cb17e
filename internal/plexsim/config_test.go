package plexsim_test

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
)

// environment is a getenv over a map.
func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestConfigComesFromTheSupportDirectory(t *testing.T) {
	dir := t.TempDir()
	want := plexsim.Config{Addr: "127.0.0.1:1", StopDelay: plexsim.Duration(1500 * time.Millisecond), SetAtStop: map[string]string{"A": "b"}}
	must(t, plexsim.WriteConfig(filepath.Join(dir, plexsim.ConfigName), want))
	got, err := plexsim.LoadConfig(environment(map[string]string{plexsim.EnvSupportDir: dir}))
	must(t, err)
	if got.Addr != want.Addr || got.StopDelay != want.StopDelay || got.SetAtStop["A"] != "b" || got.SupportDir != dir {
		t.Errorf("got %+v", got)
	}
}

func TestEnvironmentOverridesTheConfigFile(t *testing.T) {
	dir := t.TempDir()
	file, elsewhere := filepath.Join(dir, "elsewhere.json"), filepath.Join(dir, "C")
	must(t, os.WriteFile(file, []byte(`{"addr":"a","plextv_url":"b","events":"c","store":"d","die_after":"1h"}`), 0o600))
	got, err := plexsim.LoadConfig(environment(map[string]string{
		plexsim.EnvSupportDir: dir, plexsim.EnvConfig: file,
		plexsim.EnvAddr: "A", plexsim.EnvPlexTVURL: "B", plexsim.EnvEvents: elsewhere, plexsim.EnvStore: "D",
	}))
	must(t, err)
	if got.Addr != "A" || got.PlexTVURL != "B" || got.EventsPath() != elsewhere || got.Store != "D" || got.DieAfter != forever {
		t.Errorf("got %+v", got)
	}
}

// atHome is what the system says of a user whose directory is home.
func atHome(home string) map[string]string {
	if runtime.GOOS == "windows" {
		return map[string]string{"LOCALAPPDATA": home}
	}
	return map[string]string{"HOME": home}
}

func TestSupportDirectoryDefaultsToTheHomeOfTheUser(t *testing.T) {
	home := t.TempDir()
	got, err := plexsim.LoadConfig(environment(atHome(home)))
	must(t, err)
	want, store := filepath.Join(home, "Library", "Application Support"), ""
	if runtime.GOOS == "windows" {
		want, store = home, `HKEY_CURRENT_USER\Software\Plex, Inc.\Plex Media Server`
	}
	if got.DataDir() != filepath.Join(want, "Plex Media Server") || got.Store != store {
		t.Errorf("got %s and %s", got.DataDir(), got.Store)
	}
	if _, err := plexsim.LoadConfig(environment(nil)); err == nil {
		t.Error("no home and no directory: want an error")
	}
}

func TestConfigThatIsWrongIsAnError(t *testing.T) {
	for name, content := range map[string]string{
		"unknown field":   `{"stop_dely":"1s"}`,
		"number":          `{"stop_delay":5}`,
		"not a duration":  `{"stop_delay":"soon"}`,
		"not JSON":        `stop_delay: 1s`,
		"file not there":  "",
		"cut off":         `{"stop_delay":`,
		"another type":    `[]`,
		"misspelt values": `{"ignore_term":"yes"}`,
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config.json")
			if content != "" {
				must(t, os.WriteFile(file, []byte(content), 0o600))
			}
			_, err := plexsim.LoadConfig(environment(map[string]string{plexsim.EnvSupportDir: t.TempDir(), plexsim.EnvConfig: file}))
			if err == nil || !strings.Contains(err.Error(), file) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestEventsOfNoFileAreNone(t *testing.T) {
	events, err := plexsim.ReadEvents(filepath.Join(t.TempDir(), "none"))
	if err != nil || len(events) != 0 {
		t.Errorf("got %v and %v", events, err)
	}
}

func TestBrokenEventsFileIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events")
	must(t, os.WriteFile(file, []byte("{\"event\":\"start\"}\n{\"event\":\"st"), 0o600))
	events, err := plexsim.ReadEvents(file)
	if err == nil || !strings.Contains(err.Error(), "line 2") || plexsim.Count(events, plexsim.EventStart) != 1 {
		t.Errorf("got %v and %v", events, err)
	}
}
