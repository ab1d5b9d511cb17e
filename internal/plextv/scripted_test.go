package plextv_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
)

// through is a transport that calls the handler, without a network and without
// goroutines, so that it works on a fake clock. It reports its connections as
// net/http does.
func through(handler http.Handler) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		trace := httptrace.ContextClientTrace(req.Context())
		trace.GetConn(req.URL.Host)
		trace.GotConn(httptrace.GotConnInfo{})
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		return w.Result(), nil
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
