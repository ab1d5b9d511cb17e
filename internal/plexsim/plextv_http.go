package plexsim

import (
	"bytes"
	"net/http"
	"strings"
)

func (t *PlexTV) publicRoutes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/claim/token.json", t.mintJSON)
	mux.HandleFunc("GET /api/v2/claim/token", t.mintJSON)
	mux.HandleFunc("GET /api/claim/token", t.mintXML)
	mux.HandleFunc("POST /api/claim/exchange", t.exchange)
	mux.HandleFunc("GET /api/v2/user", t.serveUser)
	mux.HandleFunc("DELETE /api/v2/users/signout", t.signOut)
	mux.HandleFunc("GET /api/v2/resources", t.serveResources)
	mux.HandleFunc("GET /devices.xml", t.serveDevices)
	mux.HandleFunc("DELETE /devices/{file}", t.deleteDevice)
	return mux
}

// ServeHTTP answers as plex.tv does, or as a fault says. What is under /_sim/
// belongs to the test, and is neither recorded nor subject to faults.
func (t *PlexTV) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, adminPrefix) {
		t.admin.ServeHTTP(w, r)
		return
	}
	response, fault := t.decide(r)
	if fault == nil {
		response.deliver(w)
		return
	}
	t.fail(w, r, response, fault)
}

// decide does what the request asks for, unless a fault prevents it, and records
// the request before anybody hears of it: who has an answer finds it recorded.
func (t *PlexTV) decide(r *http.Request) (*response, *Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fault := t.takeFault(r)
	record := t.recordOf(r) // before the request can revoke the token it came with
	response := &response{header: http.Header{}}
	if fault == nil || fault.performs() {
		t.routes.ServeHTTP(response, r)
	}
	record.Status = response.status
	if fault != nil {
		record.Status, record.Fault = fault.seenStatus(response), fault.Kind
	}
	t.record(record)
	return response, fault
}

// user is the account that a request's token belongs to; without one, the request
// is answered.
func (t *PlexTV) user(w http.ResponseWriter, r *http.Request) *holder {
	holder := t.tokens[tokenOf(r)]
	if holder == nil {
		refuse(w, r, http.StatusUnauthorized, "User could not be authenticated")
	}
	return holder
}

// refuse sends the error document of the API's second version.
func refuse(w http.ResponseWriter, r *http.Request, status int, message string) {
	type failure struct {
		Code    int    `xml:"code,attr" json:"code"`
		Message string `xml:"message,attr" json:"message"`
		Status  int    `xml:"status,attr" json:"status"`
	}
	failures := struct {
		XMLName struct{}  `xml:"errors" json:"-"`
		Errors  []failure `xml:"error" json:"errors"`
	}{Errors: []failure{{1001, message, status}}}
	if wantsJSON(r) {
		sendJSON(w, status, failures)
		return
	}
	sendXML(w, status, failures)
}

// response holds an answer back until it is clear what becomes of it.
type response struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *response) Header() http.Header { return r.header }

func (r *response) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *response) Write(data []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(data)
}

func (r *response) deliver(w http.ResponseWriter) {
	r.WriteHeader(http.StatusOK) // for a handler that said nothing
	for name, values := range r.header {
		w.Header()[name] = values
	}
	w.WriteHeader(r.status)
	_, _ = w.Write(r.body.Bytes()) // the client may be gone
}
