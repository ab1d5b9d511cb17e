package pms

import (
	"errors"
	"net/http"
	"sync/atomic"
)

// ErrNoRoute is the error of dialers and relays where no connection can be made
// from the server's host, and no program there carries requests either.
var ErrNoRoute = errors.New("the server's own API cannot be reached: its host lets no connection through, and has neither curl nor wget")

// route sends requests through a connection, and from the first time that none
// can be made through the relay.
type route struct {
	direct    http.RoundTripper
	relay     http.RoundTripper // nil: there is none
	onlyRelay atomic.Bool
}

func (r *route) RoundTrip(req *http.Request) (*http.Response, error) {
	if !r.onlyRelay.Load() {
		resp, err := r.direct.RoundTrip(req)
		if r.relay == nil || !errors.Is(err, ErrNoRoute) {
			return resp, err
		}
		r.onlyRelay.Store(true)
	}
	return r.relay.RoundTrip(req)
}
