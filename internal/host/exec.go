package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

// Exec is whatever a command gives a shell in: kubectl exec -i, pct exec, ssh
// itself. The command runs on this machine, and what it starts must read
// commands from its standard input, as sh does.
type Exec struct {
	Command []string
	Become  Become // within the shell that the command gives
}

var _ BatchHost = Exec{}

// Name implements Host.
func (e Exec) Name() string {
	const most = 60
	name := []rune(strings.Join(strings.Fields(strings.Join(e.Command, " ")), " ")) // one line, of whatever was given
	if len(name) > most {
		return string(name[:most]) + "…"
	}
	return string(name)
}

// Dial implements Host: a command gives a shell, and no connections.
func (e Exec) Dial(context.Context, string, string) (net.Conn, error) {
	return nil, fmt.Errorf("%w (%s)", ErrNoForwarding, e.Name())
}

// Shell implements Host.
func (e Exec) Shell(ctx context.Context, script string) (Shell, error) {
	if e.givesBatch() {
		return nil, onHost(e.Name(), ErrNotPOSIX)
	}
	s, err := startShell(ctx, e.Name(), e, posixShell, e.Become, script)
	if errors.Is(err, errTerminal) {
		return nil, &Error{Err: err, Next: "Give the command in server.exec no terminal: kubectl exec -i and docker exec -i without -t, ssh without -t."}
	}
	return s, err
}

// givesBatch tells whether the command names a shell of Windows. One that does
// not know exec says so, in the language of the host, and goes on waiting.
func (e Exec) givesBatch() bool {
	for _, word := range e.Command {
		word = strings.ToLower(word[strings.LastIndexAny(word, `/\`)+1:])
		switch strings.TrimSuffix(word, ".exe") {
		case "cmd", "powershell", "pwsh":
			return true
		}
	}
	return false
}

// Batch implements BatchHost.
func (e Exec) Batch(ctx context.Context, script string) (Shell, error) {
	return startBatch(ctx, e.Name(), e.Become, script, func(command []string) (*process, error) {
		return e.start(strings.Join(command, " ") + "\r\n")
	})
}

// run starts the user's command, and has the shell that it gives become argv.
func (e Exec) run(_ context.Context, argv []string) (*process, error) {
	return e.start(fmt.Sprintf("exec %s\n", quoteAll(argv)))
}

// start starts the user's command, and gives the shell its first line.
func (e Exec) start(line string) (*process, error) {
	if len(e.Command) == 0 {
		return nil, errors.New("the command that gives a shell is empty")
	}
	p, err := startCommand(e.Command, withoutSecrets(os.Environ()))
	if err != nil {
		return nil, err
	}
	p.readsAhead = true
	// An error shows in how the command ends.
	_, _ = io.WriteString(p.stdin, line)
	return p, nil
}

// withoutSecrets is what a command such as kubectl may see: its own variables,
// which only it knows, and not what is meant for this provider and Terraform.
func withoutSecrets(all []string) []string {
	var env []string
	for _, v := range all {
		if !strings.HasPrefix(v, "PLEX_") && !strings.HasPrefix(v, "TF_") {
			env = append(env, v)
		}
	}
	return env
}
