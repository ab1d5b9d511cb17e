package plexsim_test

import (
	"os"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

func TestServerKeepsAllAttributesTheirValuesAndTheirOrder(t *testing.T) {
	d := newDen(t, "someToken")
	before := d.attributes()
	d.start()
	d.Stop()
	if after := d.attributes(); !reflect.DeepEqual(before, after) {
		t.Errorf("before %v\nafter  %v", before, after)
	}
	if len(before) < 30 {
		t.Errorf("only %d attributes are no fair test", len(before))
	}
}

func TestServerWritesPlexsOwnLayout(t *testing.T) {
	d := newDen(t, "")
	must(t, os.Remove(d.config.PreferencesPath()))
	d.start()
	layout := regexp.MustCompile(`\A<\?xml version="1\.0" encoding="utf-8"\?>\n<Preferences( [\w.]+="[^"<>\n]*")+/>\n\z`)
	if !layout.MatchString(d.file()) {
		t.Errorf("got %q", d.file())
	}
	info, err := os.Stat(d.config.PreferencesPath())
	must(t, err)
	if runtime.GOOS == "windows" {
		return // modes are not for it
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("mode: got %o", mode)
	}
}

func TestEditUnderARunningServerIsLostAsItStops(t *testing.T) {
	d := newDen(t, "oldToken")
	d.start()
	d.writeFile(simtest.Preferences(d.id, simtest.Owner, "newToken"))
	d.Stop()
	d.wantAttribute("PlexOnlineToken", "oldToken")
}

func TestEditUnderARunningServerIsLostAtTheNextInterval(t *testing.T) {
	d := newDen(t, "oldToken", func(c *plexsim.Config) { c.WriteInterval = moment })
	d.start()
	d.writeFile(simtest.Preferences(d.id, simtest.Owner, "newToken"))
	simtest.Eventually(t, "the edit to be lost", func() bool { return strings.Contains(d.file(), `PlexOnlineToken="oldToken"`) })
}

func TestEditOfAStoppedServerCounts(t *testing.T) {
	d := newDen(t, "oldToken")
	d.start()
	d.Stop()
	d.writeFile(simtest.Preferences(d.id, simtest.Owner, "newToken"))
	d.start()
	d.Stop()
	d.wantAttribute("PlexOnlineToken", "newToken")
}

func TestKillBetweenTruncateAndWriteLeavesZeroBytes(t *testing.T) {
	d := newDen(t, "someToken", func(c *plexsim.Config) { c.TruncatePause = forever })
	d.start()
	d.Terminate()
	simtest.Eventually(t, "the file to be truncated", func() bool { return d.file() == "" })
	d.Kill()
	if got := d.file(); got != "" {
		t.Errorf("got %q", got)
	}
	d.removePIDFile()
	d.startWithoutPort()
}

func TestEmptyOrBrokenPreferencesOpenNoPort(t *testing.T) {
	whole := string(simtest.Preferences(simtest.NewIdentity(), simtest.Owner, "someToken"))
	for name, content := range map[string]string{
		"empty":           "",
		"only space":      " \n",
		"cut off":         whole[:len(whole)/2],
		"not XML":         "PlexOnlineToken=1",
		"two elements":    whole + "<Preferences/>",
		"another root":    `<Settings a="1"/>`,
		"attribute twice": `<Preferences a="1" a="2"/>`,
		"child":           `<Preferences><a/></Preferences>`,
		"text":            `<Preferences>a</Preferences>`,
		"never closed":    `<Preferences a="1">`,
	} {
		t.Run(name, func(t *testing.T) {
			d := newDen(t, "")
			d.writeFile([]byte(content))
			d.startWithoutPort()
			if !d.alive() || d.events(plexsim.EventLoadFailed) != 1 {
				t.Error("want a process that lives on after it failed to load")
			}
			if !strings.Contains(d.log(), "Failed to load preferences") {
				t.Errorf("log: %s", d.log())
			}
			d.Stop()
			if d.file() != content {
				t.Errorf("the file has changed: %q", d.file())
			}
		})
	}
}

func TestMissingPreferencesMakeANewIdentity(t *testing.T) {
	seen := map[string]bool{}
	d := newDen(t, "someToken")
	for range 2 {
		must(t, os.Remove(d.config.PreferencesPath()))
		d.start()
		call(t, "GET", d.URL()+"/identity").want(t, 200, `claimed="0"`)
		d.Stop()
		for name, shape := range map[string]string{
			"MachineIdentifier":          `\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\z`,
			"AnonymousMachineIdentifier": `\A[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\z`,
			"ProcessedMachineIdentifier": `\A[0-9a-f]{40}\z`,
		} {
			value, _ := d.attribute(name)
			if !regexp.MustCompile(shape).MatchString(value) || seen[value] {
				t.Errorf("%s: got %q", name, value)
			}
			seen[value] = true
		}
	}
}

func TestLastWriteCanBringWhatOnlyThenIsKnown(t *testing.T) {
	d := newDen(t, "", func(c *plexsim.Config) { c.SetAtStop = map[string]string{"LastAutomaticMappedPort": "21234"} })
	d.start()
	d.wantAttribute("LastAutomaticMappedPort", "0")
	d.Stop()
	d.wantAttribute("LastAutomaticMappedPort", "21234")
}

func TestServerCanEmptyItsPreferencesAsItStops(t *testing.T) {
	d := newDen(t, "someToken", func(c *plexsim.Config) { c.EmptyAtStop = true })
	d.start()
	d.Stop()
	if d.file() != "" || d.ExitCode() != 0 {
		t.Errorf("got %q and status %d", d.file(), d.ExitCode())
	}
}

func TestNothingIsWrittenAfterTheLastWrite(t *testing.T) {
	d := newDen(t, "someToken", func(c *plexsim.Config) {
		c.EmptyAtStop = true
		c.WriteInterval = plexsim.Duration(10 * time.Microsecond)
	})
	full := d.file()
	for range 20 {
		d.writeFile([]byte(full))
		d.start()
		d.Stop()
		if d.file() != "" {
			t.Fatal("the writer at intervals wrote after the last write")
		}
	}
}

func TestServerCanWriteAnotherIdentityAsItStops(t *testing.T) {
	other := simtest.NewIdentity().Processed
	d := newDen(t, "someToken", func(c *plexsim.Config) { c.IdentityAtStop = other })
	d.start()
	call(t, "GET", d.URL()+"/identity").want(t, 200, d.id.Processed)
	d.Stop()
	d.wantAttribute("ProcessedMachineIdentifier", other)
	if machine, _ := d.attribute("MachineIdentifier"); machine == d.id.Machine {
		t.Error("MachineIdentifier is still the old one")
	}
}
