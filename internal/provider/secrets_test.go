package provider_test

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// secretConfig takes its tokens, and more that is secret, from variables that
// Terraform does not store.
func (w *world) secretConfig(s *subject, lines ...string) string {
	var variables strings.Builder
	for _, name := range secretVariables {
		fmt.Fprintf(&variables, "variable %q {\n type = string\n ephemeral = true\n default = null\n}\n", name)
	}
	return variables.String() +
		"provider \"plex\" {\n plextv_url = " + quote(w.tv.URL) + "\n account_token = var.account_token\n " + w.provider + "\n}\n" +
		bindingOf("den", s, lines...)
}

var secretVariables = []string{"account_token", "claim_token", "private_key", "passphrase", "password", "become_password"}

// gives sets the variables, in a file that only its owner can read.
func (c *cli) gives(variables map[string]string) {
	c.t.Helper()
	text, err := json.Marshal(variables)
	if err == nil {
		err = os.WriteFile(filepath.Join(c.dir, "tokens.auto.tfvars.json"), text, 0o600)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

// traced runs terraform with all its logs, and puts what it shows and the state
// that it leaves into places.
func (c *cli) traced(p simtest.Places, what string, args ...string) error {
	c.t.Helper()
	out, err := c.output(append(args, "-no-color")...)
	p["output and TRACE log of "+what] = out
	states, _ := filepath.Glob(filepath.Join(c.dir, "*.tfstate*"))
	for _, path := range states {
		text, err := os.ReadFile(path)
		if err != nil {
			c.t.Fatal(err)
		}
		p[filepath.Base(path)+" after "+what] = text
	}
	return err
}

// planned makes a plan, adds it to places as JSON and as it is, and applies it.
func (c *cli) planned(p simtest.Places, what string, args ...string) error {
	c.t.Helper()
	if err := c.traced(p, "the plan of "+what, append([]string{"plan", "-out=planned"}, args...)...); err != nil {
		return err
	}
	shown, err := c.output("show", "-json", "planned")
	if err != nil {
		return err
	}
	p["the plan of "+what+" as JSON"] = shown
	return c.traced(p, what, "apply", "planned")
}

// traces makes terraform log everything, and use a directory for what is temporary
// that is looked into.
func (c *cli) traces() {
	c.t.Helper()
	temporary := filepath.Join(c.dir, "tmp")
	if err := os.Mkdir(temporary, 0o755); err != nil {
		c.t.Fatal(err)
	}
	c.env = []string{"TF_LOG=TRACE", "TMPDIR=" + temporary}
}

// visibly slow enough for the processes of an edit to be seen.
func visibly(c *plexsim.Config) { c.StopDelay = plexsim.Duration(400 * time.Millisecond) }

func TestSecretsStayOutOfEverythingThatOthersCanRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	known := simtest.NewSecrets()
	tap(w, known)
	plant := func(what string) string {
		token := "planted" + rand.Text()
		known.Add(what, token)
		return token
	}
	account := simtest.Owner
	account.Token = plant("account token")
	w.tv.AddAccount(account)
	den := w.unclaimed(visibly)
	c := newCLI(t, w.secretConfig(den, `account = "owner"`))
	c.traces()
	found := simtest.Places{}
	seen := simtest.LookOut(t, c.dir, den.SupportDir())
	serverToken := func(what string) {
		t.Helper()
		if den.token() == "" || !den.Running() {
			t.Fatalf("%s: the server does not run bound", what)
		}
		known.Add(what, den.token())
	}
	do := func(what string, args ...string) {
		t.Helper()
		if err := c.planned(found, what, args...); err != nil {
			t.Fatalf("%s failed", what) // with what it showed, tokens might be shown
		}
	}

	c.gives(map[string]string{"account_token": account.Token})
	do("the claim")
	serverToken("first server token")

	c.write(w.secretConfig(den, `account = "owner"`, `triggers = { month = "may" }`))
	do("the rotation")
	serverToken("second server token")

	refused := "claim-" + rand.Text()[:20]
	known.Add("refused claim token", refused)
	c.write(w.secretConfig(den, `account = "owner"`, `triggers = { month = "may" }`, "claim_token_wo = var.claim_token", "claim_token_wo_version = 1"))
	c.gives(map[string]string{"account_token": account.Token, "claim_token": refused})
	if err := c.planned(found, "a rebind that is refused"); err == nil {
		t.Error("a claim token that plex.tv does not know was taken")
	}

	claim := w.claimToken(account)
	known.Add("claim token", claim)
	c.gives(map[string]string{"account_token": account.Token, "claim_token": claim})
	do("the rebind")
	serverToken("third server token")

	do("the destroy", "-destroy")
	seen.End()
	if n := den.StopCount(); n != 3 || den.token() != "" {
		t.Errorf("the server was stopped %d times, want 3: rotation, rebind, destroy; its token is gone: %t", n, den.token() == "")
	}
	seen.AddTo(found)
	if leaks := found.Leaks(known); len(leaks) > 0 {
		t.Errorf("secrets were found in\n%s", strings.Join(leaks, "\n"))
	}

	// What was searched is what was meant: the edit's processes, the provider's own
	// log, and every kind of token.
	for _, parts := range [][]string{
		{"cmdline of a process", "plexsim\x00stop\x00" + den.SupportDir()},
		{"environ of a process \"sh\""}, {"cmdline of a process \"terraform\""}, {"cmdline of a process \"Plex Media Serv"},
	} {
		if den.Unit() == "" && !seen.Has(parts...) {
			t.Errorf("no process was seen with %q", parts)
		}
	}
	for _, where := range []string{"the claim", "the rotation", "the rebind", "the destroy"} {
		log := found["output and TRACE log of "+where]
		for _, want := range []string{"[TRACE]", "[DEBUG] provider.terraform-provider-plex", den.Identity.Processed} {
			if !bytes.Contains(log, []byte(want)) {
				t.Errorf("the log of %s does not have %q", where, want)
			}
		}
	}
	// Two tokens were minted, and one was given; the refused one was sent too.
	if n := known.Count("claim token in a query"); n != 4 {
		t.Errorf("%d claim tokens have travelled, want 4", n)
	}
	// That of the account, and those of the server: it asks whose they are.
	if n := known.Count("token in a header"); n < 2 {
		t.Errorf("%d other tokens have travelled, want more", n)
	}
	copies, _ := filepath.Glob(filepath.Join(den.DataDir()+".terraform-backups", "*.xml"))
	if len(copies) < 6 {
		t.Errorf("there are %d copies of the preferences, want two of each stop", len(copies))
	}
	for _, path := range copies {
		text, err := os.ReadFile(path)
		info, statErr := os.Stat(path)
		if err != nil || statErr != nil {
			t.Fatal(err, statErr)
		}
		if len(known.In(text)) == 0 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, and %d secrets", path, info.Mode(), len(known.In(text)))
		}
	}
}

func TestSecretsThatArePlantedAreFound(t *testing.T) {
	t.Parallel()
	token := "planted" + rand.Text()
	known := simtest.NewSecrets()
	known.Add("control", token)
	dir := t.TempDir()
	seen, found := simtest.LookOut(t, dir), simtest.Places{}

	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	c := newCLI(t, w.config(simtest.Owner, bindingOf("den", den, "triggers = { leak = "+quote(token)+" }"), "output \"leak\" {\n value = "+quote(token)+"\n}\n"))
	c.traces()
	c.env = append(c.env, "TF_VAR_leak="+token)
	if err := c.planned(found, "a leak"); err != nil {
		t.Fatal(err)
	}
	c.must("apply", "-auto-approve", "-json", "-replace="+address) // makes a backup of the state
	if err := c.traced(found, "a second leak", "plan"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "wide"), []byte(token), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "narrow"), []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	for what, command := range map[string]*exec.Cmd{
		"cmdline": exec.Command("sh", "-c", "read -r line; : "+token),
		"environ": exec.Command("sh", "-c", "read -r line; :"),
	} {
		if what == "environ" {
			command.Env = append(os.Environ(), "LEAK="+token)
		}
		hold, err := command.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		seen.Sees(what+" of a shell", what+" of a process \"sh\"", token)
		_, _ = io.WriteString(hold, "\n")
		if err := command.Wait(); err != nil {
			t.Error(err)
		}
	}
	seen.End()
	seen.AddTo(found)
	leaks := strings.Join(found.Leaks(known), "\n")
	for _, where := range []string{
		"output and TRACE log of a leak", "the plan of a leak as JSON", "terraform.tfstate after a leak", "terraform.tfstate.backup after a second leak",
		"cmdline of a process \"sh\"", "environ of a process \"sh\"", "environ of a process \"terraform\"", "environ of a process \"terraform-provi\"",
		"a file that others can read, " + filepath.Join(dir, "wide"),
	} {
		if !strings.Contains(leaks, where+": control") {
			t.Errorf("a secret in %q was not found; found were\n%s", where, leaks)
		}
	}
	if strings.Contains(leaks, filepath.Join(dir, "narrow")) {
		t.Error("a file that only its owner can read counts as one that others can")
	}
}
