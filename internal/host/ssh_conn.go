package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sync/semaphore"
)

// sshConn is a connection that many use. It closes when nobody has held it for
// a while, and when its peer does not answer.
type sshConn struct {
	hop      *sshHop
	client   *ssh.Client
	limits   sshLimits
	sessions *semaphore.Weighted
	gone     chan struct{} // closed when the connection is

	mu     sync.Mutex
	held   int
	closed bool
	idle   *time.Timer
	cause  error // why it was closed, when this side did it
}

// newSSHConn takes over client. onGone runs once, when the connection has ended.
func newSSHConn(hop *sshHop, client *ssh.Client, limits sshLimits, onGone func()) *sshConn {
	c := &sshConn{
		hop: hop, client: client, limits: limits,
		sessions: semaphore.NewWeighted(limits.sessions),
		gone:     make(chan struct{}),
	}
	c.idle = time.AfterFunc(limits.idle, c.closeIdle)
	go func() {
		_ = client.Wait()
		c.mu.Lock()
		c.closed = true
		c.idle.Stop()
		c.mu.Unlock()
		close(c.gone)
		onGone()
	}()
	go c.keepAlive()
	return c
}

// hold keeps the connection from being closed as idle, until release. It
// reports whether the connection is there.
func (c *sshConn) hold() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.held++
	c.idle.Stop()
	return true
}

func (c *sshConn) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held--
	if c.held == 0 && !c.closed {
		c.idle.Reset(c.limits.idle)
	}
}

func (c *sshConn) closeIdle() {
	c.mu.Lock()
	idle := c.held == 0 && !c.closed
	c.closed = c.closed || idle
	c.mu.Unlock()
	if idle {
		_ = c.client.Close()
	}
}

// close closes the connection, because of cause.
func (c *sshConn) close(cause error) error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed, c.cause = true, cause
	c.mu.Unlock()
	if err := c.client.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// isGone tells whether the connection has ended or is about to.
func (c *sshConn) isGone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// probe tells whether the peer is there. A channel that has ended does not say
// whether it was alone: a connection ends its channels first.
func (c *sshConn) probe() bool {
	if _, _, err := c.client.SendRequest("keepalive@openssh.com", true, nil); err != nil {
		_ = c.close(nil)
	}
	return !c.isGone()
}

// lost is the error of whoever used the connection when it ended.
func (c *sshConn) lost() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause != nil {
		return fmt.Errorf("%w: %s: %w", ErrLost, c.hop, c.cause)
	}
	return fmt.Errorf("%w: %s", ErrLost, c.hop)
}

// keepAlive asks the peer again and again whether it is there. One that
// vanished without a word (a power cut, a cut cable) would otherwise be waited
// for as long as TCP does, which is hours.
func (c *sshConn) keepAlive() {
	ticker := time.NewTicker(c.limits.keepalive)
	defer ticker.Stop()
	for {
		select {
		case <-c.gone:
			return
		case <-ticker.C:
		}
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			// A refusal is an answer, too; an error is the connection's end.
			_, _, _ = c.client.SendRequest("keepalive@openssh.com", true, nil)
		}()
		limit := time.NewTimer(c.limits.keepaliveTimeout)
		select {
		case <-answered:
		case <-limit.C:
			_ = c.close(fmt.Errorf("the host has not answered for %s", c.limits.keepaliveTimeout))
			return
		}
		limit.Stop()
	}
}

// openChannel opens a channel. The context bounds the wait for the peer.
func (c *sshConn) openChannel(ctx context.Context, kind string, payload []byte) (ssh.Channel, <-chan *ssh.Request, error) {
	type opened struct {
		ch   ssh.Channel
		reqs <-chan *ssh.Request
		err  error
	}
	done := make(chan opened, 1)
	go func() {
		ch, reqs, err := c.client.OpenChannel(kind, payload)
		done <- opened{ch, reqs, err}
	}()
	select {
	case o := <-done:
		var refused *ssh.OpenChannelError
		if o.err != nil && !errors.As(o.err, &refused) {
			_ = c.close(nil)
			return nil, nil, c.lost()
		}
		return o.ch, o.reqs, o.err
	case <-ctx.Done():
		go func() {
			if o := <-done; o.err == nil {
				go ssh.DiscardRequests(o.reqs)
				_ = o.ch.Close()
			}
		}()
		return nil, nil, ended(ctx)
	}
}
