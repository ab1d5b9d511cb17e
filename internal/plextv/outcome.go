package plextv

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
)

// failure says how the last request ended. The texts of net/http are not used:
// they hold the URL, or quote bytes of the server that may be a token.
func (a *attempts) failure(ctx context.Context, where string) *failure {
	f := &failure{step: a.call.step, where: where, status: a.status, tries: a.n, context: ctx.Err()}
	switch {
	case a.n == 0, a.err != nil && f.context != nil: // the context's error says why
		f.kinds = []error{ErrUnavailable}
	case a.err != nil && a.status != 0: // the answer began
		f.kinds, f.detail = a.brokenAnswer()
	case a.err != nil:
		f.kinds = []error{ErrUnavailable}
		f.detail = a.describe(a.err)
	default:
		f.kinds = []error{a.meaning()}
		f.said = reason(a.body, a.call.secrets)
		f.detail = a.explain()
	}
	if a.maybeConsumed() {
		f.kinds = append(f.kinds, ErrMaybeConsumed)
	}
	return f
}

// meaning is the sentinel for a status that is not success.
func (a *attempts) meaning() error {
	switch s := a.status; {
	case s == http.StatusTooManyRequests:
		return ErrRateLimited
	case overloaded(s):
		return ErrUnavailable
	case s == http.StatusUnauthorized, s == http.StatusForbidden:
		return a.call.refused
	case s/100 == 4 && a.call.once:
		// Which status an expired, used or malformed claim token gets is not
		// known (plex-facts 2.3): any refusal is one.
		return a.call.refused
	default:
		return ErrUnexpected
	}
}

// maybeConsumed: the exchange left this machine, and neither was turned away at
// the door nor refused.
func (a *attempts) maybeConsumed() bool {
	if !a.call.once {
		return false
	}
	if a.err != nil && a.status == 0 {
		return !a.unsent()
	}
	switch a.status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return false
	}
	return a.status/100 == 2 || overloaded(a.status)
}

func (a *attempts) explain() string {
	switch {
	case a.status/100 == 3:
		return "it redirects elsewhere, which is not followed with a token"
	case a.asked > 0:
		return fmt.Sprintf("it asks to wait %s", a.asked)
	}
	return ""
}

func (a *attempts) brokenAnswer() ([]error, string) {
	switch {
	case errors.Is(a.err, errTooLarge):
		return []error{ErrUnexpected}, fmt.Sprintf("the answer is larger than %d bytes", a.call.limit)
	case timedOut(a.err):
		return []error{ErrUnavailable}, "the rest of the answer did not come in time"
	}
	return []error{ErrUnexpected}, "the answer is cut off"
}

func (a *attempts) describe(err error) string {
	if cert, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		// Said before anything was sent, so it cannot quote a token.
		return fmt.Sprintf("its certificate is not trusted: %s", sanitise(cert.Err.Error(), a.call.secrets))
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return "what listens there does not speak TLS"
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Sprintf("the name %q cannot be resolved", dns.Name)
	}
	if timedOut(err) {
		return fmt.Sprintf("no answer within %s", a.retry.Timeout)
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "the connection was closed before an answer"
	}
	return "the connection failed"
}

func timedOut(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}
