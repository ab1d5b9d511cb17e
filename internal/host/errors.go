package host

import (
	"errors"
	"fmt"
)

// ErrShell is wrapped by the error of a shell that could not be started.
var ErrShell = errors.New("no shell")

// ErrNoForwarding is wrapped by the error of a Dial on a machine through which
// no connection can be made. A shell there may still be had.
var ErrNoForwarding = errors.New("no connection can be made through this host")

// Error is a machine that could not be reached, with what to do about it.
type Error struct {
	Err  error
	Next string // what a person can do
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// ExitError is a script that ended with another status than 0.
type ExitError struct {
	Status int    // exit status, or -1 when a signal ended it
	Stderr string // the last part of what it wrote to standard error
}

func (e *ExitError) Error() string {
	if e.Stderr == "" {
		return fmt.Sprintf("the shell ended with status %d", e.Status)
	}
	return fmt.Sprintf("the shell ended with status %d: %s", e.Status, e.Stderr)
}
