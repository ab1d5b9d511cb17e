package host

import (
	"context"
	"net"
	"os"
	"strings"
)

// Local is the machine on which the provider itself runs.
type Local struct {
	// Interpreter is the shell and its arguments before -c. Empty means
	// /bin/sh; tests name others.
	Interpreter []string

	Become Become
}

var _ Host = Local{}

// Name implements Host.
func (Local) Name() string { return "this machine" }

// Dial implements Host.
func (Local) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// Shell implements Host.
func (l Local) Shell(ctx context.Context, script string) (Shell, error) {
	interpreter := l.Interpreter
	if len(interpreter) == 0 {
		interpreter = posixShell
	}
	return startShell(ctx, l.Name(), l, interpreter, l.Become, script)
}

// posixShell is where every POSIX system has its shell.
var posixShell = []string{"/bin/sh"}

func (Local) run(_ context.Context, argv []string) (*process, error) {
	return startCommand(argv, environment(os.Environ()))
}

// inherited are the environment variables that a script needs. All others stay
// behind: the provider's own environment holds PLEX_TOKEN and whatever else
// the pipeline that runs Terraform keeps there, and what a script starts, the
// server too, would inherit them.
var inherited = map[string]bool{
	"PATH": true, "HOME": true, "USER": true, "LOGNAME": true, "TMPDIR": true, "TZ": true,
	"LANG": true, "XDG_RUNTIME_DIR": true, "DBUS_SESSION_BUS_ADDRESS": true,
}

func environment(all []string) []string {
	var env []string
	for _, v := range all {
		name, _, _ := strings.Cut(v, "=")
		if inherited[name] || strings.HasPrefix(name, "LC_") {
			env = append(env, v)
		}
	}
	return env
}
