package host

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// sshAuth is what a hop's login may be tried with.
type sshAuth struct {
	key        string   // a private key itself
	keyPath    string   // a key file that the settings name
	paths      []string // the configuration's IdentityFiles
	byDefault  bool     // paths are the usual ones, which need not be there
	only       bool     // IdentitiesOnly: no keys of the agent but those of the files
	passphrase string
	password   string
	agent      string // the agent's socket; empty: none
	noAgent    string // why there is none, where one was asked for
}

// login is one attempt to log in: it notes what was tried.
type sshLogin struct {
	sshAuth
	agentConn agentConn

	mu       sync.Mutex
	answered bool     // the host has said that it wants a login
	takes    []string // the methods that the host takes
	passed   []string // the methods that it was content with, and wants more
	tried    []string
	skipped  []string
}

func (a sshAuth) begin() *sshLogin { return &sshLogin{sshAuth: a} }

// end closes the connection to the agent.
func (l *sshLogin) end() { l.agentConn.close() }

// methods are tried in this order, each where the host takes it.
func (l *sshLogin) methods() []ssh.AuthMethod {
	methods := []ssh.AuthMethod{ssh.PublicKeysCallback(l.signers)}
	if l.password != "" {
		methods = append(methods, ssh.PasswordCallback(l.givePassword), ssh.KeyboardInteractive(l.answer()))
	}
	return methods
}

// note is a ClientAuthCallback that only listens.
func (l *sshLogin) note(c *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answered = true
	l.takes, l.passed = c.AllowedMethods, c.PartialSuccessMethods
	return nil, nil //nolint:nilnil // so does the callback say: go on with the list of methods
}

func (l *sshLogin) try(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Contains(l.tried, what) {
		l.tried = append(l.tried, what)
	}
}

func (l *sshLogin) skip(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if what := fmt.Sprintf(format, args...); !slices.Contains(l.skipped, what) {
		l.skipped = append(l.skipped, what)
	}
}

func (l *sshLogin) givePassword() (string, error) {
	l.try("password")
	return l.password, nil
}

// answer gives the password to the one question that is not echoed. A host that
// asks again did not take it; one that asks for more wants what is not known.
func (l *sshLogin) answer() ssh.KeyboardInteractiveChallenge {
	given := false
	return func(_, _ string, questions []string, echos []bool) ([]string, error) {
		if len(questions) == 0 {
			return nil, nil
		}
		l.try("keyboard-interactive")
		if given || len(questions) != 1 || echos[0] {
			return nil, fmt.Errorf("the host asks what a password does not answer: %q", questions)
		}
		given = true
		return []string{l.password}, nil
	}
}

// asked tells whether the host has asked for a login.
func (l *sshLogin) asked() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.answered
}

// refused is the error of a login that the host did not take.
func (l *sshLogin) refused(hop *sshHop, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	said := []string{"tried: " + orNothing(l.tried)}
	if len(l.passed) > 0 {
		said = append(said, "accepted, but not enough: "+strings.Join(l.passed, ", "))
	}
	if len(l.skipped) > 0 {
		said = append(said, "not tried: "+strings.Join(l.skipped, ", "))
	}
	said = append(said, "the host takes "+orNothing(l.takes))
	if reason := reasonOf(err); reason != "" {
		said = append(said, reason)
	}
	return &Error{Err: fmt.Errorf("%w: %s: %s", ErrAuth, hop, strings.Join(said, "; ")), Next: l.advice(hop)}
}

func (l *sshLogin) advice(hop *sshHop) string {
	switch {
	case len(l.tried) == 0:
		return "Set the provider's ssh.private_key_path, ssh.private_key (with ssh.passphrase, if it has one) or ssh.password, or start an agent that holds the key. It is not tried again in this run."
	case len(l.tried) > 5: // sshd's MaxAuthTries is 6
		return "A host counts every key that is shown to it, and gives up after a few. Set IdentitiesOnly in the SSH client configuration, or the provider's ssh.agent to false, and name the key. It is not tried again in this run."
	}
	return fmt.Sprintf("Put the public key of one of these into ~/.ssh/authorized_keys of %s there, or check ssh.user and the provider's ssh settings. It is not tried again in this run.", hop.user)
}

// reasonOf is what err says beyond that no method is left.
func reasonOf(err error) string {
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	if said := err.Error(); !strings.HasPrefix(said, "ssh: unable to authenticate") {
		return strings.TrimPrefix(said, "ssh: ")
	}
	return ""
}

func orNothing(what []string) string {
	if len(what) == 0 {
		return "nothing"
	}
	return strings.Join(what, ", ")
}
