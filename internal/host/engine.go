package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/moby/moby/client"
)

// ErrEngine is wrapped by the error of a container engine that cannot be asked.
var ErrEngine = errors.New("the container engine does not answer")

// DefaultEngine is where Docker listens.
const DefaultEngine = "unix:///var/run/docker.sock"

// engine is a Docker Engine, or whatever speaks its API, on a machine.
type engine struct {
	on      Host
	address string // unix://PATH or tcp://HOST:PORT
	own     bool   // the environment of this process says how to reach it

	client func() (*client.Client, error)

	mu   sync.Mutex
	dial error // how the last attempt to connect has failed
}

func newEngine(on Host, address string) *engine {
	e := &engine{on: on, address: address}
	if address == "" {
		e.address = DefaultEngine
		// Another machine's engine is not where this process's environment says.
		if _, here := on.(Local); here {
			e.own = true
			if said := os.Getenv(client.EnvOverrideHost); said != "" {
				e.address = said
			}
		}
	}
	e.client = sync.OnceValues(e.newClient)
	return e
}

// newClient does no I/O. The API's version is agreed on with the first request.
func (e *engine) newClient() (*client.Client, error) {
	var options []client.Opt
	switch scheme, _, _ := strings.Cut(e.address, "://"); scheme {
	case "unix":
		options = []client.Opt{client.WithHost(e.address), client.WithDialContext(e.connect)}
	case "tcp":
		if e.own {
			options = append(options, client.WithTLSClientConfigFromEnv())
		}
		options = append(options, client.WithHost(e.address), client.WithDialContext(e.connect))
	case "ssh":
		return nil, &Error{
			Err:  fmt.Errorf("%w: %s is an address of the docker command's own", ErrEngine, e.address),
			Next: "Set server.ssh to reach the engine's machine, and leave server.container.engine out.",
		}
	default:
		return nil, &Error{
			Err:  fmt.Errorf("%w: %q is no address of one", ErrEngine, e.address),
			Next: "Set server.container.engine to unix:///path/of/docker.sock or tcp://host:port.",
		}
	}
	return client.New(options...)
}

// connect opens a connection to the engine, as its machine would. What HTTP takes
// for the address is not: it knows no sockets with a path.
func (e *engine) connect(ctx context.Context, _, _ string) (net.Conn, error) {
	network, address, _ := strings.Cut(e.address, "://")
	conn, err := e.on.Dial(ctx, network, address)
	if err != nil && network == "unix" && !plain(ctx, err) {
		// sshd may forbid forwarding, and only root may know the socket.
		through, second := dialStdio(ctx, e.on, e.address)
		if second == nil {
			return through, nil
		}
		err = &dialError{first: err, second: second}
	}
	if err != nil {
		e.mu.Lock()
		e.dial = err
		e.mu.Unlock()
	}
	return conn, err
}

// plain tells whether err says all: that nothing listens there, or that the
// caller has given up.
func plain(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist)
}

// dialError is a connection that was refused, and so was the shell in its place.
type dialError struct{ first, second error }

func (e *dialError) Error() string {
	return fmt.Sprintf("%v; and by a shell there: %v", e.first, e.second)
}
func (e *dialError) Unwrap() []error { return []error{e.first, e.second} }

// explain is err for a person, where it is about the engine itself.
func (e *engine) explain(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || !client.IsErrConnectionFailed(err) {
		return err
	}
	e.mu.Lock()
	cause := e.dial
	e.mu.Unlock()
	if cause == nil {
		cause = err
	}
	said := fmt.Errorf("%w at %s on %s: %w", ErrEngine, e.address, e.on.Name(), cause)
	switch text := strings.ToLower(cause.Error()); {
	case errors.Is(cause, fs.ErrPermission), strings.Contains(text, "permission denied while trying to connect"):
		return &Error{Err: said, Next: "Let the user who logs in talk to the engine (the group docker), or set server.become = true."}
	case errors.Is(cause, fs.ErrNotExist), strings.Contains(text, "no such file"):
		return &Error{Err: said, Next: "Start the engine. If its socket is elsewhere, as with a rootless engine, set server.container.engine, for example to unix:///run/user/1000/docker.sock."}
	case errors.Is(cause, syscall.ECONNREFUSED), strings.Contains(text, "connection refused"), strings.Contains(text, "is the docker daemon running"):
		return &Error{Err: said, Next: "Start the engine, for example with systemctl start docker."}
	case errors.Is(cause, ErrNoForwarding):
		return &Error{Err: said, Next: "Let sshd forward connections to sockets (AllowStreamLocalForwarding), or install the docker command there."}
	}
	return &Error{Err: said, Next: "Check server.container.engine, and that the engine runs."}
}

// environment are the variables by which this process was told how to reach an
// engine with TLS.
func (e *engine) environment() []string {
	var env []string
	for _, name := range []string{client.EnvOverrideCertPath, client.EnvTLSVerify} {
		if value := os.Getenv(name); e.own && value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}
