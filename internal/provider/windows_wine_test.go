package provider_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// Terraform runs the provider's program for Windows, which it reaches by TCP rather
// than by a socket in a file, and is shown what it is shown by the one for here.
func TestTheProgramForWindowsServesTheSameSchema(t *testing.T) {
	t.Parallel()
	script := os.Getenv(simtest.EnvWine)
	if script == "" {
		t.Skipf("NOT RUN: %s does not say where test/lab/wine.sh is", simtest.EnvWine)
	}
	plugins := t.TempDir()
	program := filepath.Join(plugins, "provider.exe")
	build := exec.Command("go", "build", "-o", program, "github.com/homelab-iac/terraform-provider-plex")
	build.Env = append(os.Environ(), "GOOS=windows", "GOARCH=amd64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, text := range map[string]string{
		"terraform-provider-plex": fmt.Sprintf("#!/bin/sh\nexec '%s' run '%s' \"$@\"\n", script, program),
		"terraform.rc":            overridesOf(plugins),
	} {
		if err := os.WriteFile(filepath.Join(plugins, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	native := newCLI(t, "")
	windows := newCLI(t, "")
	windows.plugins = plugins
	want, err := native.output("providers", "schema", "-json")
	if err != nil {
		t.Fatalf("%v\n%s", err, want)
	}
	got, err := windows.output("providers", "schema", "-json")
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	if !bytes.Contains(want, []byte("plex_server_account_binding")) || !bytes.Equal(got, want) {
		t.Errorf("the schemas differ: %d bytes on Windows, %d here", len(got), len(want))
	}
}
