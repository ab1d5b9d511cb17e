package provider_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// buildDir is where built has put something; empty if it was not called.
var buildDir string

// built is the directory with the provider's program, built once for all tests,
// and with the command-line configuration that makes terraform use it.
var built = sync.OnceValues(func() (dir string, err error) {
	dir, err = os.MkdirTemp("", "provider-test-")
	if err != nil {
		return "", err
	}
	buildDir = dir
	program := filepath.Join(dir, "terraform-provider-plex")
	if ready := os.Getenv("PLEX_PROVIDER_BIN"); ready != "" { // on hosts without Go
		err = os.Symlink(ready, program)
	} else {
		out, failed := exec.Command("go", "build", "-o", program, "github.com/homelab-iac/terraform-provider-plex").CombinedOutput()
		if failed != nil {
			err = errors.Join(failed, errors.New(string(out)))
		}
	}
	if err != nil {
		return dir, err
	}
	return dir, os.WriteFile(filepath.Join(dir, "terraform.rc"), []byte(overridesOf(dir)), 0o600)
})

// overridesOf is the command-line configuration that makes terraform use the
// provider in a directory.
func overridesOf(dir string) string {
	return "provider_installation {\n dev_overrides {\n \"homelab-iac/plex\" = " + quote(dir) + "\n }\n direct {}\n}\n"
}

// cli is terraform on the command line in a directory of its own, with the
// provider as a program. It shows what terraform-plugin-testing does not:
// warnings, logs, and what is left on disk.
type cli struct {
	t       *testing.T
	dir     string
	plugins string
	env     []string // in addition
}

func newCLI(t *testing.T, config string) *cli {
	t.Helper()
	plugins, err := built()
	if err != nil {
		t.Fatal(err)
	}
	c := &cli{t: t, dir: t.TempDir(), plugins: plugins}
	c.write(config)
	return c
}

// write replaces the configuration.
func (c *cli) write(config string) {
	c.t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, "main.tf"), []byte(withProvider(config)), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// withProvider adds which provider is meant, where a configuration does not say.
func withProvider(config string) string {
	if strings.Contains(config, "required_providers") {
		return config
	}
	return "terraform {\n required_providers {\n plex = {\n source = \"homelab-iac/plex\"\n }\n }\n}\n" + config
}

// diagnostic is one that terraform shows.
type diagnostic struct {
	Severity, Summary, Detail string
}

// run runs terraform with -json and returns the diagnostics, and whether it
// succeeded.
func (c *cli) run(args ...string) (shown []diagnostic, ok bool) {
	c.t.Helper()
	out, err := c.output(args...)
	for line := range bytes.Lines(out) {
		var message struct {
			Diagnostic *diagnostic `json:"diagnostic"`
		}
		if json.Unmarshal(line, &message) == nil && message.Diagnostic != nil && message.Diagnostic.Summary != "Provider development overrides are in effect" {
			shown = append(shown, *message.Diagnostic)
		}
	}
	return shown, err == nil
}

// must is run, where only success is meant.
func (c *cli) must(args ...string) []diagnostic {
	c.t.Helper()
	shown, ok := c.run(args...)
	if !ok {
		c.t.Fatalf("terraform %s failed: %+v", strings.Join(args, " "), shown)
	}
	return shown
}

// output is what terraform prints.
func (c *cli) output(args ...string) ([]byte, error) {
	cmd := exec.Command("terraform", args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), append([]string{"TF_CLI_CONFIG_FILE=" + filepath.Join(c.plugins, "terraform.rc"), "CHECKPOINT_DISABLE=1"}, c.env...)...)
	return cmd.CombinedOutput()
}

// warnings are the warnings among what was shown whose summary has a text.
func warnings(shown []diagnostic, text string) []diagnostic {
	var found []diagnostic
	for _, d := range shown {
		if d.Severity == "warning" && strings.Contains(d.Summary, text) {
			found = append(found, d)
		}
	}
	return found
}
