package provider_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
)

// What an account calls itself is shown, and does nothing to the terminal.
func TestANameOfAnAccountForgesNoLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const forged = "All is well"
	odd := plexsim.Account{Username: "own\u009b2Jer\n\n" + forged + "\u202e", Email: "odd\n" + forged + "@example.com", Token: "oddAccountToken00001"}
	w.tv.AddAccount(odd)
	den := w.boundTo(odd)
	c := newCLI(t, w.config(plexsim.Account{}, bindingOf("den", den, `account = "owner"`)))
	refused, err := c.output("apply", "-auto-approve", "-no-color")
	if err == nil {
		t.Error("the server was taken from another account")
	}
	c.write(w.config(plexsim.Account{}, bindingOf("den", den), "output \"who\" {\n value = "+address+".username\n}\n"))
	adopted, err := c.output("apply", "-auto-approve", "-no-color")
	if err != nil {
		t.Errorf("%v: %s", err, adopted)
	}
	c.write(w.config(odd, bindingOf("den", den, `triggers = { month = "may" }`)))
	planned, err := c.output("plan", "-no-color")
	if err != nil {
		t.Errorf("%v: %s", err, planned)
	}
	for what, out := range map[string]string{"an error": string(refused), "outputs": string(adopted), "a plan": string(planned)} {
		if !strings.Contains(out, forged) {
			t.Errorf("%s does not name the account: %s", what, out)
		}
		for line := range strings.Lines(out) {
			if strings.TrimSpace(line) == forged {
				t.Errorf("%s has the line %q", what, line)
			}
			if strings.ContainsFunc(strings.TrimRight(line, "\r\n"), func(r rune) bool { return unicode.IsControl(r) || r == '\u202e' }) {
				t.Errorf("%s does something to the terminal: %q", what, line)
			}
		}
	}
}

// What a host says beside the answer is shown, indented.
func TestWhatAHostSaysForgesNoLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config := w.config(plexsim.Account{}, "resource \"plex_server_account_binding\" \"den\" {\n server = { exec = [\"sh\", \"-c\", \"printf 'no\\\\033[2J\\\\n\\\\nAll is well\\\\r\\\\n' >&2; exit 3\"] }\n}\n")
	out, err := newCLI(t, config).output("apply", "-auto-approve", "-no-color")
	if err == nil || !strings.Contains(string(out), `no\x1b[2J`) || !strings.Contains(string(out), "\n  All is well") {
		t.Errorf("%v: %q", err, out)
	}
	if strings.ContainsAny(string(out), "\x1b\r") {
		t.Errorf("it does something to the terminal: %q", out)
	}
}
