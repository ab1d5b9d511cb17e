package host

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// Rule 9: what passes between an engine and us through a shell holds secrets.
func TestAnEnginesShellDumpsNoCore(t *testing.T) {
	bin := t.TempDir()
	said := filepath.Join(bin, "limits")
	text := "#!/bin/sh\nulimit -S -c >>" + said + "\necho 1.44\n"
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	path := "PATH=" + bin + ":" + os.Getenv("PATH")
	on := Exec{Command: []string{"sh", "-c", `ulimit -S -c 1000 || exit; exec "$@"`, "sh", "env", path, "sh"}}
	conn, err := dialStdio(t.Context(), on, DefaultEngine)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Error(err)
	}
	_ = conn.Close()
	// The version is asked for, and then the connection is carried.
	if limits, err := os.ReadFile(said); err != nil || string(limits) != "0\n0\n" {
		t.Errorf("the docker command may dump core: its limits are %q, %v", limits, err)
	}
}
