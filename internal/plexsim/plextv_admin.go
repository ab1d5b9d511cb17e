package plexsim

import (
	"encoding/json"
	"net/http"
	"time"
)

// adminPrefix is where a test steers a plex.tv that runs as a program.
const adminPrefix = "/_sim/"

// adminRoutes are the Go API over HTTP, in JSON:
//
//	POST   /_sim/accounts   an Account
//	POST   /_sim/servers    {"account","client_id","name"}: RegisterServer, answers a Device
//	POST   /_sim/shares     {"client_id","account"}: Share
//	GET    /_sim/devices    answers [Device]
//	POST   /_sim/claims     {"account"}: MintClaim, answers {"token"}
//	POST   /_sim/revoke     {"token"} or {"account"}: RevokeToken, RevokeAccount
//	POST   /_sim/faults     a Fault; DELETE forgets all
//	POST   /_sim/clock      {"offset":"5m"}: SetClockOffset
//	GET    /_sim/requests   answers [Request]; DELETE forgets all
func (t *PlexTV) adminRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /_sim/accounts", order(func(a Account) (any, error) { t.AddAccount(a); return nil, nil }))
	mux.HandleFunc("POST /_sim/servers", order(func(o adminOrder) (any, error) {
		return t.RegisterServer(o.Account, o.ClientID, o.Name)
	}))
	mux.HandleFunc("POST /_sim/shares", order(func(o adminOrder) (any, error) {
		t.Share(o.ClientID, o.Account)
		return nil, nil
	}))
	mux.HandleFunc("POST /_sim/claims", order(func(o adminOrder) (any, error) {
		token, err := t.MintClaim(o.Account)
		return map[string]string{"token": token}, err
	}))
	mux.HandleFunc("POST /_sim/revoke", order(func(o adminOrder) (any, error) {
		if o.Account != "" {
			return nil, t.RevokeAccount(o.Account)
		}
		return map[string]bool{"revoked": t.RevokeToken(o.Token)}, nil
	}))
	mux.HandleFunc("POST /_sim/clock", order(func(o adminOrder) (any, error) {
		t.SetClockOffset(time.Duration(o.Offset))
		return nil, nil
	}))
	mux.HandleFunc("POST /_sim/faults", order(func(f Fault) (any, error) { t.Fail(f); return nil, nil }))
	mux.HandleFunc("DELETE /_sim/faults", func(w http.ResponseWriter, _ *http.Request) { t.ClearFaults(); sendJSON(w, http.StatusOK, nil) })
	mux.HandleFunc("GET /_sim/devices", func(w http.ResponseWriter, _ *http.Request) { sendJSON(w, http.StatusOK, t.Devices()) })
	mux.HandleFunc("GET /_sim/requests", func(w http.ResponseWriter, _ *http.Request) {
		sendJSON(w, http.StatusOK, append([]Request{}, t.Requests()...))
	})
	mux.HandleFunc("DELETE /_sim/requests", func(w http.ResponseWriter, _ *http.Request) {
		t.ClearRequests()
		sendJSON(w, http.StatusOK, nil)
	})
	return mux
}

// adminOrder is the union of what the small orders take.
type adminOrder struct {
	Account  string   `json:"account"`
	ClientID string   `json:"client_id"`
	Name     string   `json:"name"`
	Token    string   `json:"token"`
	Offset   Duration `json:"offset"`
}

// order reads an order, carries it out and answers what came of it. A field that
// it does not know is an error, as in [ReadConfig].
func order[T any](carryOut func(T) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var o T
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&o); err != nil {
			sendJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		result, err := carryOut(o)
		if err != nil {
			sendJSON(w, http.StatusNotFound, map[string]string{"error": err.Error()})
			return
		}
		sendJSON(w, http.StatusOK, result)
	}
}
