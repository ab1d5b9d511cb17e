package host

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
)

// BatchHost is a machine that may be one with Windows, which has no POSIX
// shell: there a script is a batch file of cmd.exe.
type BatchHost interface {
	Host

	// Batch starts script under cmd.exe and returns it held open, as Shell does
	// for a POSIX shell. The script goes to standard input, from where cmd.exe
	// itself writes it into a directory of the user's TEMP that only the user
	// and administrators may enter; the variable batch_dir names that directory,
	// and the script removes it.
	//
	// The variable batch_id is in the command line of the cmd.exe that runs the
	// script, and in no other.
	//
	// script is lines of printable characters, each of at most MaxBatchLine
	// bytes. It names no variable that is set before it begins between percent
	// signs: at a prompt cmd.exe would expand it.
	//
	// What the script reads must be sent a line at a time, each when the script
	// asks for it: cmd.exe takes all that waits in a pipe, and keeps one line.
	Batch(ctx context.Context, script string) (Shell, error)
}

// ErrNotPOSIX is wrapped by the error of a Shell on a machine whose login shell
// is cmd.exe or PowerShell, and where Batch gets a shell.
var ErrNotPOSIX = errors.New("the host has no POSIX shell")

// MaxBatchLine is how long a line of a batch may be, in bytes, with what it takes
// to send it.
const MaxBatchLine = 3000

// batchReady, an id and a hyphen between, is what cmd.exe says first, batchMore when it has done a command,
// and batchRuns what the script says before anything of its own. They are sent in
// a form that differs from what is said, so that an echo of the command is not
// taken for its answer.
const (
	batchReady = "plex-batch-Windows_NT"
	batchMore  = "plex-batch-more"
	batchRuns  = "plex-batch-runs"
)

func escaped(mark string) string { return strings.Replace(mark, "-", "^-", 1) }

// batchCommand starts cmd.exe under cmd.exe, PowerShell or no shell at all: no
// word of it needs quotes. /d leaves out what the user runs in every shell, /q
// the prompts; /e and /v do not depend on the user's settings. The last word tells
// this process from others, whoever looks.
func batchCommand(id string) []string {
	return []string{"cmd.exe", "/d", "/q", "/e:on", "/v:off", "/k", "echo", "plex-batch-%OS%-" + id}
}

// startBatch sends script to the cmd.exe that run starts, and runs it.
func startBatch(ctx context.Context, name string, become Become, script string, run func(command []string) (*process, error)) (Shell, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if become.Method != "" && become.Method != BecomeNone {
		return nil, &Error{
			Err:  fmt.Errorf("%w on %s: Windows has no %s", ErrShell, name, become.Method),
			Next: "Leave server.become out, and log in as the user who runs the server or as an administrator.",
		}
	}
	id := strings.ToLower(rand.Text())
	p, err := run(batchCommand(id))
	if err != nil {
		return nil, onHost(name, err)
	}
	s := &shell{process: p, stdout: bufio.NewReader(p.stdout)}
	if err := bounded(ctx, func() error { return s.beginBatch(id, script) }); err != nil {
		p.abandon()
		return nil, onHost(name, err)
	}
	return s, nil
}

// awaitBatch waits until cmd.exe says that it is there.
func awaitBatch(ctx context.Context, id string, p *process) error {
	s := &shell{process: p, stdout: bufio.NewReader(p.stdout)}
	return bounded(ctx, func() error { return s.await(batchReady + "-" + id) })
}

// bounded is what f returns, if it does so in time. It may go on after that,
// until whoever holds what it reads from gives it up.
func bounded(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startLimit, fmt.Errorf("it does not start within %s", startLimit))
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *shell) beginBatch(id, script string) error {
	text := "@echo off\r\necho " + escaped(batchRuns) + "\r\n" + script
	staged, err := stage(id, text)
	if err != nil {
		return err
	}
	if err := s.await(batchReady + "-" + id); err != nil {
		return s.notReady(Become{}, err)
	}
	for _, command := range staged {
		if err := s.tell(command); err != nil {
			return fmt.Errorf("the batch could not be stored: %w", err)
		}
	}
	if _, err := io.WriteString(s.stdin, "type server.cmd& echo "+escaped(batchMore)+"\r\n"); err != nil {
		return errors.Join(err, s.wait())
	}
	arrived, err := s.until(batchMore, 2*len(text))
	if err != nil {
		return fmt.Errorf("the batch did not arrive: %w", err)
	}
	if !bytes.Equal(arrived, []byte(text)) {
		return errors.New("the batch did not arrive as it was sent: the host's cmd.exe reads it differently")
	}
	if _, err := io.WriteString(s.stdin, "call server.cmd & exit\r\n"); err != nil {
		return err
	}
	if err := s.await(batchRuns); err != nil {
		return fmt.Errorf("the batch did not start: %w", s.notReady(Become{}, err))
	}
	return nil
}

// until reads up to the line mark, at most so many bytes.
func (s *shell) until(mark string, most int) ([]byte, error) {
	var said []byte
	for begin := 0; len(said) <= most; {
		part, err := s.stdout.ReadSlice('\n')
		said = append(said, part...)
		// A line longer than the reader's buffer comes in parts.
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return nil, err
		}
		if string(bytes.TrimRight(said[begin:], "\r\n")) == mark {
			return said[:begin], nil
		}
		begin = len(said)
	}
	return nil, errors.New("more was said than was sent")
}

// tell sends one command, and waits until it has been done.
func (s *shell) tell(command string) error {
	if _, err := io.WriteString(s.stdin, command+"& echo "+escaped(batchMore)+"\r\n"); err != nil {
		return errors.Join(err, s.wait())
	}
	if err := s.await(batchMore); err != nil {
		return s.notReady(Become{}, err)
	}
	return nil
}

// maxCommand is how long a command may be that stores lines: what a pipe takes
// in one piece, and well below the 8191 characters of cmd.exe.
const maxCommand = 3800

// stage is the commands that store text as server.cmd, in a new directory that
// is the current one then. The user's own rights on the directory are those of
// its owner (S-1-3-4), whose name need not be known.
func stage(id, text string) ([]string, error) {
	directory := `%TEMP%\terraform-provider-plex-` + strings.ToLower(rand.Text())
	commands := []string{
		"chcp 65001 >nul",
		"set batch_id=" + id,
		`set "batch_dir=` + directory + `"`,
		`mkdir "%batch_dir%"`,
		`(if not exist "%batch_dir%\" exit 3)`,
		`cd /d "%batch_dir%"`,
		`icacls . /inheritance:r /grant:r "*S-1-5-18:(OI)(CI)F" "*S-1-5-32-544:(OI)(CI)F" "*S-1-3-4:(OI)(CI)F" >nul`,
		"(if errorlevel 1 exit 4)",
	}
	var block []string
	length := 0
	flush := func() {
		commands = append(commands, strings.Join(block, "& "))
		block, length = nil, 0
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\r\n")
		if line == "" || strings.ContainsFunc(line, unprintable) {
			return nil, fmt.Errorf("%w: a line of the batch is empty or holds a control character", ErrShell)
		}
		line = ">>s echo " + escapeWord(line)
		if len(line) > MaxBatchLine {
			return nil, fmt.Errorf("%w: a line of the batch has %d bytes", ErrShell, len(line))
		}
		if length += len(line) + 2; length > maxCommand {
			flush()
			length = len(line)
		}
		block = append(block, line)
	}
	flush()
	return append(commands, "ren s server.cmd"), nil
}

func unprintable(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }

// escapeWord returns text as cmd.exe takes it literally, as far as carets go:
// between quotes nothing needs one, and a quote that none ends must not begin
// such a stretch.
func escapeWord(text string) string {
	quotes := strings.Count(text, `"`)
	lone := quotes%2 == 1
	quoted := false
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '"':
			if quotes--; quotes == 0 && lone {
				b.WriteByte('^')
			} else {
				quoted = !quoted
			}
		case !quoted && strings.ContainsRune("^&|<>()", r):
			b.WriteByte('^')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// SetBatch are the lines of a batch that set variables to values: names and
// values by turns. They come first in the batch; delayed expansion is on behind
// them. A value that cmd.exe cannot hold is an error.
//
// A percent sign is sent as another text: at a prompt, cmd.exe knows no way to
// keep it from being expanded.
func SetBatch(variables ...string) (string, error) {
	const percent, brace = "{p}", "{b}"
	var set, restore strings.Builder
	for i := 0; i+1 < len(variables); i += 2 {
		name, value := variables[i], variables[i+1]
		if strings.ContainsFunc(value, unprintable) {
			return "", fmt.Errorf("%w: a control character cannot be passed to cmd.exe", ErrShell)
		}
		sent := strings.ReplaceAll(strings.ReplaceAll(value, "{", brace), "%", percent)
		fmt.Fprintf(&set, "set %s=%s\r\n", name, escapeWord(sent))
		if strings.Contains(sent, percent) {
			fmt.Fprintf(&restore, "set \"%[1]s=!%[1]s:%[2]s=%%%%!\"\r\n", name, percent)
		}
		if strings.Contains(sent, brace) {
			fmt.Fprintf(&restore, "set \"%[1]s=!%[1]s:%[2]s={!\"\r\n", name, brace)
		}
	}
	return "setlocal EnableExtensions DisableDelayedExpansion\r\n" + set.String() + "setlocal EnableDelayedExpansion\r\n" + restore.String(), nil
}
