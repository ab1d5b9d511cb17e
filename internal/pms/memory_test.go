package pms_test

import (
	"context"
	"net"
	"net/http"
	"syscall"
	"testing"
)

// inMemory is a media server without a network, for tests on a fake clock: its
// connections are pipes. It answers until the test is over.
type inMemory struct {
	conns chan net.Conn
	done  chan struct{}
}

func listenInMemory(t *testing.T, handler http.Handler) *inMemory {
	l := &inMemory{conns: make(chan net.Conn), done: make(chan struct{})}
	listening := &http.Server{Handler: handler}
	go func() { _ = listening.Serve(l) }()
	t.Cleanup(func() { _ = listening.Close() })
	return l
}

func (l *inMemory) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.conns <- there:
		return here, nil
	case <-l.done:
		return nil, syscall.ECONNREFUSED
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *inMemory) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *inMemory) Close() error   { close(l.done); return nil }
func (l *inMemory) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// never answers until the client has given up.
func never(first string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if first != "" {
			_, _ = w.Write([]byte(first))
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	}
}
