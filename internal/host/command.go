package host

import (
	"errors"
	"io"
	"os/exec"
	"sync"
	"time"
)

// startCommand starts a command of this machine in a session of its own: Ctrl-C
// in the terminal, which goes to every process of the foreground group, must not
// reach a script that has stopped a server and has to start it again.
func startCommand(argv, env []string) (*process, error) {
	cmd := exec.Command(argv[0], argv[1:]...) //nolint:gosec,noctx // the command is the user's; a context would kill it half-way
	cmd.Env = env
	cmd.SysProcAttr = ownSession()
	// What the script has started may keep its standard error; nobody waits for that.
	cmd.WaitDelay = time.Second
	stderr := newTail(4096)
	cmd.Stderr = stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	wait := sync.OnceValue(func() error {
		_, _ = io.Copy(io.Discard, stdout)
		return ending(cmd.Wait(), stderr)
	})
	return &process{
		stdin: stdin, stdout: stdout, stderr: stderr, wait: wait,
		abandon: func() {
			_ = stdin.Close()
			killSession(cmd.Process)
			go func() { _ = wait() }()
		},
	}, nil
}

// ending is how a command ended.
func ending(err error, stderr *tail) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &ExitError{Status: exit.ExitCode(), Stderr: stderr.String()}
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	return err
}
