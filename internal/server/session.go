package server

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// What a script may say. A host that says more is refused (docs/design/limits.md).
const (
	// maxRecord bounds a record that is a document, in bytes: the largest
	// preferences and a little more.
	maxRecord = prefs.MaxSize + 1<<16
	// maxSaid bounds every other record, in bytes.
	maxSaid = 1 << 16
	// maxRecords bounds how many there are. An edit has a dozen, and as many more
	// as there are readings that caught the server while it wrote.
	maxRecords = 1000
)

var errTooMuch = errors.New("the host says more than it has to say")

// overLong is what is wrong with an answer of more than limit bytes.
func overLong(limit int) error {
	return fmt.Errorf("%w: an answer of more than %d bytes", errTooMuch, limit)
}

// documents are the records that hold preferences.
var documents = map[string]bool{"preferences": true, "stopped": true}

// record is one thing that the script says.
type record struct {
	name  string
	value []byte
}

// dialect is what differs in how the script and the batch speak.
type dialect struct {
	lineEnd string
	batch   bool
}

var (
	dialectPOSIX = dialect{lineEnd: "\n"}
	dialectBatch = dialect{lineEnd: "\r\n", batch: true}
)

// session is the script, held open.
type session struct {
	shell   host.Shell
	records chan record
	ended   chan struct{} // closed when the script's output has ended
	readErr error         // why, once ended is closed
	exited  chan error

	dialect dialect
	native  func(before, after *prefs.Registry) error // writes here without the batch; may be nil
	staged  map[string][]string                       // the files of changes that the batch has (batch_write.go)

	saying   sync.Mutex // one command at a time
	ahead    []record   // what was read already, and not yet taken
	warnings []string   // what was found out before
}

// open starts the script, or what stands for it in a container.
func (s *Server) open(ctx context.Context, mode string) (*session, error) {
	if c, ok := hostAs[*host.Container](s.host); ok {
		return s.openContainer(ctx, c, mode)
	}
	if s.options.Platform == PlatformWindows {
		return s.openBatch(ctx, mode)
	}
	c, err := s.openShell(ctx, mode)
	if errors.Is(err, host.ErrNotPOSIX) && s.options.Platform == "" {
		return s.openBatch(ctx, mode)
	}
	return c, err
}

// openShell starts the script. The nonce that ends a value is new each time, so that
// nothing on the host can have been prepared to imitate it.
func (s *Server) openShell(ctx context.Context, mode string) (*session, error) {
	nonce := "#:" + rand.Text()
	shell, err := s.host.Shell(ctx, s.program(mode, nonce))
	if err != nil {
		return nil, s.unreached("Starting a shell", err)
	}
	return newSession(shell, nonce), nil
}

// unreached is err, of a machine, with the way out that it knows.
func (s *Server) unreached(doing string, err error) error {
	failed := &Error{Doing: doing, Host: s.Host(), Err: err, State: stateUntouched}
	var way *host.Error
	if errors.As(err, &way) {
		failed.Next = way.Next
	}
	return failed
}

func newSession(shell host.Shell, nonce string) *session { return speak(shell, dialectPOSIX, nonce) }

func speak(shell host.Shell, d dialect, nonce string) *session {
	c := &session{
		shell: shell, dialect: d, records: make(chan record), ended: make(chan struct{}), exited: make(chan error, 1),
	}
	go c.read(nonce)
	go func() {
		<-c.ended
		c.exited <- shell.Wait()
	}()
	return c
}

// read turns the script's output into records until it ends.
func (c *session) read(nonce string) {
	limited := &io.LimitedReader{R: c.shell}
	in := bufio.NewReader(limited)
	defer close(c.ended)
	for range maxRecords {
		limited.N = maxRecord
		r, err := readRecord(in, c.dialect.lineEnd, nonce)
		if err != nil {
			if limited.N <= 0 {
				err = overLong(maxRecord)
			}
			c.readErr = err
			return
		}
		if c.dialect.batch {
			r.value = decode(r.name, r.value)
		}
		if c.dialect.batch && r.name == recordOver {
			c.readErr = io.EOF
			_ = c.shell.Close()
			return
		}
		c.records <- r // whoever closes the session takes what is left
	}
	c.readErr = fmt.Errorf("%w: more than %d answers", errTooMuch, maxRecords)
}

func readRecord(in *bufio.Reader, lineEnd, nonce string) (record, error) {
	line, err := in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return record{}, overLong(len(line))
	}
	if err != nil {
		return record{}, err
	}
	name := strings.TrimSuffix(string(line), lineEnd)
	limit := maxSaid
	if documents[name] {
		limit = maxRecord
	}
	var value []byte
	end := []byte(nonce + lineEnd)
	for {
		line, err := in.ReadSlice('\n')
		// A line longer than the reader's buffer comes in parts.
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return record{}, err
		}
		if bytes.Equal(line, end) && bytes.HasSuffix(value, []byte(lineEnd)) {
			return record{name: name, value: value[:len(value)-len(lineEnd)]}, nil
		}
		if value = append(value, line...); len(value) > limit {
			return record{}, overLong(limit)
		}
	}
}

// next is the next record. Without one its error is the context's, or
// ErrDisconnected with what the shell said as it ended.
func (c *session) next(ctx context.Context) (record, error) {
	if len(c.ahead) > 0 {
		r := c.ahead[0]
		c.ahead = c.ahead[1:]
		return r, nil
	}
	select {
	case r := <-c.records:
		return r, nil
	case <-ctx.Done():
		return record{}, context.Cause(ctx)
	case <-c.ended:
	}
	if errors.Is(c.readErr, errTooMuch) {
		// Who says so much may go on for ever.
		return record{}, fmt.Errorf("%w: %w", ErrDisconnected, c.readErr)
	}
	select {
	case err := <-c.exited:
		c.exited <- err
		if err == nil && !errors.Is(c.readErr, io.EOF) {
			err = c.readErr
		}
		if err == nil {
			return record{}, ErrDisconnected
		}
		return record{}, fmt.Errorf("%w: %w", ErrDisconnected, err)
	case <-ctx.Done():
		return record{}, context.Cause(ctx)
	}
}

// say sends one command, and what follows it, in one write.
func (c *session) say(command string, payload []byte) error {
	if c.dialect.batch {
		command += " ;" // what set /p may leave behind the command goes with this word
	}
	c.saying.Lock()
	defer c.saying.Unlock()
	_, err := c.shell.Write(append([]byte(command+c.dialect.lineEnd), payload...))
	return err
}

// attend tells the script again and again, until end is called, that somebody is
// still there. It goes with all that takes its time while the script only waits
// and holds the lock: on a dead network it must not do so for long.
//
// The batch hears nothing of it: it takes one line each time that it asks.
func (c *session) attend(every time.Duration) (end func()) {
	if c.dialect.batch {
		return func() {}
	}
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-over:
				return
			case <-tick.C:
				_ = c.say("wait", nil) // a script that has gone shows in what it does not answer
			}
		}
	}()
	return func() {
		close(over)
		<-done
	}
}

// close ends the script's input, and waits at most d for the script to clean
// up. It does not matter to the server whether anybody waits.
func (c *session) close(d time.Duration) {
	_ = c.shell.Close()
	if d <= 0 {
		go c.drain()
		return
	}
	limit := time.NewTimer(d)
	defer limit.Stop()
	for {
		select {
		case <-c.records:
		case err := <-c.exited:
			c.exited <- err
			return
		case <-limit.C:
			go c.drain()
			return
		}
	}
}

// drain takes what a script still says that goes on alone.
func (c *session) drain() {
	for {
		select {
		case <-c.records:
		case <-c.ended:
			return
		}
	}
}
