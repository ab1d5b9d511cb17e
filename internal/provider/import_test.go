package provider_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// importID is the JSON of the attribute `server` of the subject.
func (s *subject) importID() string {
	server := map[string]any{"url": s.URL()}
	maps.Copy(server, s.way.imported)
	if s.Container() == "" {
		server["preferences_path"] = s.PreferencesPath()
	}
	switch {
	case s.Container() != "":
		server["container"] = map[string]string{"name": s.Container(), "engine": os.Getenv(simtest.EnvDocker)}
	case s.Unit() != "":
		server["service"] = map[string]string{"manager": s.Manager(), "name": s.Unit()}
	default:
		c := s.Commands()
		server["commands"] = map[string]string{"stop": c.Stop, "start": c.Start, "status": c.Status}
	}
	id, _ := json.Marshal(server)
	return string(id)
}

func TestImportByJSONFindsWhatCreateRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	w.apply(
		resource.TestStep{Config: w.config(simtest.Owner, bindingOf("den", den))},
		resource.TestStep{
			ResourceName: address, ImportState: true, ImportStateId: den.importID(), ImportStateVerify: true,
		},
	)
	if n := den.StopCount(); n != 1 {
		t.Errorf("the server was stopped %d times, want once: by the destroy at the end", n)
	}
}

func TestImportRefusesWhatItDoesNotUnderstand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.unclaimed()
	config := w.config(simtest.Owner, bindingOf("den", den))
	step := func(id, says string) resource.TestStep {
		pattern := strings.ReplaceAll(regexp.QuoteMeta(says), " ", `[\s│]+`)
		return resource.TestStep{Config: config, ResourceName: address, ImportState: true, ImportStateId: id, ExpectError: regexp.MustCompile(pattern)}
	}
	w.apply(
		step("somewhere", "neither local:, nor a URL, nor JSON"),
		step("ftp://nas.example.com", "of an unknown kind"),
		step("ssh://", "neither local:, nor a URL, nor JSON"),
		step("ssh://me:secret@nas.example.com", "holds a password"),
		step("ssh://nas.example.com/plex", "goes on after the host"),
		step("ssh://nas.example.com?become=perhaps", "another parameter than become=true"),
		step("ssh://nas.example.com:70000", "between 1 and 65535"),
		step(`ssh://CORP\me@nas.example.com`, "these are %20 and %5C"),
		step("ssh://Some One@nas.example.com", "these are %20 and %5C"),
		step("ssh://me%0Ayou@nas.example.com", "must be a user name"),
		step("docker://plex/more", "goes on after the container's name"),
		step("docker+ssh://nas.example.com", "names no container"),
		step("docker://-plex", "must be the name or id of a container"),
		step(`{"exec": ["sh"], "ssh": {"host": "nas.example.com"}}`, "cannot be set both"),
		step(`{"exec": []}`, "at least 1"),
		step(`{"exec": ["sh", ""]}`, "server.exec[1]"),
		step(`{"exec": ["sh", "a\u0000b"]}`, "must be a command"),
		step("ssh://-oProxyCommand=x", "must be a host name"),
		step("ssh://-l@nas.example.com", "must be a user name"),
		step("ssh://a%0Ab@nas.example.com", "must be a user name"),
		step(`{"ssh": {"host": "nas.example.com\n$(reboot)"}}`, "must be a host name"),
		step("docker://plex;reboot", "must be the name or id of a container"),
		step("docker+ssh://nas.example.com/$(reboot)", "must be the name or id of a container"),
		step(`{"prefs": "/a"}`, `unknown field "prefs"`),
		step(`{"url": "http://127.0.0.1:1"} {}`, "goes on after the JSON"),
		step(`{"preferences_path": "a"}`, "must be an absolute path"),
		step(`{"commands": {"stop": "a"}}`, "is required"),
		step(`{"service": {"name": "a"}, "commands": {"stop": "a", "start": "b", "status": "c"}}`, "cannot be set both"),
		step(den.importID(), "is unclaimed, so there is no binding to import"),
	)
	if n := den.StopCount(); n != 0 {
		t.Errorf("the server was stopped %d times, want 0", n)
	}
}

func TestImportBlockGeneratesAConfigurationThatChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	importBlock := "import {\n to = " + address + "\n id = " + quote(den.importID()) + "\n}\n"
	c := newCLI(t, w.config(simtest.Owner, importBlock))
	c.must("plan", "-json", "-generate-config-out=generated.tf")
	generated, err := os.ReadFile(filepath.Join(c.dir, "generated.tf"))
	if err != nil {
		t.Fatal(err)
	}
	wantMention(t, string(generated), "preferences_path", den.URL())
	c.must("apply", "-json", "-auto-approve")
	if out, err := c.output("plan", "-no-color", "-detailed-exitcode"); err != nil {
		t.Errorf("the plan after the import is not empty: %s", out)
	}
	if n := den.StopCount(); n != 0 {
		t.Errorf("the server was stopped %d times, want 0", n)
	}
}

func TestImportedServerIsGivenItsAccountWithoutARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	importBlock := "import {\n to = " + address + "\n id = " + quote(den.importID()) + "\n}\n"
	c := newCLI(t, w.config(simtest.Owner, importBlock, bindingOf("den", den, `account = "owner"`)))
	if shown := c.must("apply", "-json", "-auto-approve"); len(shown) != 0 {
		t.Errorf("there are warnings: %+v", shown)
	}
	if n := den.StopCount(); n != 0 {
		t.Errorf("the server was stopped %d times, want 0", n)
	}
}
