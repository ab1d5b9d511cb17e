package host

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A shell that is not talked to by a person writes no history, whichever it is.
func TestNoShellWritesAHistory(t *testing.T) {
	names := []string{".bash_history", ".ash_history", ".sh_history", ".history", ".local/share/fish/fish_history"}
	s := startSSHD(t)
	for _, name := range names[:4] {
		write(t, s.file(name), "what was there\n")
	}
	try := func(t *testing.T, h Host, home string) {
		t.Helper()
		shell, err := h.Shell(t.Context(), "echo planted-in-the-script\nread -r line\necho \"$line\"\n")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := shell.Write([]byte("planted-on-input\n")); err != nil {
			t.Fatal(err)
		}
		if err := shell.Close(); err != nil {
			t.Fatal(err)
		}
		if err := shell.Wait(); err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(filepath.Join(home, name))
			if err == nil && strings.Contains(string(text), "planted") || err == nil && strings.HasSuffix(name, "sh_history") && string(text) != "what was there\n" && !strings.Contains(name, "fish") {
				t.Errorf("%s is %q", name, text)
			}
		}
	}
	t.Run("ssh", func(t *testing.T) {
		try(t, pool(t, s.settings()).Host(s.target(), Become{}), s.dir)
	})
	for _, command := range [][]string{{"bash"}, {"bash", "--login"}, {"busybox", "ash", "-l"}, {"dash"}, {"sh"}} {
		t.Run(strings.Join(command, " "), func(t *testing.T) {
			if _, err := exec.LookPath(command[0]); err != nil {
				t.Skipf("NOT RUN: %v", err)
			}
			t.Setenv("HOME", s.dir)
			try(t, Exec{Command: command}, s.dir)
		})
	}
}
