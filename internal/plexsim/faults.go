package plexsim

import (
	"math"
	"net/http"
	"strconv"
	"strings"
)

// Kinds of faults. The last four do what the request asks for before they fail: a
// claim token is consumed.
const (
	FaultStatus  = "status"  // answers Status, does nothing
	FaultRefuse  = "refuse"  // closes the connection, does nothing
	FaultCutOff  = "cutoff"  // closes the connection in the middle of the body
	FaultGarbage = "garbage" // answers 200 with a page that is neither XML nor JSON
	FaultLost    = "lost"    // closes the connection without an answer
	FaultHang    = "hang"    // gives no answer until the client gives up
)

// Fault makes the next requests fail.
type Fault struct {
	Kind       string   `json:"kind"`
	Method     string   `json:"method,omitempty"`      // default any
	PathPrefix string   `json:"path_prefix,omitempty"` // default any path
	Count      int      `json:"count,omitempty"`       // how many requests; default 1, -1 for all
	Status     int      `json:"status,omitempty"`      // of FaultStatus; default 503
	RetryAfter Duration `json:"retry_after,omitempty"` // of FaultStatus; sent in whole seconds
}

// Fail adds a fault. Faults that match the same request apply one after another.
func (t *PlexTV) Fail(f Fault) {
	if f.Kind == "" {
		f.Kind = FaultStatus
	}
	if f.Count == 0 {
		f.Count = 1
	}
	if f.Status == 0 {
		f.Status = http.StatusServiceUnavailable
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = append(t.faults, &f)
}

// ClearFaults forgets all faults.
func (t *PlexTV) ClearFaults() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = nil
}

// takeFault is the first fault that is meant for the request, with its count
// brought down.
func (t *PlexTV) takeFault(r *http.Request) *Fault {
	for _, f := range t.faults {
		matches := (f.Method == "" || f.Method == r.Method) && strings.HasPrefix(r.URL.Path, f.PathPrefix)
		if !matches || f.Count == 0 {
			continue
		}
		if f.Count > 0 {
			f.Count--
		}
		taken := *f
		return &taken
	}
	return nil
}

// performs says whether the request takes effect.
func (f *Fault) performs() bool { return f.Kind != FaultStatus && f.Kind != FaultRefuse }

// seenStatus is the status that the client gets to see, 0 for none.
func (f *Fault) seenStatus(r *response) int {
	switch f.Kind {
	case FaultStatus:
		return f.Status
	case FaultGarbage:
		return http.StatusOK
	case FaultCutOff:
		return r.status
	}
	return 0
}

// fail answers as the fault says. It ends by aborting the connection where no
// whole answer is meant to arrive.
func (t *PlexTV) fail(w http.ResponseWriter, r *http.Request, answer *response, f *Fault) {
	switch f.Kind {
	case FaultStatus:
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.D().Seconds()))))
		}
		html(w, f.Status, strconv.Itoa(f.Status)+" "+http.StatusText(f.Status))
		return
	case FaultGarbage:
		send(w, http.StatusOK, "text/html", []byte("<html><body><p>Please sign in to this network & accept its terms.<br></body></html>"))
		return
	case FaultCutOff:
		w.Header().Set("Content-Type", answer.header.Get("Content-Type"))
		w.Header().Set("Content-Length", strconv.Itoa(answer.body.Len()))
		w.WriteHeader(answer.status)
		_, _ = w.Write(answer.body.Bytes()[:answer.body.Len()/2])
		_ = http.NewResponseController(w).Flush()
	case FaultHang:
		select {
		case <-r.Context().Done():
		case <-t.closing:
		}
	}
	panic(http.ErrAbortHandler) // net/http closes the connection and says nothing
}
