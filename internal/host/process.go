package host

import (
	"context"
	"io"
)

// runner starts a command on a machine: what differs between this machine, SSH,
// a container, and a command that gives a shell. The context bounds the start.
type runner interface {
	run(ctx context.Context, argv []string) (*process, error)
}

// process is a command that runs on a machine.
type process struct {
	stdin  io.WriteCloser
	stdout io.Reader
	stderr *tail

	// wait waits for its end, and gives up what the process holds. Its
	// error is an *ExitError for a status other than 0.
	wait func() error

	// abandon ends a command that has not begun its script.
	abandon func()

	// readsAhead tells that what reads standard input first may take more than
	// it needs, so that nothing is sent before the bootstrap has said that it
	// reads.
	readsAhead bool
}
