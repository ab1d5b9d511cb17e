package plexsim

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
)

// bit is "1" or "0" in XML and a boolean in JSON (facts 2.6).
type bit bool

// MarshalXMLAttr writes the bit as a digit.
func (b bit) MarshalXMLAttr(name xml.Name) (xml.Attr, error) {
	if b {
		return xml.Attr{Name: name, Value: "1"}, nil
	}
	return xml.Attr{Name: name, Value: "0"}, nil
}

// answer sends a MediaContainer as XML, or as JSON to who asks for it.
func answer(w http.ResponseWriter, r *http.Request, container any) {
	if wantsJSON(r) {
		sendJSON(w, http.StatusOK, map[string]any{"MediaContainer": container})
		return
	}
	sendXML(w, http.StatusOK, container)
}

func wantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json")
}

func sendJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	send(w, status, "application/json; charset=utf-8", body)
}

func sendXML(w http.ResponseWriter, status int, value any) {
	body, err := xml.MarshalIndent(value, "", " ")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	send(w, status, "application/xml; charset=utf-8", append([]byte(xml.Header), append(body, '\n')...))
}

func html(w http.ResponseWriter, status int, text string) {
	page := fmt.Sprintf("<html><head><title>%[1]s</title></head><body><h1>%[1]s</h1></body></html>", text)
	send(w, status, "text/html", []byte(page))
}

func send(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone, which is its own affair
}
