package host

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
)

func TestACommandThatGivesNoShellIsSaidInItsOwnWords(t *testing.T) {
	for _, test := range []struct {
		name    string
		command []string
		says    []string
	}{
		{"nothing", nil, []string{"empty"}},
		{"missing", []string{"/nowhere/kubectl", "exec"}, []string{"/nowhere/kubectl exec", "no such file"}},
		{"fails", []string{"sh", "-c", "echo pods plex-0 not found >&2; exit 3"}, []string{"status 3", "pods plex-0 not found"}},
		{"fails on standard output", []string{"sh", "-c", "echo no such container; exit 4"}, []string{"status 4", "no such container"}},
		{"ends", []string{"true"}, []string{"ended at once"}},
	} {
		_, err := Exec{Command: test.command}.Shell(t.Context(), "true")
		if !errors.Is(err, ErrShell) {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		for _, want := range test.says {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v does not say %q", test.name, err, want)
			}
		}
	}
}

func TestACommandThatGreetsGivesAShell(t *testing.T) {
	h := Exec{Command: []string{"sh", "-c", "echo Welcome; echo 'Defaulted container' >&2; exec sh"}}
	if out, err := run(t, h, "cat", "input"); out != "input" || err != nil {
		t.Errorf("it says %q, %v", out, err)
	}
}

func TestACommandWithATerminalIsRefused(t *testing.T) {
	if _, err := exec.LookPath("script"); err != nil {
		t.Skip("NOT RUN: script is not installed")
	}
	_, err := Exec{Command: []string{"script", "-qec", "sh", "/dev/null"}}.Shell(t.Context(), "true")
	mustAdvise(t, err, errTerminal, "without -t", "terminal")
}

func TestACommandDoesNotSeeTheProvidersSecrets(t *testing.T) {
	t.Setenv("PLEX_TOKEN", "planted-1")
	t.Setenv("TF_VAR_x", "planted-2")
	t.Setenv("KUBECONFIG", "/home/me/config")
	out, err := run(t, Exec{Command: []string{"sh"}}, "env", "")
	if err != nil || strings.Contains(out, "planted") || !strings.Contains(out, "KUBECONFIG=/home/me/config\n") {
		t.Errorf("its environment is\n%s\n%v", out, err)
	}
}

func TestAnExecIsNamedByItsCommandAndDialsNothing(t *testing.T) {
	h := Exec{Command: []string{"kubectl", "exec", "-i", strings.Repeat("é", 60), "--", "sh"}}
	if name := h.Name(); name != "kubectl exec -i "+strings.Repeat("é", 44)+"…" {
		t.Errorf("its name is %q", name)
	}
	if _, err := h.Dial(t.Context(), "tcp", "127.0.0.1:1"); !errors.Is(err, ErrNoForwarding) || !strings.Contains(err.Error(), "kubectl") {
		t.Errorf("Dial: %v", err)
	}
}
