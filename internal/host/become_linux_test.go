package host

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// needRoot skips a test of the real command, which root may use without more.
func needRoot(t *testing.T, command string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skipf("NOT RUN with the real %s: this is not root", command)
	}
	if _, err := exec.LookPath(command); err != nil {
		t.Skipf("NOT RUN with the real %s: it is not installed", command)
	}
}

func TestTheRealSudoTakesThis(t *testing.T) {
	needRoot(t, "sudo")
	for _, password := range []string{"", "planted-unused"} {
		h := Local{Become: Become{Method: BecomeSudo, Password: password}}
		out, err := run(t, h, `printf '%s ' "$SUDO_USER"; id -u; cat`, everyByte())
		if want := currentUser(t) + " 0\n" + everyByte(); err != nil || out != want {
			t.Errorf("%d bytes that begin with %.20q, %v", len(out), out, err)
		}
	}
	out, err := run(t, Local{Become: Become{Method: BecomeSudo}}, "exit 7", "")
	if out != "" || err == nil || !strings.Contains(err.Error(), "status 7") {
		t.Errorf("%q, %v", out, err)
	}
}

// TestTheRealSudoRefusesInTheseWords has root ask as a user who has no rule.
func TestTheRealSudoRefusesInTheseWords(t *testing.T) {
	needRoot(t, "sudo")
	needRoot(t, "setpriv")
	h := Exec{Command: []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh"}, Become: Become{Method: BecomeSudo}}
	_, err := h.Shell(t.Context(), "true")
	mustAdvise(t, err, ErrBecome, "NOPASSWD: /bin/sh", "a password")
}

func TestTheRealDoasRefusesInTheseWords(t *testing.T) {
	needRoot(t, "doas")
	if _, err := os.Stat("/etc/doas.conf"); err == nil {
		t.Skip("NOT RUN: this machine's doas has rules")
	}
	_, err := Local{Become: Become{Method: BecomeDoas}}.Shell(t.Context(), "true")
	mustAdvise(t, err, ErrBecome, "doas.conf", "doas has no configuration")
}
