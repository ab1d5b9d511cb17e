package pms

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
)

// What callers act on. Match with errors.Is.
var (
	// ErrRefused: nothing listens at the server's address.
	ErrRefused = errors.New("the connection is refused: the server does not run, or listens elsewhere")
	// ErrStarting: the server answers that it is not ready yet (503, or its
	// page about startup maintenance tasks; plex-facts 2.4).
	ErrStarting = errors.New("the server is starting")
	// ErrClaimRefused: the server will not take the claim token: expired,
	// used, malformed, or the server is claimed already (plex-facts 2.4).
	ErrClaimRefused = errors.New("the server refuses the claim token, which is expired or used, or is claimed already")
	// ErrUnreachable: no connection, one that broke, no answer in time, or
	// interrupted.
	ErrUnreachable = errors.New("the server cannot be reached")
	// ErrUnexpected: an answer that is not that of a media server, is cut
	// off, too large, or a redirect.
	ErrUnexpected = errors.New("this is not the answer of a Plex Media Server")
	// ErrNotAccepted: WaitIdentity's server answers, and is not as awaited.
	ErrNotAccepted = errors.New("the server is not as awaited")
)

// dialError marks an error of the Dialer. It was made before anything was sent,
// by code that keeps secrets, so that it can be shown.
type dialError struct{ err error }

func (e *dialError) Error() string { return e.err.Error() }
func (e *dialError) Unwrap() error { return e.err }

// transportError says what became of a request without an answer. Of the texts
// of net/http none is used: they hold the URL, or quote what the server sent.
func transportError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, ctx.Err())
	}
	dial, dialling := errors.AsType[*dialError](err)
	switch {
	case errors.Is(err, ErrNoRoute):
		return ErrNoRoute
	case dialling && isRefused(err):
		return fmt.Errorf("%w: %w", ErrRefused, dial.err)
	case dialling:
		return fmt.Errorf("%w: %w", ErrUnreachable, dial.err)
	case isRefused(err): // by a Dialer that finds out only as it is used
		return ErrRefused
	}
	return fmt.Errorf("%w: %s", ErrUnreachable, describe(err))
}

func describe(err error) string {
	if cert, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its certificate is not trusted: " + cert.Err.Error() // from before anything was sent
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return "it does not speak TLS: use http:// in the server's url"
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return "no answer in time"
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the connection was closed before an answer"
	}
	return "the connection broke"
}
