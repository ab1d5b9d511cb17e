package plextv

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// Retry says how long to insist. Zero fields take the defaults.
type Retry struct {
	Attempts      int           // requests per call, the first included; default 5
	WaitMin       time.Duration // before the second request, then doubled; default 1 s
	WaitMax       time.Duration // the longest wait of our own choice; default 15 s
	RetryAfterMax time.Duration // the longest Retry-After that is sat out; default 1 min
	Timeout       time.Duration // of one request with its answer; default 30 s
}

func (r Retry) withDefaults() Retry {
	return Retry{
		Attempts:      cmp.Or(max(0, r.Attempts), 5),
		WaitMin:       cmp.Or(max(0, r.WaitMin), time.Second),
		WaitMax:       cmp.Or(max(0, r.WaitMax), 15*time.Second),
		RetryAfterMax: cmp.Or(max(0, r.RetryAfterMax), time.Minute),
		Timeout:       cmp.Or(max(0, r.Timeout), 30*time.Second),
	}
}

// attempts is the state of one call across its requests. retryablehttp runs the
// loop; this decides whether to go on, and remembers how the last one ended.
type attempts struct {
	retry Retry
	now   func() time.Time
	call  call

	n       int       // requests so far
	started time.Time // when the last one began
	status  int       // its HTTP status, 0 without an answer
	err     error     // its failure: of the network, or of reading the answer
	body    []byte
	asked   time.Duration // its Retry-After, 0 without one
	wait    time.Duration // before the next

	dialling, connected atomic.Bool
}

// begin is called before every request.
func (a *attempts) begin(retryablehttp.Logger, *http.Request, int) {
	a.n++
	a.started = a.now()
	a.status, a.err, a.body, a.asked = 0, nil, nil, 0
	a.dialling.Store(false)
	a.connected.Store(false)
}

// trace follows a request to the point from which on it may have been sent.
func (a *attempts) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) {
			a.dialling.Store(true)
			// net/http asks for a second connection of itself only when
			// nothing was written to the first one.
			a.connected.Store(false)
		},
		GotConn: func(httptrace.GotConnInfo) { a.connected.Store(true) },
	})
}

// unsent reports that the request certainly did not leave this machine. A
// transport that does not say is taken to have sent it.
func (a *attempts) unsent() bool { return a.dialling.Load() && !a.connected.Load() }

// check is a retryablehttp.CheckRetry. It is called after each request, and
// again after its body was read.
func (a *attempts) check(ctx context.Context, resp *http.Response, err error) (bool, error) {
	a.err = err
	if resp != nil {
		a.status = resp.StatusCode
		a.asked = retryAfter(resp.Header.Get("Retry-After"), a.now())
	}
	// The last answer's body is read only if no further try is announced.
	if a.n >= a.retry.Attempts || !a.repeatable() {
		return false, nil
	}
	a.wait = a.nextWait()
	return a.fits(ctx), nil
}

// repeatable reports that asking again can help and does no harm. A claim token
// is spent by the first request that arrives, so an exchange is repeated only
// when it did not arrive or was turned away at the door.
func (a *attempts) repeatable() bool {
	switch {
	case errors.Is(a.err, errTooLarge):
		return false
	case a.err != nil:
		if _, bad := errors.AsType[*tls.CertificateVerificationError](a.err); bad {
			return false
		}
		return !a.call.once || a.unsent()
	case a.status == http.StatusTooManyRequests, a.status == http.StatusServiceUnavailable:
		return true
	default:
		return !a.call.once && overloaded(a.status)
	}
}

func overloaded(status int) bool { return status >= 500 || status == http.StatusRequestTimeout }

// nextWait never undercuts what the server asked for, and spreads out the
// servers of a fleet that were all turned away at the same moment.
func (a *attempts) nextWait() time.Duration {
	if a.asked > 0 {
		return a.asked + rand.N(a.retry.WaitMin) //nolint:gosec // G404: it spreads load, and guards nothing
	}
	wait := retryablehttp.DefaultBackoff(a.retry.WaitMin, a.retry.WaitMax, a.n-1, nil)
	return wait/2 + rand.N(wait/2+1) //nolint:gosec // G404: as above
}

// fits reports that after the wait there is still somebody to answer, and a
// claim token to use. Waiting less than was asked for would only be turned away
// again, so a Retry-After that is too long ends the call at once.
func (a *attempts) fits(ctx context.Context) bool {
	if a.asked > a.retry.RetryAfterMax {
		return false
	}
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= a.wait {
		return false
	}
	return a.call.expires.IsZero() || a.now().Add(a.wait).Before(a.call.expires)
}

func (a *attempts) backoff(time.Duration, time.Duration, int, *http.Response) time.Duration {
	return a.wait
}

// retryAfter reads the header's two forms, seconds and a date (RFC 9110,
// 10.2.3); nothing above 0 for neither, and for the past.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if seconds, err := strconv.ParseInt(header, 10, 64); err == nil {
		return time.Duration(min(max(0, seconds), math.MaxInt32)) * time.Second
	}
	if date, err := http.ParseTime(header); err == nil {
		return date.Sub(now)
	}
	return 0
}
