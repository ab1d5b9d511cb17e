package plexsim

import (
	"fmt"
	"net/http"
)

// MintClaim mints a claim token as the account's owner would do in a browser.
func (t *PlexTV) MintClaim(username string) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	account := t.account(username)
	if account == nil {
		return "", fmt.Errorf("%w: %s", ErrUnknownAccount, username)
	}
	return t.mint(account), nil
}

func (t *PlexTV) mint(account *Account) string {
	token := "claim-" + newToken()
	t.claims[token] = &claimToken{account: account, minted: t.now()}
	return token
}

// mintJSON answers the JSON forms of facts 2.2.
func (t *PlexTV) mintJSON(w http.ResponseWriter, r *http.Request) {
	holder := t.tokens[tokenOf(r)]
	if holder == nil {
		sendJSON(w, http.StatusUnauthorized, map[string]string{"error": "Invalid authentication token."})
		return
	}
	sendJSON(w, http.StatusOK, map[string]string{"token": t.mint(holder.account)})
}

func (t *PlexTV) mintXML(w http.ResponseWriter, r *http.Request) {
	holder := t.user(w, r)
	if holder == nil {
		return
	}
	type container struct {
		XMLName struct{} `xml:"MediaContainer"`
		Token   string   `xml:"token,attr"`
	}
	sendXML(w, http.StatusOK, container{Token: t.mint(holder.account)})
}

// exchange answers POST /api/claim/exchange. The token is consumed before anything
// else happens: a client that never hears the answer has lost it (facts 2.3).
func (t *PlexTV) exchange(w http.ResponseWriter, r *http.Request) {
	clientID := r.Header.Get("X-Plex-Client-Identifier")
	if clientID == "" {
		refuse(w, r, http.StatusBadRequest, "X-Plex-Client-Identifier is missing")
		return
	}
	claim := t.claims[r.URL.Query().Get("token")]
	if claim == nil || claim.used || t.now().Sub(claim.minted) >= ClaimLifetime {
		refuse(w, r, t.options.ExchangeRefusal, "Invalid claim token")
		return
	}
	claim.used = true
	device := t.register(claim.account, clientID, firstOf(r.Header.Get("X-Plex-Device-Name"), "PlexMediaServer"))
	sendXML(w, http.StatusOK, exchangeAnswer{
		Token:    device.Token,
		Username: claim.account.Username,
		Email:    claim.account.Email,
	})
}

// exchangeAnswer: which elements there are is known, their root and company are
// not (facts 2.3).
type exchangeAnswer struct {
	XMLName  struct{} `xml:"response"`
	Token    string   `xml:"authentication-token"`
	Username string   `xml:"username"`
	Email    string   `xml:"email"`
}
