package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// startLimit bounds how long a shell may take to say that it is there: name
// services and PAM can be slow, and a command that gives a shell may have to
// find a container first.
const startLimit = time.Minute

// maxGreeting bounds, in bytes, what a login may say before the shell is there.
const maxGreeting = 64 << 10

// startShell starts script under the machine's shell, as become says.
//
// interpreter is the shell and its arguments before -c.
func startShell(ctx context.Context, name string, r runner, interpreter []string, become Become, script string) (Shell, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	input, err := frame(script)
	if err != nil {
		return nil, err
	}
	argv := append(interpreter[:len(interpreter):len(interpreter)], "-c", bootstrap(len(input)))
	argv, err = become.command(argv)
	if err != nil {
		return nil, onHost(name, err)
	}
	p, err := r.run(ctx, argv)
	if err != nil {
		return nil, onHost(name, err)
	}
	s := &shell{process: p, stdout: bufio.NewReader(p.stdout)}
	if err := s.begin(ctx, become, input); err != nil {
		p.abandon()
		return nil, onHost(name, err)
	}
	return s, nil
}

// onHost is err as that of a shell on the machine.
func onHost(name string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if errors.Is(err, ErrShell) {
		return err
	}
	return fmt.Errorf("%w on %s: %w", ErrShell, name, err)
}

// shell is a Shell on any machine.
type shell struct {
	*process
	stdout *bufio.Reader
}

func (s *shell) Read(p []byte) (int, error)  { return s.stdout.Read(p) }
func (s *shell) Write(p []byte) (int, error) { return s.stdin.Write(p) }
func (s *shell) Close() error                { return s.stdin.Close() }

func (s *shell) Wait() error {
	// What the script still says has to be taken, or a full pipe would hold it.
	_, _ = io.Copy(io.Discard, s.stdout)
	return s.wait()
}

// begin sends the script, and sees that the shell is there to take it.
func (s *shell) begin(ctx context.Context, become Become, input string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("it does not start within %s", startLimit))
	defer cancel()
	sent := make(chan error, 1)
	send := func() {
		_, err := io.WriteString(s.stdin, input)
		sent <- err
	}
	early := !s.readsAhead && become.Password == ""
	if early {
		go send() // at once, it costs no time of its own
	}
	if err := s.untilReady(ctx, become); err != nil {
		return err
	}
	if !early {
		go send()
	}
	// Its answer is the first line of the script's own output: nobody who starts
	// a script has anything to do before it.
	arrived := make(chan error, 1)
	go func() {
		err := s.await(scriptReady)
		if err != nil {
			err = fmt.Errorf("the script did not arrive: %w", errors.Join(err, s.wait()))
		}
		arrived <- err
	}()
	select {
	case err := <-arrived:
		if err == nil {
			err = <-sent
		}
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// untilReady waits for the shell's first line, and gives the password to who
// asks for it.
func (s *shell) untilReady(ctx context.Context, become Become) error {
	ready := make(chan error, 1)
	go func() {
		err := s.await(shellReady)
		if err != nil {
			err = s.notReady(become, err)
		}
		ready <- err
	}()
	for asked := 0; ; {
		select {
		case err := <-ready:
			return err
		case <-s.stderr.changed:
			if become.Password == "" || strings.Count(s.stderr.String(), passwordPrompt) <= asked {
				continue
			}
			if asked++; asked > 1 {
				return errWrongPassword(become)
			}
			if _, err := io.WriteString(s.stdin, become.Password+"\n"); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// greeting is what was said in place of the shell's first line.
type greeting struct {
	said string
	err  error
}

func (g *greeting) Error() string { return g.err.Error() }
func (g *greeting) Unwrap() error { return g.err }

var (
	errTerminal = errors.New("its standard input is a terminal, which changes what is sent")
	errGreeting = fmt.Errorf("more than %d bytes were said before the shell started", maxGreeting)
)

// await reads up to the line mark.
func (s *shell) await(mark string) error {
	said := newTail(1024)
	for left := maxGreeting; left > 0; {
		line, err := s.stdout.ReadSlice('\n')
		// A greeting, or a prompt, may end without a line break.
		switch said := strings.TrimRight(string(line), "\r\n"); {
		case strings.HasSuffix(said, mark):
			return nil
		case strings.HasSuffix(said, shellTerminal):
			return errTerminal
		}
		left -= len(line)
		_, _ = said.Write(line)
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return &greeting{said: said.String(), err: err}
		}
	}
	return errGreeting
}

// errNoShell is matched by the error of a command that ended before the shell's
// first line: there is no such shell, or it may not be used.
var errNoShell = errors.New("the shell has not begun")

type noShellError struct{ error }

func (e *noShellError) Unwrap() error        { return e.error }
func (e *noShellError) Is(target error) bool { return target == errNoShell }

// notReady is why the shell did not start, in the words of whoever refused.
func (s *shell) notReady(become Become, err error) error {
	var g *greeting
	if !errors.As(err, &g) || !errors.Is(g.err, io.EOF) {
		return err
	}
	ended := s.wait()
	said := s.stderr.String()
	var exit *ExitError
	status := 0
	if errors.As(ended, &exit) {
		status = exit.Status
	}
	if refused := become.refusal(said, status); refused != nil {
		return refused
	}
	if exit != nil && exit.Stderr == "" {
		exit.Stderr = g.said
	}
	if ended == nil {
		ended = fmt.Errorf("it ended at once: %s", strings.TrimSpace(said+" "+g.said))
	}
	return &noShellError{ended}
}
