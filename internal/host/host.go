// Package host reaches a machine on which a Plex Media Server runs, and gives
// a shell there. It knows nothing of Plex.
package host

import (
	"context"
	"io"
	"net"
)

// Host is a machine that gives a shell. A Host is safe for concurrent use.
type Host interface {
	// Name names the machine in messages, for example "this machine".
	Name() string

	// Shell starts script under the machine's POSIX shell and returns it held
	// open. The script is sent on standard input, never in an argument, so
	// that it does not show in the machine's process list; what is written to
	// the Shell afterwards is the script's standard input.
	//
	// The context bounds the start only. A script that is running is never
	// killed: whoever holds it closes it, and the script sees the end of its
	// input and finishes what it has begun. Errors wrap ErrShell, and are an
	// *Error where a person can do something about it.
	Shell(ctx context.Context, script string) (Shell, error)

	// Dial connects to address as the machine itself would, so that
	// 127.0.0.1 is the machine's own loopback. Its error wraps
	// ErrNoForwarding where the machine lets no connection through, and
	// matches syscall.ECONNREFUSED where nothing listens.
	Dial(ctx context.Context, network, address string) (net.Conn, error)
}

// Shell is a running script. Read gives its standard output and ends with
// io.EOF when the script has closed it. Close ends the script's input, and
// neither waits for the script nor kills it.
type Shell interface {
	io.ReadWriteCloser

	// Wait waits until the script has ended, for as long as that takes. Its
	// error is an *ExitError when the script ended with another status than 0.
	Wait() error
}
