// Package simtest puts servers and a plex.tv of the package plexsim into tests.
package simtest

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// EnvBinary names a plexsim that was built already, for hosts without Go.
const EnvBinary = "PLEXSIM_BIN"

// Program is the path of the plexsim program. It is built once per test process,
// into the user's cache directory, so that no test leaves a copy behind.
func Program(t testing.TB) string {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatalf("building plexsim: %v", err)
	}
	return path
}

var program = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(EnvBinary); path != "" {
		return filepath.Abs(path)
	}
	return build("plexsim")
})

// build builds one of the commands of cmd.
func build(name string) (string, error) {
	dir, err := programDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	// Another test process may run the old one: the new one takes its place whole.
	next := fmt.Sprintf("%s.%d", path, os.Getpid())
	build := exec.Command("go", "build", "-o", next, "github.com/homelab-iac/terraform-provider-plex/cmd/"+name)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, os.Rename(next, path)
}

// programDir is a directory per copy of the source, since two of them may be
// tested at the same time.
func programDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	_, source, _, _ := runtime.Caller(0)
	dir := filepath.Join(cache, "plexsim", fmt.Sprintf("%x", sha256.Sum256([]byte(source)))[:12])
	return dir, os.MkdirAll(dir, 0o755)
}
