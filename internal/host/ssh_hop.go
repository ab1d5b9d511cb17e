package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"golang.org/x/crypto/ssh"
)

// sshHop is one machine on the way to a target, or the target itself, with all
// that the settings and the client configuration say of it.
type sshHop struct {
	host    string // a name or an address that is connected to
	port    int
	user    string
	via     *sshHop // nil: connected to from this machine
	timeout time.Duration

	pin        string   // the only host key, in place of knownHosts
	keyName    string   // what known_hosts calls the host: host:port, or its HostKeyAlias
	knownHosts []string // files; a new key goes into the first
	acceptNew  bool

	auth sshAuth
}

// String is the hop in messages: user@host:port, without the usual port.
func (h *sshHop) String() string {
	if h.port == 22 {
		return h.user + "@" + h.host
	}
	return h.user + "@" + h.address()
}

func (h *sshHop) address() string { return net.JoinHostPort(h.host, strconv.Itoa(h.port)) }

// key tells connections apart.
func (h *sshHop) key() string {
	key := strconv.Quote(h.user) + "@" + h.address() + " " + strconv.Quote(h.pin)
	if h.via != nil {
		key += " via " + h.via.key()
	}
	return key
}

var errHopTimeout = errors.New("no answer in time")

// dialHop connects to hop, through its jump hosts.
func (p *SSHPool) dialHop(ctx context.Context, hop *sshHop) (*sshConn, error) {
	var jump *sshConn
	if hop.via != nil {
		var err error
		if jump, err = p.connection(ctx, hop.via); err != nil {
			return nil, fmt.Errorf("on the way to %s: %w", hop, err)
		}
	}
	client, err := hop.connect(ctx, jump)
	if err != nil {
		if jump != nil {
			jump.release()
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%s: %w", hop, ErrClosed)
		}
		return nil, err
	}
	return newSSHConn(hop, client, p.limits, func() {
		if jump != nil {
			jump.release()
		}
	}), nil
}

// connect connects and logs in. Where only the fingerprint of the host's key is
// known, it asks for the host's keys one type after the other.
func (h *sshHop) connect(ctx context.Context, jump *sshConn) (*ssh.Client, error) {
	trust, err := newHostTrust(h)
	if err != nil {
		return nil, err
	}
	for {
		client, err := h.login(ctx, jump, trust)
		if err == nil || !trust.another() {
			return client, err
		}
	}
}

// login makes one connection, within the hop's time.
func (h *sshHop) login(ctx context.Context, jump *sshConn, trust *hostTrust) (*ssh.Client, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, h.timeout, errHopTimeout)
	defer cancel()
	conn, err := h.dialTCP(ctx, jump)
	if err != nil {
		return nil, unreachable(h, inTime(ctx, err))
	}
	auth := h.auth.begin()
	defer auth.end()
	client, err := handshake(ctx, conn, h.address(), &ssh.ClientConfig{
		User:              h.user,
		Auth:              auth.methods(),
		AuthCallback:      auth.note,
		HostKeyCallback:   trust.check,
		HostKeyAlgorithms: trust.algorithms(),
	})
	if wrong := trust.wrongType(err); wrong != nil {
		return nil, wrong
	}
	switch {
	case err == nil:
		return client, nil
	case trust.err() != nil:
		return nil, trust.err()
	case errors.Is(inTime(ctx, err), errHopTimeout):
		return nil, unreachable(h, errHopTimeout)
	case auth.asked():
		return nil, auth.refused(h, err)
	}
	return nil, unreachable(h, brokenHandshake(err))
}

// inTime is err, or that the time is over, which then is its cause.
func inTime(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (h *sshHop) dialTCP(ctx context.Context, jump *sshConn) (net.Conn, error) {
	if jump != nil {
		return jump.dial(ctx, "tcp", h.address())
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", h.address())
}

// handshake does not outlive ctx: a peer may accept the connection and say
// nothing, or say something else without end.
func handshake(ctx context.Context, conn net.Conn, address string, config *ssh.ClientConfig) (*ssh.Client, error) {
	type result struct {
		client *ssh.Client
		err    error
	}
	done := make(chan result, 1)
	go func() {
		c, chans, reqs, err := ssh.NewClientConn(conn, address, config)
		if err != nil {
			done <- result{err: err}
			return
		}
		done <- result{client: ssh.NewClient(c, chans, reqs)}
	}()
	select {
	case r := <-done:
		return r.client, r.err
	case <-ctx.Done():
		_ = conn.Close()
		go func() {
			if r := <-done; r.client != nil {
				_ = r.client.Close()
			}
		}()
		return nil, context.Cause(ctx)
	}
}

// brokenHandshake is err, with what it usually means.
func brokenHandshake(err error) error {
	var algorithms *ssh.AlgorithmNegotiationError
	if errors.As(err, &algorithms) {
		return err
	}
	return fmt.Errorf("it accepts the connection, but does not complete an SSH handshake: it is no SSH server, or it turns this machine away (MaxStartups, fail2ban) (%w)", err)
}
