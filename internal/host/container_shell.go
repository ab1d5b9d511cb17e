package host

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// ErrNoInterpreter is wrapped by the error of a container without a shell.
var ErrNoInterpreter = errors.New("the container has no /bin/sh")

// containerRunner starts commands inside a container, as root.
type containerRunner struct{ *Container }

func (c containerRunner) run(ctx context.Context, argv []string) (*process, error) {
	api, err := c.engine.client()
	if err != nil {
		return nil, err
	}
	if err := c.canRun(ctx); err != nil {
		return nil, err
	}
	// By number, since an image may have no /etc/passwd.
	made, err := api.ExecCreate(ctx, c.target.Name, client.ExecCreateOptions{
		User: "0", Cmd: argv, AttachStdin: true, AttachStdout: true, AttachStderr: true,
	})
	if err != nil {
		return nil, c.engine.explain(err)
	}
	attached, err := api.ExecAttach(ctx, made.ID, client.ExecAttachOptions{})
	if err != nil {
		// Why it could not be started is lost with the answer to an upgrade.
		if ended, asked := api.ExecInspect(ctx, made.ID, client.ExecInspectOptions{}); asked == nil && notFound(ended.ExitCode) {
			err = ErrNoInterpreter
		}
		return nil, c.engine.explain(err)
	}
	return newContainerProcess(api, made.ID, attached.HijackedResponse), nil
}

// canRun says what keeps a command from being started in the container.
func (c containerRunner) canRun(ctx context.Context) error {
	found, err := c.inspect(ctx)
	if err != nil {
		return err
	}
	switch s := found.State; {
	case s == nil || !s.Running:
		return &Error{Err: fmt.Errorf("%w: %s", ErrContainerState, c.Name()), Next: "Start it: what has to be done is done inside it."}
	case s.Paused:
		return &Error{Err: fmt.Errorf("%w: %s is paused", ErrContainerState, c.Name()), Next: "Resume it, with docker unpause."}
	case s.Restarting:
		return &Error{Err: fmt.Errorf("%w: %s restarts again and again", ErrContainerState, c.Name()), Next: "Look at its log, with docker logs."}
	}
	return nil
}

// notFound are the statuses of a command that is not there or does not run.
func notFound(status int) bool { return status == 126 || status == 127 }

// newContainerProcess is a command whose streams come over one connection.
func newContainerProcess(api *client.Client, id string, attached client.HijackedResponse) *process {
	stderr := newTail(4096)
	out, in := io.Pipe()
	copied := make(chan error, 1)
	go func() {
		err := demultiplex(in, stderr, attached.Reader)
		attached.Close()
		copied <- err
		_ = in.CloseWithError(err) // nil: io.EOF
	}()
	wait := sync.OnceValue(func() error {
		_, _ = io.Copy(io.Discard, out)
		if err := <-copied; err != nil {
			return err
		}
		return execEnding(api, id, stderr)
	})
	return &process{
		stdin: containerStdin{attached}, stdout: out, stderr: stderr, wait: wait,
		abandon: func() {
			attached.Close() // the shell inside sees the end of its input
			_ = out.Close()
		},
	}
}

// demultiplex takes apart the frames in which an engine sends the two outputs of a
// command: a byte that says which (3: an error of the engine's), three that are
// nothing, and a length of four. It is not stdcopy of moby/moby, which makes room
// for as much as a frame says that it has, 4 GiB, and takes a frame that is cut off
// for the end.
func demultiplex(stdout, stderr io.Writer, in io.Reader) error {
	for {
		var head [8]byte
		if _, err := io.ReadFull(in, head[:]); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading what the engine sends: %w", err)
		}
		out, failed := stdout, newTail(1024)
		switch head[0] {
		case 0, 1:
		case 2:
			out = stderr
		case 3:
			out = failed
		default:
			return errors.New("the engine does not send what a command says")
		}
		length := int64(binary.BigEndian.Uint32(head[4:]))
		if _, err := io.CopyN(out, in, length); errors.Is(err, io.EOF) {
			return fmt.Errorf("reading what the engine sends: %w", io.ErrUnexpectedEOF)
		} else if err != nil {
			return err
		}
		if head[0] == 3 {
			return fmt.Errorf("the engine says: %s", failed)
		}
	}
}

// execEnding asks how the command has ended; its output may have ended before it.
func execEnding(api *client.Client, id string, stderr *tail) error {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		ctx, cancel := context.WithTimeout(context.Background(), startLimit)
		found, err := api.ExecInspect(ctx, id, client.ExecInspectOptions{})
		cancel()
		switch {
		case errdefs.IsNotFound(err):
			return fmt.Errorf("%w: the container was stopped or removed", ErrContainerState)
		case err != nil:
			return err
		case found.Running:
			time.Sleep(pause)
			continue
		case found.ExitCode == 0:
			return nil
		case notFound(found.ExitCode) && stderr.String() == "":
			return ErrNoInterpreter
		}
		return &ExitError{Status: found.ExitCode, Stderr: stderr.String()}
	}
}

// containerStdin ends the command's input when it is closed, and leaves its
// output open.
type containerStdin struct{ attached client.HijackedResponse }

func (s containerStdin) Write(p []byte) (int, error) { return s.attached.Conn.Write(p) }

func (s containerStdin) Close() error {
	if _, half := s.attached.Conn.(client.CloseWriter); half {
		return s.attached.CloseWrite()
	}
	s.attached.Close() // all that such a connection can do
	return nil
}
