package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Local is the machine on which the provider itself runs.
type Local struct {
	// Interpreter is the shell and its arguments before -c. Empty means
	// /bin/sh; tests name others.
	Interpreter []string
}

var _ Host = Local{}

// Name implements Host.
func (Local) Name() string { return "this machine" }

// Dial implements Host.
func (Local) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// Shell implements Host. The shell runs in a session of its own: Ctrl-C in
// the terminal, which goes to every process of the foreground group, must not
// reach a script that has stopped a server and has to start it again.
func (l Local) Shell(ctx context.Context, script string) (Shell, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	input, err := frame(script)
	if err != nil {
		return nil, err
	}
	argv := l.Interpreter
	if len(argv) == 0 {
		argv = []string{"/bin/sh"}
	}
	argv = append(argv[:len(argv):len(argv)], "-c", bootstrap)
	cmd := exec.Command(argv[0], argv[1:]...) //nolint:gosec,noctx // the shell is ours; a context would kill it half-way
	cmd.Env = environment(os.Environ())
	cmd.SysProcAttr = ownSession()
	// What the script has started may keep its standard error; nobody waits for that.
	cmd.WaitDelay = time.Second
	stderr := &tail{limit: 4096}
	cmd.Stderr = stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("%w on this machine: %w", ErrShell, err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("%w on this machine: %w", ErrShell, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w on this machine: %w", ErrShell, err)
	}
	s := &localShell{cmd: cmd, stdin: stdin, stdout: stdout, stderr: stderr}
	if _, err := io.WriteString(stdin, input); err != nil {
		_ = stdin.Close()
		return nil, fmt.Errorf("%w on this machine: %w", ErrShell, errors.Join(err, s.Wait()))
	}
	return s, nil
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

type localShell struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout io.Reader
	stderr *tail
}

func (s *localShell) Read(p []byte) (int, error)  { return s.stdout.Read(p) }
func (s *localShell) Write(p []byte) (int, error) { return s.stdin.Write(p) }
func (s *localShell) Close() error                { return s.stdin.Close() }

func (s *localShell) Wait() error {
	// exec closes the read end in Wait; until then what the script still says
	// has to be taken, or a full pipe would hold it.
	_, _ = io.Copy(io.Discard, s.stdout)
	err := s.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &ExitError{Status: exit.ExitCode(), Stderr: s.stderr.String()}
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	return err
}
