package host

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// hostSpec is a host of the conformance suite, as text: another process can
// make the same.
type hostSpec struct {
	Local    []string // the interpreter
	Exec     []string // a command that gives a shell
	Login    []string // a login shell, as sshd starts it
	Settings SSHSettings
	Target   SSHTarget
	Become   Become
}

func (s hostSpec) host() Host {
	switch {
	case s.Local != nil:
		return Local{Interpreter: s.Local, Become: s.Become}
	case s.Exec != nil:
		return Exec{Command: s.Exec, Become: s.Become}
	case s.Login != nil:
		return loginShell{argv: s.Login, become: s.Become}
	}
	return NewSSHPool(s.Settings).Host(s.Target, s.Become)
}

// loginShell runs what SSH runs under a login shell, of any kind, as sshd does.
type loginShell struct {
	argv   []string
	become Become
}

func (l loginShell) Name() string { return l.argv[0] }

func (l loginShell) Shell(ctx context.Context, script string) (Shell, error) {
	return startShell(ctx, l.Name(), l, posixShell, l.become, script)
}

func (l loginShell) run(_ context.Context, argv []string) (*process, error) {
	return startCommand(append(l.argv[:len(l.argv):len(l.argv)], "-c", "exec "+quoteAll(argv)), os.Environ())
}

func (loginShell) Dial(context.Context, string, string) (net.Conn, error) {
	return nil, ErrNoForwarding
}

// asRoot are the ways to other rights that every host has to suit.
var asRoot = []become{
	{"as itself", sudoNoRule, Become{}},
	{"sudo", sudoFree, Become{Method: BecomeSudo}},
	{"sudo with a password", sudoAsks, Become{Method: BecomeSudo, Password: sudoPassword}},
}

// become is what a host is asked with, and what its sudo does then.
type become struct {
	name, sudo string
	Become
}

// eachHost runs test on every kind of host, with and without other rights.
func eachHost(t *testing.T, test func(t *testing.T, spec hostSpec, h Host)) {
	t.Helper()
	eachHostAs(t, asRoot, test)
}

func eachHostAs(t *testing.T, rights []become, test func(t *testing.T, spec hostSpec, h Host)) {
	t.Helper()
	specs := []struct {
		name string
		spec hostSpec
	}{
		{"local under dash", hostSpec{Local: []string{"dash"}}},
		{"local under bash", hostSpec{Local: []string{"bash", "--posix"}}},
		{"local under ash", hostSpec{Local: []string{"busybox", "ash"}}},
		{"exec sh", hostSpec{Exec: []string{"sh"}}},
		{"exec dash", hostSpec{Exec: []string{"dash"}}},
		{"login under csh", hostSpec{Login: []string{"csh"}}},
		{"login under fish", hostSpec{Login: []string{"fish"}}},
		{"ssh", hostSpec{}},
	}
	for _, row := range specs {
		t.Run(row.name, func(t *testing.T) {
			command := append(append(append([]string{}, row.spec.Local...), row.spec.Exec...), row.spec.Login...)
			if len(command) > 0 {
				if _, err := exec.LookPath(command[0]); err != nil {
					t.Skipf("NOT RUN: %s is not installed", command[0])
				}
			}
			sudo := playSudo(t, sudoAsks)
			if len(command) == 0 {
				row.spec.Settings, row.spec.Target = realSSHD(t)
			}
			for _, become := range rights {
				t.Run(become.name, func(t *testing.T) {
					write(t, sudo, become.sudo)
					spec := row.spec
					spec.Become = become.Become
					h := spec.host()
					if s, ok := h.(*SSH); ok {
						t.Cleanup(func() { _ = s.pool.Close() })
					}
					test(t, spec, h)
				})
			}
		})
	}
}

// What the stand-in for sudo does.
const (
	sudoFree   = "free"        // NOPASSWD
	sudoAsks   = "asks"        // for a password
	sudoTTY    = "tty"         // requiretty
	sudoNoRule = "no rule"     // the user is not in sudoers
	sudoOnly   = "not allowed" // for other commands only

	sudoPassword = `planted $pass'word\0001`
)

// playSudo puts a stand-in for sudo at the front of the PATH. It does what the
// file whose name is returned says.
func playSudo(t *testing.T, does string) string {
	t.Helper()
	dir := t.TempDir()
	mode := filepath.Join(dir, "mode")
	write(t, mode, does)
	write(t, filepath.Join(dir, "password"), sudoPassword)
	script := strings.ReplaceAll(sudoScript, "@DIR@", dir)
	if err := os.WriteFile(filepath.Join(dir, "sudo"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return mode
}

// sudoScript says and does what sudo 1.9 does, with -S and -p as with -n.
const sudoScript = `#!/bin/dash
ask= prompt='[sudo] password: '
while [ $# -gt 0 ]; do
  case $1 in
  -S) ask=1 ;;
  -n) ask= ;;
  -p) prompt=$2; shift ;;
  --) shift; break ;;
  *) break ;;
  esac
  shift
done
case $(cat '@DIR@/mode') in
free) exec "$@" ;;
tty) echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1 ;;
asks)
  if [ -z "$ask" ]; then echo 'sudo: a password is required' >&2; exit 1; fi
  for _ in 1 2 3; do
    printf '%s' "$prompt" >&2
    IFS= read -r given || { printf '\nsudo: no password was provided\nsudo: a password is required\n' >&2; exit 1; }
    if [ "$given" = "$(cat '@DIR@/password')" ]; then exec "$@"; fi
    printf '\nSorry, try again.\n' >&2
    echo "$given" >> '@DIR@/wrong'
  done
  echo 'sudo: 3 incorrect password attempts' >&2; exit 1 ;;
'not allowed') echo "Sorry, user admin is not allowed to execute '$*' as root on nas." >&2; exit 1 ;;
*) echo 'admin is not in the sudoers file.' >&2; exit 1 ;;
esac
`

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
