package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// forward connects to address as target itself would.
func (p *SSHPool) forward(ctx context.Context, target SSHTarget, network, address string) (net.Conn, error) {
	conn, err := p.acquire(ctx, target)
	if err != nil {
		return nil, err
	}
	defer conn.release()
	c, err := conn.dial(ctx, network, address)
	var refused *ssh.OpenChannelError
	if errors.As(err, &refused) {
		err = notForwarded(refused, network, address)
	}
	if err != nil {
		return nil, fmt.Errorf("%s on %s: %w", address, target, err)
	}
	return c, nil
}

// dial opens a forwarded connection. It holds c until it is closed.
func (c *sshConn) dial(ctx context.Context, network, address string) (net.Conn, error) {
	kind, payload, err := forwardRequest(network, address)
	if err != nil {
		return nil, err
	}
	if !c.hold() {
		return nil, c.lost()
	}
	ch, reqs, err := c.openChannel(ctx, kind, payload)
	if err != nil {
		c.release()
		return nil, err
	}
	go ssh.DiscardRequests(reqs)
	return &forwardedConn{Channel: ch, network: network, address: address, release: sync.OnceFunc(c.release)}, nil
}

// forwardRequest is the kind of channel and what it is opened with: RFC 4254,
// section 7.2, and section 2.4 of OpenSSH's PROTOCOL.
func forwardRequest(network, address string) (kind string, payload []byte, err error) {
	switch network {
	case "unix":
		return "direct-streamlocal@openssh.com", ssh.Marshal(struct {
			Path, Reserved string
			Port           uint32
		}{Path: address}), nil
	case "tcp", "tcp4", "tcp6":
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			return "", nil, err
		}
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return "", nil, fmt.Errorf("port %q: %w", port, err)
		}
		return "direct-tcpip", ssh.Marshal(struct {
			Host       string
			Port       uint32
			Originator string
			From       uint32
		}{host, uint32(number), "127.0.0.1", 0}), nil
	}
	return "", nil, fmt.Errorf("SSH forwards no %s", network)
}

// notForwarded is the error that a refused channel means. sshd says why in the
// words of the host's C library; where it says less, nothing listens, as far as
// the host's own loopback and sockets go.
func notForwarded(err *ssh.OpenChannelError, network, address string) error {
	said := strings.ToLower(err.Message)
	switch {
	case err.Reason != ssh.ConnectionFailed:
		return &Error{
			Err:  fmt.Errorf("%w: %s", ErrNoForwarding, err.Message),
			Next: "Set AllowTcpForwarding yes (for a socket, AllowStreamLocalForwarding yes) in the sshd_config of the host.",
		}
	case strings.Contains(said, "refused"):
		return fmt.Errorf("%w (%s)", syscall.ECONNREFUSED, err.Message)
	case strings.Contains(said, "no such file"):
		return fmt.Errorf("%w (%s)", fs.ErrNotExist, err.Message)
	case strings.Contains(said, "permission denied"):
		return fmt.Errorf("%w (%s)", fs.ErrPermission, err.Message)
	case network != "unix" && isLoopback(address) && !strings.Contains(said, "timed out"):
		return fmt.Errorf("%w (%s)", syscall.ECONNREFUSED, err.Message)
	}
	failed := fmt.Errorf("the connection was not made: %s", err.Message)
	if network == "unix" {
		// sshd says the same of a socket that is not there and of one that it may not forward.
		return &Error{Err: failed, Next: "Check that the socket is there and that the user who logs in may use it, and that the sshd_config of the host does not say AllowStreamLocalForwarding no."}
	}
	return failed
}

func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && (host == "localhost" || net.ParseIP(host).IsLoopback())
}

// forwardedConn is a channel as a connection.
type forwardedConn struct {
	ssh.Channel
	network, address string
	release          func()
}

func (c *forwardedConn) Close() error {
	defer c.release()
	return c.Channel.Close()
}

func (c *forwardedConn) LocalAddr() net.Addr  { return forwardedAddr{c.network, ""} }
func (c *forwardedConn) RemoteAddr() net.Addr { return forwardedAddr{c.network, c.address} }

// A channel has no deadlines; whoever needs one closes the connection.
var errNoDeadline = fmt.Errorf("a connection through SSH has no deadlines: %w", errors.ErrUnsupported)

func (c *forwardedConn) SetDeadline(time.Time) error      { return errNoDeadline }
func (c *forwardedConn) SetReadDeadline(time.Time) error  { return errNoDeadline }
func (c *forwardedConn) SetWriteDeadline(time.Time) error { return errNoDeadline }

type forwardedAddr struct{ network, address string }

func (a forwardedAddr) Network() string { return a.network }
func (a forwardedAddr) String() string  { return a.address }
