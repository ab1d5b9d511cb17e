package host

import (
	"errors"
	"io"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// sessionInput is a channel's standard input: its Close ends the input only. It
// can be closed from several places at once, which the channel's own end cannot.
type sessionInput struct {
	conn   *sshConn
	ch     ssh.Channel
	closed sync.Once
	err    error
}

func (i *sessionInput) Write(p []byte) (int, error) {
	n, err := i.ch.Write(p)
	if errors.Is(err, io.EOF) { // so does a channel say that it is closed
		if err = io.ErrClosedPipe; !i.conn.probe() {
			err = i.conn.lost()
		}
	}
	return n, err
}

func (i *sessionInput) Close() error {
	i.closed.Do(func() {
		if err := i.ch.CloseWrite(); !errors.Is(err, io.EOF) {
			i.err = err
		}
	})
	return i.err
}

// sessionOutput is a channel's standard output. sshd ends it only when nobody
// has either output of the command open any more: what a script leaves running
// would hold the reader for ever. So once the command has ended, a reader who
// has waited through settleRounds is told that this was all.
type sessionOutput struct {
	conn *sshConn
	ch   ssh.Channel

	mu      sync.Mutex
	reading bool
	over    bool // the command has ended
	reads   int
}

func (o *sessionOutput) Read(p []byte) (int, error) {
	o.mu.Lock()
	o.reading = true
	o.reads++
	o.awaitRest()
	o.mu.Unlock()
	n, err := o.ch.Read(p)
	o.mu.Lock()
	o.reading = false
	o.mu.Unlock()
	return n, err
}

// exited says that the command has ended.
func (o *sessionOutput) exited() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
	o.awaitRest()
}

// awaitRest has the current read end, where the command has and no more comes.
func (o *sessionOutput) awaitRest() {
	if o.over && o.reading {
		go o.settle(o.reads)
	}
}

// settleRounds is how often the peer answers a question while nothing more
// comes. What the command wrote before it ended may still be in sshd, which
// sends it before or after the exit status; the answers come after it, however
// slow the line. One round is for what sshd had to send, the second for
// what it could send only then.
const settleRounds = 2

// settle closes the channel, unless the read has ended by then.
func (o *sessionOutput) settle(read int) {
	for range settleRounds {
		quiet := time.NewTimer(o.conn.limits.linger)
		select {
		case <-quiet.C:
		case <-o.conn.gone:
			quiet.Stop()
			return
		}
		if !o.waits(read) {
			return
		}
		if _, _, err := o.conn.client.SendRequest("keepalive@openssh.com", true, nil); err != nil {
			return
		}
	}
	if o.waits(read) {
		_ = o.ch.Close()
	}
}

func (o *sessionOutput) waits(read int) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.reading && o.reads == read
}
