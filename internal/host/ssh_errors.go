package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"golang.org/x/crypto/ssh"
)

var (
	// ErrUnreachable is wrapped by the error of a machine that cannot be
	// connected to: its name is not resolved, there is no route, it refuses, it
	// does not answer in time, or what answers does not speak SSH.
	ErrUnreachable = errors.New("the host cannot be reached")

	// ErrAuth is wrapped by the error of a machine that did not accept the login.
	ErrAuth = errors.New("the login was refused")

	// ErrHostKey is wrapped by the error of a machine whose key is not known, or
	// is not the one that is known.
	ErrHostKey = errors.New("the host key is not trusted")

	// ErrLost is wrapped by the error of a shell whose connection was lost.
	ErrLost = errors.New("the connection was lost")

	// ErrClosed is wrapped by the error of whoever asks a closed SSHPool.
	ErrClosed = errors.New("the SSH connections are closed")
)

// unreachable is why a machine could not be connected to, in words. It does not
// wrap the time-outs of the net package: they match context.DeadlineExceeded,
// and would be taken for the end of the caller's own time.
func unreachable(h *sshHop, err error) error {
	reason, next := whyUnreachable(h, err)
	return &Error{Err: fmt.Errorf("%w: %s: %s", ErrUnreachable, h, reason), Next: next}
}

const adviceReach = "Check that the host is on, that its address and port are right, and that no firewall is between: ssh.host, ssh.port, the provider's ssh.proxy_jump."

func whyUnreachable(h *sshHop, err error) (reason, next string) {
	var dns *net.DNSError
	var refused *ssh.OpenChannelError
	var algorithms *ssh.AlgorithmNegotiationError
	switch {
	case errors.Is(err, errHopTimeout):
		return fmt.Sprintf("no answer within %s", h.timeout), adviceReach
	case errors.As(err, &dns):
		return fmt.Sprintf("the name %s is not resolved (%s)", dns.Name, dns.Err),
			"Check ssh.host, and the HostName of an alias in the SSH client configuration."
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused", "Check that sshd runs there, and on that port."
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to the host", adviceReach
	case errors.As(err, &algorithms):
		return fmt.Sprintf("it has no %s in common with this program (it offers %s)", algorithms.What, strings.Join(algorithms.RequestedAlgorithms, ", ")),
			"Update the SSH server on the host, or use server.exec with an ssh that is configured for it."
	case errors.As(err, &refused):
		return whyNotForwarded(h, refused)
	}
	return err.Error(), adviceReach
}

// whyNotForwarded is why a jump host made no connection to the next one.
func whyNotForwarded(h *sshHop, err *ssh.OpenChannelError) (reason, next string) {
	if err.Reason != ssh.ConnectionFailed {
		return fmt.Sprintf("the jump host %s makes no connections for others (%s)", h.via, err.Message),
			"Set AllowTcpForwarding yes in the sshd_config of the jump host, or choose another one."
	}
	return fmt.Sprintf("the jump host %s cannot connect to it: %s", h.via, strings.ToLower(err.Message)),
		"Check the name, address and port as the jump host sees them: ssh.host, ssh.port, the provider's ssh.proxy_jump."
}

// ended tells whether ctx has ended, and why: the caller's own time is no fault
// of the machine's.
func ended(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}
