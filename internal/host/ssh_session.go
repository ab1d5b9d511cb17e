package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/crypto/ssh"
)

// start runs a command line on target. It waits for one of the connection's
// sessions, as long as ctx allows. A connection that ended while it was waited
// for is dialled anew, once: nothing has been started on it.
func (p *SSHPool) start(ctx context.Context, target SSHTarget, line string) (*process, error) {
	for again := true; ; again = false {
		conn, err := p.acquire(ctx, target)
		if err != nil {
			return nil, err
		}
		process, err := conn.session(ctx, line)
		if err == nil {
			return process, nil
		}
		gone := conn.isGone()
		conn.release()
		if !again || !gone || !errors.Is(err, errNotStarted) || ctx.Err() != nil {
			return nil, err
		}
	}
}

// errNotStarted is wrapped where the connection ended before the command was sent.
var errNotStarted = errors.New("nothing was started")

// session starts a command line. With a nil error the session releases the
// connection when it ends.
func (c *sshConn) session(ctx context.Context, line string) (*process, error) {
	if err := c.sessions.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("%s: all %d sessions of the connection are in use: %w", c.hop, c.limits.sessions, ended(ctx))
	}
	ch, reqs, err := c.openChannel(ctx, "session", nil)
	if err != nil {
		c.sessions.Release(1)
		var refused *ssh.OpenChannelError
		if errors.As(err, &refused) {
			return nil, &Error{
				Err:  fmt.Errorf("%s opens no session: %s", c.hop, refused.Message),
				Next: "Check MaxSessions in the sshd_config of the host, and whether the user may log in.",
			}
		}
		return nil, fmt.Errorf("%w: %w", errNotStarted, err)
	}
	s := newSSHSession(c, ch)
	go s.watch(reqs)
	if err := s.exec(ctx, line); err != nil {
		_ = ch.Close()
		// watch gives up what the session holds, and the connection's holder is
		// whoever asked, until a session has begun.
		return nil, err
	}
	s.begun()
	return &process{
		stdin: &sessionInput{conn: c, ch: ch}, stdout: s.stdout, stderr: s.stderr,
		wait:    func() error { <-s.ended; return s.err },
		abandon: func() { _ = ch.Close() },
	}, nil
}

// sshSession is a command that runs on a channel. ssh.Session is not used: its
// Wait waits for whatever the command leaves running and that keeps the
// standard error open.
type sshSession struct {
	conn   *sshConn
	ch     ssh.Channel
	stdout *sessionOutput
	stderr *tail
	ended  chan struct{} // closed when err is set
	err    error

	mu      sync.Mutex
	over    bool
	holding bool // the connection is this session's to release
}

func newSSHSession(c *sshConn, ch ssh.Channel) *sshSession {
	return &sshSession{
		conn: c, ch: ch, stderr: newTail(4096), ended: make(chan struct{}),
		stdout: &sessionOutput{conn: c, ch: ch},
	}
}

// exec sends the command line.
func (s *sshSession) exec(ctx context.Context, line string) error {
	done := make(chan error, 1)
	go func() {
		ok, err := s.ch.SendRequest("exec", true, ssh.Marshal(struct{ Command string }{line}))
		switch {
		case err != nil:
			err = s.conn.lost()
		case !ok:
			err = &Error{
				Err:  fmt.Errorf("%s runs no commands for this user", s.conn.hop),
				Next: "Give the user a login shell, and check ForceCommand in the sshd_config of the host and command= in authorized_keys.",
			}
		}
		done <- err
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ended(ctx)
	}
}

// begun makes the connection this session's to release.
func (s *sshSession) begun() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		s.conn.release()
		return
	}
	s.holding = true
}

// watch follows the session to its end, and gives up what it holds.
func (s *sshSession) watch(reqs <-chan *ssh.Request) {
	taken := make(chan struct{})
	go func() {
		defer close(taken)
		_, _ = io.Copy(s.stderr, s.ch.Stderr())
	}()
	status, known := 0, false
	for r := range reqs {
		var exit struct{ Status uint32 }
		switch {
		case r.Type == "exit-status" && ssh.Unmarshal(r.Payload, &exit) == nil:
			status, known = int(exit.Status), true
			s.stdout.exited()
		case r.Type == "exit-signal":
			status, known = -1, true
			s.stdout.exited()
		}
		if r.WantReply {
			_ = r.Reply(false, nil)
		}
	}
	<-taken
	// A side that is not told does not free the channel.
	_ = s.ch.Close()
	switch {
	case known && status != 0:
		s.err = &ExitError{Status: status, Stderr: s.stderr.String()}
	case !known && !s.conn.probe():
		s.err = s.conn.lost()
	case !known:
		s.err = fmt.Errorf("%w: %s: the session ended without an exit status", ErrLost, s.conn.hop)
	}
	close(s.ended)
	s.giveUp()
}

// giveUp gives up what the session holds, once the host has. sshd counts a
// session until it has looked through its channels, which it does before it sends
// an answer, and not before it opens another session.
func (s *sshSession) giveUp() {
	s.conn.probe()
	s.conn.sessions.Release(1)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	if s.holding {
		s.conn.release()
	}
}
