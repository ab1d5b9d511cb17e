package host

import (
	"context"
	"errors"
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

var _ BatchHost = Local{}

// Name implements Host.
func (Local) Name() string { return "this machine" }

// Dial implements Host.
func (Local) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// Shell implements Host.
func (l Local) Shell(ctx context.Context, script string) (Shell, error) {
	if onWindows {
		return nil, onHost(l.Name(), ErrNotPOSIX)
	}
	interpreter := l.Interpreter
	if len(interpreter) == 0 {
		interpreter = posixShell
	}
	return startShell(ctx, l.Name(), l, interpreter, l.Become, script)
}

// Batch implements BatchHost. It is for Windows alone.
func (l Local) Batch(ctx context.Context, script string) (Shell, error) {
	if !onWindows {
		return nil, onHost(l.Name(), errors.New("cmd.exe is a part of Windows, and this machine has another system"))
	}
	return startBatch(ctx, l.Name(), l.Become, script, func(command []string) (*process, error) { return l.run(ctx, command) })
}

// posixShell is where every POSIX system has its shell.
var posixShell = []string{"/bin/sh"}

func (Local) run(_ context.Context, argv []string) (*process, error) {
	return startCommand(argv, environment(os.Environ()))
}

// environment is of all variables those that a script needs. All others stay behind: the provider's own environment
// holds PLEX_TOKEN and whatever else the pipeline that runs Terraform keeps there,
// and what a script starts, the server too, would inherit them.
func environment(all []string) []string {
	var env []string
	for _, v := range all {
		name, _, _ := strings.Cut(v, "=")
		if isInherited(name) {
			env = append(env, v)
		}
	}
	return env
}
