package provider_test

import (
	"net/http"
	"net/http/httptest"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// tap makes plex.tv be reached through a place that learns every token that
// travels: those of accounts and servers, and claim tokens.
func tap(w *world, s *simtest.Secrets) {
	through := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		s.Add("token in a header", r.Header.Get("X-Plex-Token"))
		s.Add("claim token in a query", r.URL.Query().Get("token"))
		w.tv.ServeHTTP(answer, r)
	}))
	w.Cleanup(func() { through.CloseClientConnections(); through.Close() })
	w.tv.URL = through.URL
}
