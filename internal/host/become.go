package host

import (
	"errors"
	"fmt"
	"strings"
)

// Methods of Become.
const (
	BecomeNone = "none"
	BecomeSudo = "sudo"
	BecomeDoas = "doas"
)

// Become is how a shell gets root's rights. The zero value asks for none.
type Become struct {
	Method   string // BecomeSudo, BecomeDoas; empty or BecomeNone: no other rights
	Password string // for sudo, where it asks for one; it is sent on standard input
}

// ErrBecome is wrapped by the error of a shell that did not get other rights.
var ErrBecome = errors.New("no other rights were given")

// passwordPrompt is what sudo is told to ask with.
const passwordPrompt = "[terraform-provider-plex: password]" //nolint:gosec // it asks for one

// command is argv as somebody else's. The messages of sudo and doas are read,
// so they must be the untranslated ones.
func (b Become) command(argv []string) ([]string, error) {
	switch b.Method {
	case "", BecomeNone:
		return argv, nil
	case BecomeSudo:
		if b.Password != "" {
			return append([]string{"env", "LC_ALL=C", "sudo", "-S", "-p", passwordPrompt, "--"}, argv...), nil
		}
		return append([]string{"env", "LC_ALL=C", "sudo", "-n", "--"}, argv...), nil
	case BecomeDoas:
		if b.Password != "" {
			return nil, &Error{
				Err:  fmt.Errorf("%w: doas takes a password from a terminal only", ErrBecome),
				Next: `Leave become.password out and give the user a rule with nopass in doas.conf, for example "permit nopass admin as root cmd /bin/sh", or use sudo.`,
			}
		}
		return append([]string{"env", "LC_ALL=C", "doas", "-n", "--"}, argv...), nil
	}
	return nil, fmt.Errorf("%w: there is no method %q", ErrBecome, b.Method)
}

// refusals are what sudo and doas say when they refuse, what that means, and
// the way out. The order matters: the first that fits is it.
var refusals = []struct{ says, means, next string }{
	{"must have a tty", "sudo wants a terminal (requiretty)", "Exempt the user in sudoers: Defaults:USER !requiretty."},
	{"a terminal is required to read the password", "sudo asks for a password", adviceSudo},
	{"a password is required", "sudo asks for a password", adviceSudo},
	{"Authentication required", "doas asks for a password", adviceDoas},
	{"authentication required", "doas asks for a password", adviceDoas},
	{"incorrect password", "sudo refused the password", "Set the provider's become.password to the password of the user who logs in."},
	{"is not in the sudoers file", "the user has no rule in sudoers", adviceSudo},
	{"may not run sudo", "the user has no rule in sudoers", adviceSudo},
	{"is not allowed to execute", "the user's rules in sudoers do not allow it", adviceSudo},
	{"Operation not permitted", "the user has no rule in doas.conf", adviceDoas},
	{"doas is not enabled", "doas has no configuration", adviceDoas},
}

const (
	adviceSudo = `Give the user this line in sudoers: "USER ALL=(root) NOPASSWD: /bin/sh". Where it shall ask for a password, leave NOPASSWD: out and set the provider's become.password.`
	adviceDoas = `Give the user this line in doas.conf: "permit nopass USER as root cmd /bin/sh".`
)

// statusNotFound is what env ends with where there is no such command. Its words
// are in the language of the login, and quote as that does.
const statusNotFound = 127

// refusal is the error that the words of sudo or doas, and the status that they
// ended with, mean; nil when they are about something else.
func (b Become) refusal(said string, status int) error {
	if b.Method == "" || b.Method == BecomeNone {
		return nil
	}
	said = strings.TrimSpace(strings.ReplaceAll(said, passwordPrompt, ""))
	for _, r := range refusals {
		if strings.Contains(said, r.says) {
			return &Error{Err: fmt.Errorf("%w: %s: %s", ErrBecome, r.means, said), Next: r.next}
		}
	}
	if status == statusNotFound && strings.Contains(said, b.Method) {
		return &Error{
			Err:  fmt.Errorf("%w: there is no %s on the host: %s", ErrBecome, b.Method, said),
			Next: fmt.Sprintf("Install %s, set the provider's become.method to what there is (sudo, doas), or log in as root.", b.Method),
		}
	}
	return nil
}

func errWrongPassword(b Become) error {
	return &Error{
		Err:  fmt.Errorf("%w: %s refused the password", ErrBecome, b.Method),
		Next: "Set the provider's become.password to the password of the user who logs in.",
	}
}
