package plexsim

import (
	"errors"
	"net"
	"net/http"
	"time"
)

func (p *process) openPort() error {
	listener, err := net.Listen("tcp", p.config.Addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: p.handler(), ReadHeaderTimeout: time.Minute}
	p.mu.Lock()
	p.listener, p.http = listener, server
	p.bound = listener.Addr().String()
	p.ready = time.Now().Add(p.config.Maintenance.D())
	p.mu.Unlock()
	p.work.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			p.log.printf("The port failed: %v", err)
		}
	})
	return nil
}

// closePort closes the port and every connection; who is being served hears no
// answer.
func (p *process) closePort() {
	p.mu.Lock()
	server := p.http
	p.listener, p.http = nil, nil
	p.mu.Unlock()
	if server != nil {
		_ = server.Close()
	}
}

// address is where the port is open, or "".
func (p *process) address() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener == nil {
		return ""
	}
	return p.listener.Addr().String()
}

// lastAddress is where the port is or was open, or "".
func (p *process) lastAddress() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bound
}

func (p *process) inMaintenance() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Now().Before(p.ready)
}
