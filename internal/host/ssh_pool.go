package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// SSHPool holds the SSH connections of a provider: one for each machine, user,
// way there and pinned key, however many ask. A jump host's is shared by all
// who go through it. It is safe for concurrent use.
type SSHPool struct {
	settings SSHSettings
	limits   sshLimits
	config   func() (*sshConfig, error) // read once, when the first asks

	// life ends with Close.
	life context.Context
	end  context.CancelFunc

	dials singleflight.Group

	mu      sync.Mutex
	entries map[string]*sshEntry
	batch   map[SSHTarget]bool // hosts that have turned out to have Windows
}

// sshLimits are the durations and counts of a pool. Tests shorten them.
type sshLimits struct {
	sessions         int64         // per connection, below the 10 of sshd's MaxSessions
	idle             time.Duration // a connection without session or forwarded connection is closed after it
	keepalive        time.Duration // between two questions whether the peer is there
	keepaliveTimeout time.Duration // for the answer
	linger           time.Duration // twice, for what a script leaves running and that keeps its output open
}

var defaultSSHLimits = sshLimits{
	sessions: 8, idle: time.Minute, keepalive: 15 * time.Second, keepaliveTimeout: 15 * time.Second, linger: 500 * time.Millisecond,
}

// NewSSHPool returns a pool that connects to nothing yet, and reads no file.
func NewSSHPool(settings SSHSettings) *SSHPool {
	life, end := context.WithCancel(context.Background())
	return &SSHPool{
		settings: settings,
		limits:   defaultSSHLimits,
		config:   sync.OnceValues(func() (*sshConfig, error) { return loadSSHConfig(settings.ConfigPath) }),
		life:     life,
		end:      end,
		entries:  make(map[string]*sshEntry),
		batch:    make(map[SSHTarget]bool),
	}
}

func (p *SSHPool) hasBatch(target SSHTarget) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.batch[target]
}

func (p *SSHPool) rememberBatch(target SSHTarget) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.batch[target] = true
}

// Host is the machine target, with become for its shells. It connects when it is asked.
func (p *SSHPool) Host(target SSHTarget, become Become) *SSH {
	return &SSH{pool: p, target: target, become: become}
}

// Close closes all connections. Scripts that still run see the end of their input.
func (p *SSHPool) Close() error {
	p.end()
	p.mu.Lock()
	entries := p.entries
	p.entries = make(map[string]*sshEntry)
	p.mu.Unlock()
	var errs []error
	for _, e := range entries {
		if conn := e.live(); conn != nil {
			errs = append(errs, conn.close(ErrClosed))
		}
	}
	return errors.Join(errs...)
}

// sshEntry is a hop, and the connection to it.
type sshEntry struct {
	hop *sshHop

	mu   sync.Mutex
	conn *sshConn
	// refused is a login that failed. It is not tried again: a host that counts
	// failures (fail2ban) would shut everybody out.
	refused error
}

func (e *sshEntry) live() *sshConn {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.conn
}

func (p *SSHPool) entry(hop *sshHop) *sshEntry {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := hop.key()
	e := p.entries[key]
	if e == nil {
		e = &sshEntry{hop: hop}
		p.entries[key] = e
	}
	return e
}

// acquire returns the connection to target, which whoever asked has to release.
func (p *SSHPool) acquire(ctx context.Context, target SSHTarget) (*sshConn, error) {
	config, err := p.config()
	if err != nil {
		return nil, err
	}
	hop, err := resolve(config, p.settings, target)
	if err != nil {
		return nil, err
	}
	return p.connection(ctx, hop)
}

// connection returns the connection to hop, dialled once however many ask. Each
// waits only as long as its own ctx; the dial goes on for the others.
func (p *SSHPool) connection(ctx context.Context, hop *sshHop) (*sshConn, error) {
	if p.life.Err() != nil {
		return nil, fmt.Errorf("%s: %w", hop, ErrClosed)
	}
	e := p.entry(hop)
	e.mu.Lock()
	conn, refused := e.conn, e.refused
	e.mu.Unlock()
	if refused != nil {
		return nil, refused
	}
	if conn != nil && conn.hold() {
		return conn, nil
	}
	dialled := p.dials.DoChan(hop.key(), func() (any, error) { return p.redial(e) })
	select {
	case r := <-dialled:
		if r.Err != nil {
			return nil, r.Err
		}
		conn, ok := r.Val.(*sshConn)
		if !ok || !conn.hold() {
			return nil, conn.lost()
		}
		return conn, nil
	case <-ctx.Done():
		return nil, ended(ctx)
	}
}

// redial connects to an entry, unless somebody has just done so.
func (p *SSHPool) redial(e *sshEntry) (*sshConn, error) {
	e.mu.Lock()
	conn, refused := e.conn, e.refused
	e.mu.Unlock()
	if refused != nil {
		return nil, refused
	}
	if conn != nil && conn.hold() {
		conn.release()
		return conn, nil
	}
	conn, err := p.dialHop(p.life, e.hop)
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case errors.Is(err, ErrAuth):
		e.refused = err
		return nil, err
	case err != nil:
		return nil, err
	case p.life.Err() != nil:
		_ = conn.close(ErrClosed)
		return nil, fmt.Errorf("%s: %w", e.hop, ErrClosed)
	}
	e.conn = conn
	return conn, nil
}
