//go:build linux

package faults_test

import (
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
)

// ofPlexTV fail all requests to plex.tv, or those of a kind.
var ofPlexTV = []fault{
	plexTV("plex.tv 401", plexsim.Fault{Kind: plexsim.FaultStatus, Status: http.StatusUnauthorized, Count: -1}),
	plexTV("plex.tv 401 to the exchange", plexsim.Fault{Kind: plexsim.FaultStatus, Status: http.StatusUnauthorized, Count: -1, PathPrefix: exchange}),
	plexTV("plex.tv 429, Retry-After", plexsim.Fault{Kind: plexsim.FaultStatus, Status: http.StatusTooManyRequests, Count: 2, RetryAfter: plexsim.Duration(2 * time.Second)}),
	plexTV("plex.tv 429 for long", plexsim.Fault{Kind: plexsim.FaultStatus, Status: http.StatusTooManyRequests, Count: -1, RetryAfter: plexsim.Duration(time.Minute)}),
	plexTV("plex.tv 500", plexsim.Fault{Kind: plexsim.FaultStatus, Status: http.StatusInternalServerError, Count: -1}),
	plexTV("plex.tv 500 once", plexsim.Fault{Kind: plexsim.FaultStatus, Status: http.StatusInternalServerError}),
	plexTV("plex.tv cuts the exchange off", plexsim.Fault{Kind: plexsim.FaultCutOff, PathPrefix: exchange}),
	plexTV("plex.tv answers no XML", plexsim.Fault{Kind: plexsim.FaultGarbage, PathPrefix: exchange}),
	plexTV("plex.tv hangs once the token is consumed", plexsim.Fault{Kind: plexsim.FaultHang, PathPrefix: exchange}),
	plexTV("plex.tv lost once the token is consumed", plexsim.Fault{Kind: plexsim.FaultLost, PathPrefix: exchange}),
	plexTV("plex.tv unreachable", plexsim.Fault{Kind: plexsim.FaultRefuse, Count: -1}),
	{name: "plex.tv's certificate not trusted", operations: claiming, places: atBegin,
		before: func(tr *trial) {
			impostor := httptest.NewTLSServer(tr.tv)
			impostor.Config.ErrorLog = nil
			tr.otherTV = impostor.URL
			tr.tf.write(tr.target())
			tr.later(func() {
				impostor.Close()
				tr.otherTV = ""
				tr.tf.write(tr.target())
			})
		}},
}

const exchange = "/api/claim/exchange"

// claiming are the operations that need plex.tv.
var claiming = []string{"rebind", "replace", "claim"}

// plexTV is a fault of plex.tv from the beginning of the operation to its end.
func plexTV(name string, f plexsim.Fault) fault {
	return fault{name: name, operations: claiming, places: atBegin,
		before: func(tr *trial) { tr.tv.Fail(f) },
		heal:   func(tr *trial) { tr.tv.ClearFaults() }}
}
