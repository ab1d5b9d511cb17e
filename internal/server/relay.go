package server

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/pms"
)

//go:embed relay.sh
var relayScript string

// relay carries requests to a server by its host's own curl or wget, for hosts
// that give a shell and let no connection through.
type relay struct {
	host    host.Host
	windows bool // it is known to be there, and has no curl for sure
}

var _ http.RoundTripper = relay{}

// maxRelayed bounds, in bytes, what is taken of an answer with its last line.
const maxRelayed = 2 << 20

var errRelay = errors.New("the host's own curl or wget got no answer")

// RoundTrip implements http.RoundTripper. Requests have no body.
func (r relay) RoundTrip(req *http.Request) (*http.Response, error) {
	said, err := r.ask(req)
	if errors.Is(err, host.ErrNotPOSIX) {
		return nil, fmt.Errorf("%w: %w", pms.ErrNoRoute, err)
	}
	if err != nil {
		return nil, err
	}
	end := max(bytes.LastIndexByte(said, '\n'), 0)
	body, line := said[:end], strings.TrimSpace(string(said[end:]))
	how, detail, _ := strings.Cut(line, " ")
	switch how {
	case "status":
		status, err := strconv.Atoi(detail)
		if err != nil {
			break
		}
		return &http.Response{
			StatusCode: status, Status: detail, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)), Request: req,
		}, nil
	case "refused":
		return nil, syscall.ECONNREFUSED
	case "none":
		return nil, pms.ErrNoRoute
	}
	return nil, errRelay
}

// ask runs the script to its end.
func (r relay) ask(req *http.Request) ([]byte, error) {
	if r.windows {
		return nil, host.ErrNotPOSIX
	}
	ctx := req.Context()
	limit := time.Minute
	if until, ok := ctx.Deadline(); ok {
		limit = time.Until(until)
	}
	var b strings.Builder
	for _, p := range []struct{ name, value string }{
		{"method", req.Method}, {"url", req.URL.String()}, {"seconds", seconds(limit)},
	} {
		fmt.Fprintf(&b, "p_%s=%s\n", p.name, host.Quote(p.value))
	}
	shell, err := r.host.Shell(ctx, b.String()+relayScript)
	if err != nil {
		return nil, err
	}
	_ = shell.Close()
	answer := make(chan []byte, 1)
	go func() {
		said, _ := io.ReadAll(io.LimitReader(shell, maxRelayed+1))
		if len(said) > maxRelayed {
			said = nil // the end says how it went, and is not there
		}
		_ = shell.Wait()
		answer <- said
	}()
	select {
	case said := <-answer:
		return said, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// dialer is how the server's address is reached from its host.
func dialer(h host.Host) pms.Dialer {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := h.Dial(ctx, network, address)
		if errors.Is(err, host.ErrNoForwarding) {
			return nil, fmt.Errorf("%w: %w", pms.ErrNoRoute, err)
		}
		return conn, err
	}
}
