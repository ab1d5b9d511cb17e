package plexsim

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// Request is one request that plex.tv got. Its path has no query: that is where
// claim tokens travel.
type Request struct {
	Time     time.Time `json:"time"`
	Method   string    `json:"method"`
	Path     string    `json:"path"`
	ClientID string    `json:"client_id,omitempty"` // X-Plex-Client-Identifier
	Account  string    `json:"account,omitempty"`   // user name of the token's account
	Status   int       `json:"status"`              // 0: no answer
	Fault    string    `json:"fault,omitempty"`     // kind of the fault that was applied
}

// Requests are all requests since the start or the last ClearRequests.
func (t *PlexTV) Requests() []Request {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.requests)
}

// RequestsTo are the requests with a method ("" for any) to a path with a prefix.
func (t *PlexTV) RequestsTo(method, pathPrefix string) []Request {
	return slices.DeleteFunc(t.Requests(), func(r Request) bool {
		return method != "" && r.Method != method || !strings.HasPrefix(r.Path, pathPrefix)
	})
}

// ClearRequests forgets all requests.
func (t *PlexTV) ClearRequests() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests = nil
}

func (t *PlexTV) recordOf(r *http.Request) Request {
	record := Request{Time: t.now(), Method: r.Method, Path: r.URL.Path,
		ClientID: r.Header.Get("X-Plex-Client-Identifier")}
	if holder := t.tokens[tokenOf(r)]; holder != nil {
		record.Account = holder.account.Username
	}
	return record
}

func (t *PlexTV) record(r Request) {
	t.requests = append(t.requests, r)
	if t.options.RequestsFile == "" {
		return
	}
	if err := appendJSONLine(&t.lines, t.options.RequestsFile, r); err != nil {
		_, _ = os.Stderr.WriteString("plexsim: " + err.Error() + "\n")
	}
}
