package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestARefusalOfOtherRightsIsSaidAsWhatItIs(t *testing.T) {
	for _, test := range []struct {
		name, sudo string
		become     Become
		says       string
		next       string
	}{
		{"a password is needed", sudoAsks, Become{Method: BecomeSudo}, "sudo asks for a password", "NOPASSWD: /bin/sh"},
		{"a wrong password", sudoAsks, Become{Method: BecomeSudo, Password: "planted-wrong"}, "sudo refused the password", "become.password"},
		{"requiretty", sudoTTY, Become{Method: BecomeSudo}, "requiretty", "!requiretty"},
		{"requiretty, with a password", sudoTTY, Become{Method: BecomeSudo, Password: "planted-wrong"}, "requiretty", "!requiretty"},
		{"no rule", sudoNoRule, Become{Method: BecomeSudo}, "no rule in sudoers", "NOPASSWD: /bin/sh"},
		{"no rule, with a password", sudoNoRule, Become{Method: BecomeSudo, Password: "planted-wrong"}, "no rule in sudoers", "NOPASSWD: /bin/sh"},
		{"rules for others", sudoOnly, Become{Method: BecomeSudo}, "do not allow it", "NOPASSWD: /bin/sh"},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachHostAs(t, []become{{"", test.sudo, test.become}}, func(t *testing.T, _ hostSpec, h Host) {
				_, err := h.Shell(t.Context(), "echo it runs")
				mustAdvise(t, err, ErrBecome, test.next, test.says)
				if !errors.Is(err, ErrShell) || strings.Contains(err.Error(), "planted") {
					t.Errorf("error is %v", err)
				}
			})
		})
	}
}

// mustAdvise checks that an error is of a kind, says what it is, and what to do.
func mustAdvise(t *testing.T, err, kind error, next, says string) {
	t.Helper()
	var advice *Error
	if !errors.Is(err, kind) || !errors.As(err, &advice) || !strings.Contains(advice.Next, next) || !strings.Contains(err.Error(), says) {
		t.Fatalf("error is %v, advice is %+v", err, advice)
	}
}

func TestAWrongPasswordIsGivenOnce(t *testing.T) {
	eachHostAs(t, []become{{"", sudoAsks, Become{Method: BecomeSudo, Password: "planted-wrong"}}}, func(t *testing.T, _ hostSpec, h Host) {
		if _, err := h.Shell(t.Context(), "true"); !errors.Is(err, ErrBecome) {
			t.Fatalf("error is %v", err)
		}
		dir, _, _ := strings.Cut(os.Getenv("PATH"), ":")
		wrong, err := os.ReadFile(filepath.Join(dir, "wrong"))
		if err != nil || string(wrong) != "planted-wrong\n" {
			t.Errorf("sudo was given %q, %v", wrong, err)
		}
	})
}

func TestAPasswordThatIsNotAskedForIsNoInputOfTheScript(t *testing.T) {
	eachHostAs(t, []become{{"", sudoFree, Become{Method: BecomeSudo, Password: sudoPassword}}}, func(t *testing.T, _ hostSpec, h Host) {
		if out, err := run(t, h, "cat", "input"); out != "input" || err != nil {
			t.Errorf("the script got %q, %v", out, err)
		}
	})
}

func TestWhoeverGivesOtherRightsMayBeMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, method := range []string{BecomeSudo, BecomeDoas} {
		for _, interpreter := range []string{"/bin/dash", "/bin/bash"} {
			if _, err := os.Stat(interpreter); err != nil {
				t.Skipf("NOT RUN: %s is not installed", interpreter)
			}
			// env itself must be found.
			if err := os.Symlink("/usr/bin/env", filepath.Join(os.Getenv("PATH"), "env")); err != nil && !errors.Is(err, os.ErrExist) {
				t.Fatal(err)
			}
			_, err := Exec{Command: []string{interpreter}, Become: Become{Method: method}}.Shell(t.Context(), "true")
			mustAdvise(t, err, ErrBecome, "Install "+method, "no "+method+" on the host")
		}
	}
}

func TestDoasTakesNoPassword(t *testing.T) {
	_, err := Local{Become: Become{Method: BecomeDoas, Password: "planted"}}.Shell(t.Context(), "true")
	mustAdvise(t, err, ErrBecome, "nopass", "from a terminal only")
	if strings.Contains(err.Error(), "planted") {
		t.Errorf("error is %v", err)
	}
}

func TestAMethodThatIsNotThereIsAnError(t *testing.T) {
	if _, err := (Local{Become: Become{Method: "su"}}).Shell(t.Context(), "true"); !errors.Is(err, ErrBecome) || !strings.Contains(err.Error(), `"su"`) {
		t.Errorf("error is %v", err)
	}
	for _, none := range []string{"", BecomeNone} {
		if out, err := run(t, Local{Become: Become{Method: none, Password: "planted"}}, "echo here", ""); out != "here\n" || err != nil {
			t.Errorf("%q: %q, %v", none, out, err)
		}
	}
}

func TestWhatASudoSaysIsRead(t *testing.T) {
	sudo, doas := Become{Method: BecomeSudo}, Become{Method: BecomeDoas}
	for _, test := range []struct {
		become Become
		said   string
		means  string
	}{
		{sudo, "sudo: a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper\nsudo: a password is required", "asks for a password"},
		{sudo, "sudo: sorry, you must have a tty to run sudo", "requiretty"},
		{sudo, passwordPrompt + "\nadmin is not in the sudoers file.  This incident will be reported.", "no rule"},
		{sudo, "Sorry, user admin may not run sudo on nas.", "no rule"},
		{sudo, "sudo: 1 incorrect password attempt", "refused the password"},
		{doas, "doas: Authentication required", "asks for a password"},
		{doas, "doas: Operation not permitted", "no rule"},
		{doas, "doas: doas is not enabled, /etc/doas.conf: No such file or directory", "no configuration"},
		{sudo, "sh: 1: something else", ""},
		{Become{}, "sudo: a password is required", ""},
	} {
		err := test.become.refusal(test.said, 1)
		if (err == nil) != (test.means == "") || err != nil && !strings.Contains(err.Error(), test.means) {
			t.Errorf("%q: %v", test.said, err)
		}
	}
}
