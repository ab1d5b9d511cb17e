package host

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
)

// aCmd plays a cmd.exe as far as storing a batch goes, and in what may go wrong there.
type aCmd struct {
	ready  func(id string) string   // it says this in place of what it was asked to, and ends
	stores func(line string) string // what it makes of a line; nil: the same
	exits  string                   // it ends when it is told this
	floods bool                     // it says the batch again and again
	hangs  func()                   // is called when it does not answer the second command

	started, ran, abandoned atomic.Bool
}

func (c *aCmd) start(command []string) (*process, error) {
	c.started.Store(true)
	heard, stdin := io.Pipe()
	stdout, says := io.Pipe()
	ended := make(chan error, 1)
	p := &process{stdin: stdin, stdout: stdout, stderr: newTail(1024)}
	p.wait = func() error {
		err := <-ended
		ended <- err
		return err
	}
	p.abandon = func() {
		c.abandoned.Store(true)
		_ = heard.Close()
		_ = stdout.Close()
	}
	go func() {
		status := c.talk(bufio.NewScanner(heard), says, strings.TrimPrefix(command[len(command)-1], "plex-batch-%OS%-"))
		_, _ = heard.Close(), says.Close()
		ended <- status
	}()
	return p, nil
}

func (c *aCmd) talk(heard *bufio.Scanner, says io.Writer, id string) error {
	say := func(text string) bool { _, err := io.WriteString(says, text+"\r\n"); return err == nil }
	say("Microsoft Windows [Version 10.0]")
	if c.ready != nil {
		say(c.ready(id))
		return nil
	}
	say(batchReady + "-" + id)
	stored, commands := "", 0
	for heard.Scan() {
		line := strings.TrimSuffix(heard.Text(), "\r")
		if commands++; c.hangs != nil && commands == 2 {
			c.hangs()
			continue
		}
		if c.exits != "" && strings.Contains(line, c.exits) {
			return &ExitError{Status: 4}
		}
		switch {
		case strings.HasPrefix(line, "type server.cmd&"):
			for say(stored[:len(stored)-2]) && c.floods {
			}
		case strings.HasPrefix(line, "call server.cmd"):
			c.ran.Store(true)
			say(batchRuns)
			return nil
		}
		for part := range strings.SplitSeq(line, "& ") {
			if text, found := strings.CutPrefix(part, ">>s echo "); found {
				text = strings.ReplaceAll(strings.ReplaceAll(text, "^", ""), "plex-batch-", "plex^-batch-") // the one caret of the text
				if c.stores != nil {
					text = c.stores(text)
				}
				stored += text + "\r\n"
			}
		}
		say(batchMore)
	}
	return nil
}

// begin sends it a batch of three lines.
func (c *aCmd) begin(ctx context.Context) error {
	s, err := startBatch(ctx, "win", Become{}, "echo one\r\necho two\r\nexit\r\n", c.start)
	if err != nil {
		return err
	}
	return s.Wait()
}

func TestABatchRunsOnlyWhenAllOfItHasArrived(t *testing.T) {
	sound := &aCmd{}
	if err := sound.begin(t.Context()); err != nil || !sound.ran.Load() || sound.abandoned.Load() {
		t.Errorf("ran %v, abandoned %v: %v", sound.ran.Load(), sound.abandoned.Load(), err)
	}
	for name, test := range map[string]struct {
		cmd  *aCmd
		says string
	}{
		"a line that is changed":       {&aCmd{stores: func(line string) string { return strings.ReplaceAll(line, "one", "ones") }}, "did not arrive as it was sent"},
		"a line that is empty":         {&aCmd{stores: func(line string) string { return strings.ReplaceAll(line, "exit", "") }}, "did not arrive as it was sent"},
		"more than was sent":           {&aCmd{floods: true}, "more was said than was sent"},
		"no directory":                 {&aCmd{exits: "exit 3"}, "status 4"},
		"a directory that others read": {&aCmd{exits: "exit 4"}, "status 4"},
		"the beginning of another":     {&aCmd{ready: func(string) string { return batchReady + "-other" }}, "ended at once"},
		"an echo of the command":       {&aCmd{ready: func(id string) string { return strings.Join(batchCommand(id), " ") }}, "ended at once"},
	} {
		err := test.cmd.begin(t.Context())
		if !errors.Is(err, ErrShell) || !strings.Contains(err.Error(), test.says) || test.cmd.ran.Load() || !test.cmd.abandoned.Load() {
			t.Errorf("%s: ran %v, abandoned %v: %v", name, test.cmd.ran.Load(), test.cmd.abandoned.Load(), err)
		}
	}
}

func TestABatchIsGivenUpWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	hanging := &aCmd{hangs: cancel}
	if err := hanging.begin(ctx); !errors.Is(err, context.Canceled) || hanging.ran.Load() || !hanging.abandoned.Load() {
		t.Errorf("ran %v, abandoned %v: %v", hanging.ran.Load(), hanging.abandoned.Load(), err)
	}
	late := &aCmd{}
	if err := late.begin(ctx); !errors.Is(err, context.Canceled) || late.started.Load() {
		t.Errorf("started %v: %v", late.started.Load(), err)
	}
}

func TestABatchOfLinesThatCannotBeStoredIsRefused(t *testing.T) {
	for _, text := range []string{"\r\n", "a\tb\r\n", "a\x1ab\r\n", "a\nb\r\n", "\xff\r\n"} {
		if commands, err := stage("id", text); !errors.Is(err, ErrShell) {
			t.Errorf("%q is stored by %q: %v", text, commands, err)
		}
	}
}
