package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
)

// scripted is a host whose shell says what the test wants. say writes the
// script's output; closed is closed when the script's input ends. What say
// returns is how the script ended.
type scripted struct {
	say  func(nonce string, out io.Writer, closed <-chan struct{}) error
	read atomic.Int64 // bytes that were taken from the script before it was closed
}

func (h *scripted) Name() string { return "nas.example.com" }

func (h *scripted) Dial(context.Context, string, string) (net.Conn, error) {
	return nil, errors.New("nobody is there")
}

func (h *scripted) Shell(_ context.Context, script string) (host.Shell, error) {
	return h.start(regexp.MustCompile(`(?m)^p_nonce='(.*)'$`).FindStringSubmatch(script)[1])
}

// Batch is the same for a host with Windows.
func (h *scripted) Batch(_ context.Context, script string) (host.Shell, error) {
	return h.start(regexp.MustCompile(`(?m)^set p_nonce=(.*)\r$`).FindStringSubmatch(script)[1])
}

func (h *scripted) start(nonce string) (host.Shell, error) {
	out, in := io.Pipe()
	s := &scriptedShell{host: h, out: out, closed: make(chan struct{}), ended: make(chan error, 1)}
	go func() {
		err := h.say(nonce, in, s.closed)
		_ = in.Close()
		s.ended <- err
	}()
	return s, nil
}

type scriptedShell struct {
	host   *scripted
	out    *io.PipeReader
	once   sync.Once
	closed chan struct{}
	ended  chan error
}

func (s *scriptedShell) Read(p []byte) (int, error) {
	n, err := s.out.Read(p)
	select {
	case <-s.closed:
	default:
		s.host.read.Add(int64(n))
	}
	return n, err
}

func (s *scriptedShell) Write(p []byte) (int, error) { return len(p), nil }

func (s *scriptedShell) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (s *scriptedShell) Wait() error {
	_, _ = io.Copy(io.Discard, s.out)
	return <-s.ended
}

// inspect looks at a server through h. In its bubble time costs nothing, and a
// goroutine that is left behind fails the test.
func inspect(ctx context.Context, t *testing.T, h *scripted) (Inspection, error) {
	t.Helper()
	s, err := New(h, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Hour)
	defer cancel()
	return s.Inspect(ctx)
}

func says(out io.Writer, nonce, name, value string) {
	_, _ = fmt.Fprintf(out, "%s\n%s\n%s\n", name, value, nonce)
}

func TestAnAnswerOfTheScriptThatIsNoAnswerIsAnErrorForAPerson(t *testing.T) {
	for name, test := range map[string]struct {
		say  func(nonce string, out io.Writer, closed <-chan struct{}) error
		want string
	}{
		"ends at once": {func(string, io.Writer, <-chan struct{}) error { return nil }, "ended early"},
		"no such shell": {func(string, io.Writer, <-chan struct{}) error {
			return &host.ExitError{Status: 127, Stderr: "sh: not found"}
		}, "status 127: sh: not found"},
		"garbage": {func(_ string, out io.Writer, _ <-chan struct{}) error {
			_, _ = out.Write([]byte("This account is currently not available.\n\x00\xff\x1b[2J\n"))
			return &host.ExitError{Status: 1}
		}, "status 1"},
		"ends inside a record": {func(nonce string, out io.Writer, _ <-chan struct{}) error {
			_, _ = io.WriteString(out, "manager\nsystemd\n"+nonce[:5])
			return &host.ExitError{Status: -1, Stderr: "Killed"}
		}, "Killed"},
		"ends between records": {func(nonce string, out io.Writer, _ <-chan struct{}) error {
			says(out, nonce, "hello", "1")
			return nil
		}, "ended early"},
		"another nonce": {func(_ string, out io.Writer, _ <-chan struct{}) error {
			says(out, "#:SOMETHINGELSE", "ready", "")
			return nil
		}, "ended early"},
		"a code that this version does not know": {func(nonce string, out io.Writer, closed <-chan struct{}) error {
			says(out, nonce, "failed", "on-fire the \xff disk burns")
			<-closed
			return &host.ExitError{Status: 1}
		}, "on-fire the \uFFFD disk burns"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := inspect(t.Context(), t, &scripted{say: test.say})
				if !errors.Is(err, ErrDisconnected) {
					t.Fatalf("error is %v", err)
				}
				for _, want := range []string{"nas.example.com", test.want, "Looking for the server"} {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("the error does not say %q: %v", want, err)
					}
				}
			})
		})
	}
}

// The script does not end by itself here: nobody may wait for that.
func TestAnAnswerThatIsTooLongIsRefusedAtOnceAndNotKept(t *testing.T) {
	for name, piece := range map[string]string{
		"one line":       strings.Repeat("x", 1<<16),
		"a name":         strings.Repeat("x", 1<<16-1) + "y",
		"many lines":     strings.Repeat(strings.Repeat("x", 63)+"\n", 1<<10),
		"empty lines":    strings.Repeat("\n", 1<<16),
		"binary without": strings.Repeat("\x00\xff\n\r", 1<<14),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &scripted{say: func(nonce string, out io.Writer, closed <-chan struct{}) error {
					says(out, nonce, "hello", "1")
					if name != "a name" {
						_, _ = io.WriteString(out, "preferences\n")
					}
					for range maxRecord/len(piece) + 2 {
						_, _ = io.WriteString(out, piece)
					}
					<-closed
					return nil
				}}
				start := time.Now()
				_, err := inspect(t.Context(), t, h)
				if !errors.Is(err, errTooMuch) {
					t.Errorf("error is %v", err)
				}
				if !errors.Is(err, ErrDisconnected) {
					t.Errorf("error is not ErrDisconnected: %v", err)
				}
				if waited := time.Since(start); waited > time.Minute {
					t.Errorf("it took %v", waited)
				}
			})
		})
	}
}

func TestNoMoreThanTheBoundIsTakenFromAScriptThatNeverEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var written atomic.Int64
		out, in := io.Pipe()
		c := &session{shell: &scriptedShell{host: &scripted{}, out: out, closed: make(chan struct{})},
			records: make(chan record), ended: make(chan struct{})}
		go func() {
			for {
				n, err := in.Write(make([]byte, 1<<12))
				written.Add(int64(n))
				if err != nil {
					return
				}
			}
		}()
		c.read("#:nonce")
		_ = out.Close()
		synctest.Wait()
		if got := written.Load(); got > maxRecord+1<<13 {
			t.Errorf("took %d bytes, want at most %d", got, maxRecord)
		}
	})
}

func TestACancelledWaitEndsWithTheCauseAndLeavesNothingBehind(t *testing.T) {
	cause := errors.New("the person pressed Ctrl-C")
	for name, linger := range map[string]time.Duration{"script ends with its input": 0, "script takes its time": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := &scripted{say: func(nonce string, out io.Writer, closed <-chan struct{}) error {
					says(out, nonce, "hello", "1")
					<-closed
					time.Sleep(linger) // in the bubble's time
					for range 100 {
						says(out, nonce, "note", "nobody listens")
					}
					return nil
				}}
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Minute, func() { cancel(cause) })
				start := time.Now()
				_, err := inspect(ctx, t, h)
				if !errors.Is(err, cause) || !strings.Contains(err.Error(), "nas.example.com") || !strings.Contains(err.Error(), stateUntouched) {
					t.Errorf("error is %v", err)
				}
				if waited := time.Since(start); waited > 2*time.Minute {
					t.Errorf("it took %v", waited)
				}
				time.Sleep(linger) // the script ends, and with it all that listened
			})
		})
	}
}

func TestABannerBeforeTheFirstRecordDoesNoHarm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		id := strings.Repeat("ab", 20)
		h := &scripted{say: func(nonce string, out io.Writer, closed <-chan struct{}) error {
			_, _ = io.WriteString(out, "Welcome to nas.example.com!\n")
			says(out, nonce, "hello", "1")
			says(out, nonce, "state", "stopped")
			says(out, nonce, "preferences", "<Preferences\n ProcessedMachineIdentifier=\""+id+"\"/>\n")
			says(out, nonce, "something-new", "that this version does not know")
			says(out, nonce, "ready", "")
			<-closed
			return nil
		}}
		found, err := inspect(t.Context(), t, h)
		if err != nil || found.ID != id || found.State != Stopped {
			t.Errorf("found %+v, %v", found, err)
		}
	})
}

func TestAThousandRecordsAreHeardAndNoMore(t *testing.T) {
	for _, records := range []int{1000, 1001} {
		synctest.Test(t, func(t *testing.T) {
			h := &scripted{say: func(nonce string, out io.Writer, closed <-chan struct{}) error {
				says(out, nonce, "state", "stopped")
				says(out, nonce, "preferences", "<Preferences ProcessedMachineIdentifier=\""+strings.Repeat("ab", 20)+"\"/>")
				for range records - 3 {
					says(out, nonce, "something-new", "that this version does not know")
				}
				says(out, nonce, "ready", "")
				<-closed
				return nil
			}}
			_, err := inspect(t.Context(), t, h)
			if refused := errors.Is(err, errTooMuch); refused != (records > 1000) || err != nil && !refused {
				t.Errorf("%d records: %v", records, err)
			}
		})
	}
}

func TestARecordIsReadByteExact(t *testing.T) {
	const nonce = "#:NONCE"
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	for _, value := range []string{
		"", "one line", "two\nlines", "\n", "\n\n\n", "ends with a newline\n", string(every), strings.Repeat(string(every), 200),
		strings.Repeat("x", 4096), strings.Repeat("x", 4095) + "\n", nonce + " ", " " + nonce, "x" + nonce + "x\n" + nonce + "x",
		strings.Repeat("y", 4096-1) + nonce, "\r\n" + nonce + "\r\n",
	} {
		in := bufio.NewReader(strings.NewReader("name\n" + value + "\n" + nonce + "\nnext\nsecond\n" + nonce + "\n"))
		got, err := readRecord(in, "\n", nonce)
		if err != nil || got.name != "name" || !bytes.Equal(got.value, []byte(value)) {
			t.Errorf("%.40q (%d bytes): got %s, %.40q (%d bytes), %v", value, len(value), got.name, got.value, len(got.value), err)
			continue
		}
		if got, err := readRecord(in, "\n", nonce); err != nil || got.name != "next" || string(got.value) != "second" {
			t.Errorf("after %.40q: got %s %q, %v", value, got.name, got.value, err)
		}
		if _, err := readRecord(in, "\n", nonce); !errors.Is(err, io.EOF) {
			t.Errorf("at the end: %v", err)
		}
	}
}
