//go:build linux

package fleet_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// plugins is a file system mirror with the provider, built here, or the program
// that PLEX_PROVIDER_BIN names.
func plugins(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "registry.terraform.io", "homelab-iac", "plex", "0.1.0", runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-plex_v0.1.0")
	if ready := os.Getenv("PLEX_PROVIDER_BIN"); ready != "" {
		must(t, os.MkdirAll(filepath.Dir(program), 0o755))
		must(t, os.Symlink(ready, program))
		return dir
	}
	build := exec.CommandContext(interrupted, "go", "build", "-o", program, "github.com/homelab-iac/terraform-provider-plex")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// terraform is a directory that is ready for plan.
type terraform struct{ dir string }

// newTerraform takes a configuration from testdata.
func newTerraform(t *testing.T, mirror, name string, variables map[string]any) terraform {
	t.Helper()
	tf := terraform{t.TempDir()}
	config, err := os.ReadFile(filepath.Join("testdata", name))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(tf.dir, "main.tf"), config, 0o600))
	tf.set(t, variables)
	tf.run(t, "init", "-plugin-dir="+mirror)
	return tf
}

// set replaces the values of the variables.
func (tf terraform) set(t *testing.T, variables map[string]any) {
	t.Helper()
	values, err := json.Marshal(variables)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(tf.dir, "terraform.tfvars.json"), values, 0o600))
}

func (tf terraform) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(interrupted, "terraform", append(args, "-no-color")...)
	cmd.Dir = tf.dir
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = time.Minute
	return cmd
}

func (tf terraform) run(t *testing.T, args ...string) {
	t.Helper()
	if out, err := tf.command(args...).CombinedOutput(); err != nil {
		t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// addresses are the hosts' addresses.
func addresses(hosts []labHost) []string {
	list := make([]string, len(hosts))
	for i, h := range hosts {
		list[i] = h.address
	}
	return list
}

// knownHosts is a file with the key that every lab host has.
func knownHosts(t *testing.T, hosts []labHost) string {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(lab(), "ssh", "host_key.pub"))
	must(t, err)
	var lines strings.Builder
	for _, h := range hosts {
		lines.WriteString(h.address + " " + string(key))
	}
	path := filepath.Join(t.TempDir(), "known_hosts")
	must(t, os.WriteFile(path, []byte(lines.String()), 0o600))
	return path
}

// privateKey is the file with the key that lets admin into every lab host.
func privateKey() string { return filepath.Join(lab(), "ssh", "id_ed25519") }
