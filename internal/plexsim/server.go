package plexsim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// ServerName is the name of the server's program and of its data directory.
const ServerName = "Plex Media Server"

// ErrNoPort says that a server is alive but will not open its port: its
// preferences are empty, broken or refused, or a stale pid file wedged it.
var ErrNoPort = errors.New("the server is alive but opens no port")

// ErrExited says that a server's process has ended.
var ErrExited = errors.New("the server has exited")

// Server is one media server: what an installation is, of which one process at a
// time may run. It can be started again after it has stopped. All methods are
// safe for use by several goroutines.
type Server struct {
	mu     sync.Mutex
	config Config
	proc   *process
}

// NewServer returns a server that does not run yet.
func NewServer(config Config) *Server {
	return &Server{config: config.withDefaults()}
}

// Configure changes the configuration for the next start.
func (s *Server) Configure(change func(*Config)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.config)
}

// Launch starts the server's process and returns at once. It does nothing if the
// process runs.
func (s *Server) Launch() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc != nil && !s.proc.exited() {
		return
	}
	config := s.config
	if s.proc != nil {
		config.Addr = samePort(config.Addr, s.proc.lastAddress())
	}
	s.proc = newProcess(config)
	go s.proc.run()
}

// samePort keeps a server that was given any port (":0") where it was first.
func samePort(addr, last string) string {
	if _, port, err := net.SplitHostPort(addr); err == nil && port == "0" && last != "" {
		return last
	}
	return addr
}

// Start starts the server and waits until its port is open. [ErrNoPort] and
// [ErrExited] say that this will not happen; the process of ErrNoPort still runs.
// ctx bounds the wait, not the server's life.
func (s *Server) Start(ctx context.Context) error {
	s.Launch()
	return s.WaitListening(ctx)
}

// WaitListening waits for the port; see [Server.Start].
func (s *Server) WaitListening(ctx context.Context) error {
	proc := s.current()
	if proc == nil {
		return ErrExited
	}
	select {
	case <-proc.settled:
	case <-proc.done:
	case <-ctx.Done():
		return fmt.Errorf("waiting for the server's port: %w", ctx.Err())
	}
	switch {
	case proc.exited():
		return ErrExited
	case proc.address() == "":
		return ErrNoPort
	}
	return nil
}

// Terminate does what SIGTERM does, and returns at once.
func (s *Server) Terminate() {
	if proc := s.current(); proc != nil {
		proc.terminate()
	}
}

// Stop does what SIGTERM does and waits until the process is gone, which is for
// ever where the configuration says IgnoreTerm.
func (s *Server) Stop() {
	if proc := s.current(); proc != nil {
		proc.terminate()
		<-proc.done
	}
}

// Kill does what SIGKILL does and waits until the process is gone: the pid file
// stays, and so does whatever the preferences file held at that moment.
func (s *Server) Kill() {
	if proc := s.current(); proc != nil {
		proc.kill()
		<-proc.done
	}
}

// Done is closed when the process that runs now, or ran last, is gone. It is nil,
// which blocks for ever, if there was none.
func (s *Server) Done() <-chan struct{} {
	if proc := s.current(); proc != nil {
		return proc.done
	}
	return nil
}

// ExitCode is the status with which the last process ended, -1 for SIGKILL. It is
// meaningful once Done is closed.
func (s *Server) ExitCode() int {
	proc := s.current()
	if proc == nil || !proc.exited() {
		return -1
	}
	return proc.code
}

// Addr is the address of the open port, or "" while no port is open.
func (s *Server) Addr() string {
	if proc := s.current(); proc != nil && !proc.exited() {
		return proc.address()
	}
	return ""
}

// URL is the base address of the server's API, or "" while no port is open.
func (s *Server) URL() string {
	if addr := s.Addr(); addr != "" {
		return "http://" + addr
	}
	return ""
}

func (s *Server) current() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc
}
