//go:build unix

package simtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// OthersSeeNothing fails where another user of the machine sees more of a directory
// of copies than that it is there.
func OthersSeeNothing(t testing.TB, copies string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(copies, "*.xml"))
	if err != nil || len(found) == 0 {
		t.Fatalf("there are no copies in %s: %v", copies, err)
	}
	if os.Getuid() != 0 {
		t.Log("NOT RUN as another user: only root can be one; make testlab does it")
		return
	}
	const stranger = 54321
	for dir := filepath.Dir(copies); dir != "/"; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode&0o001 == 0 {
			if err := os.Chmod(dir, mode|0o001); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.Chmod(dir, mode) })
		}
	}
	try := func(command ...string) (string, error) {
		c := exec.Command(command[0], command[1:]...)
		c.Dir = "/"
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: stranger, Gid: stranger}}
		out, err := c.CombinedOutput()
		return string(out), err
	}
	if out, err := try("stat", copies); err != nil {
		t.Errorf("another user does not come to the copies in any case: %s", out)
	}
	for _, command := range [][]string{{"ls", copies}, {"cat", found[0]}, {"stat", found[0]}} {
		if out, err := try(command...); err == nil || !strings.Contains(out, "ermission denied") {
			t.Errorf("%v: %v, %s", command, err, out)
		}
	}
}
