package plexsim

import (
	"net/http"
)

// account is the MyPlex account document of a server (facts 2.4, 2.6). Its
// username is the e-mail form.
type account struct {
	XMLName      struct{} `xml:"MyPlex" json:"-"`
	AuthToken    string   `xml:"authToken,attr,omitempty" json:"authToken,omitempty"`
	Username     string   `xml:"username,attr" json:"username"`
	MappingState string   `xml:"mappingState,attr" json:"mappingState"`
	MappingError string   `xml:"mappingError,attr" json:"mappingError"`
	SignInState  string   `xml:"signInState,attr" json:"signInState"`
}

func (p *process) accountDocument() account {
	if !p.claimed() {
		return account{MappingState: "unknown", SignInState: "none"}
	}
	return account{
		AuthToken:    p.value(keyToken),
		Username:     firstOf(p.value(keyMail), p.value(keyUsername)),
		MappingState: "mapped",
		SignInState:  "ok",
	}
}

func (p *process) serveAccount(w http.ResponseWriter, r *http.Request) {
	answer(w, r, p.accountDocument())
}

// serveClaim answers POST /myplex/claim. Every refusal is the same 401: that the
// token has expired, that the server is claimed already and that the caller is not
// local cannot be told apart (facts 2.4).
func (p *process) serveClaim(w http.ResponseWriter, r *http.Request) {
	p.claim.Lock()
	defer p.claim.Unlock()
	if p.claimed() || !fromLoopback(r) || p.closedToLocals() {
		unauthorized(w)
		return
	}
	grant, err := p.exchange(r.Context(), r.URL.Query().Get("token"))
	if err != nil {
		p.log.printf("Could not claim the server: %v", err)
		unauthorized(w)
		return
	}
	err = p.change(func(prefs *preferences) {
		prefs.set(keyToken, grant.Token)
		prefs.set(keyUsername, grant.Username)
		prefs.set(keyMail, grant.Email)
	})
	if err != nil {
		html(w, http.StatusInternalServerError, "500 Internal Server Error")
		return
	}
	p.event(EventClaimed, nil)
	p.fillLater()
	answer(w, r, p.accountDocument())
}

// signOut answers DELETE /myplex/account.
func (p *process) signOut(w http.ResponseWriter, r *http.Request) {
	p.claim.Lock()
	defer p.claim.Unlock()
	if token := p.value(keyToken); token != "" {
		if err := p.change(p.forgetAccount); err != nil {
			html(w, http.StatusInternalServerError, "500 Internal Server Error")
			return
		}
		p.event(EventSignedOut, nil)
		p.leaveAccount(r.Context(), token)
	}
	answer(w, r, p.accountDocument())
}

func (p *process) forgetAccount(prefs *preferences) {
	if p.config.BlankAtSignOut {
		prefs.set(keyToken, "")
		prefs.remove(keyHome, keyMail, keyUsername)
		return
	}
	prefs.remove(keyHome, keyMail, keyToken, keyUsername)
}

func unauthorized(w http.ResponseWriter) {
	html(w, http.StatusUnauthorized, "401 Unauthorized")
}
