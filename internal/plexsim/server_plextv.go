package plexsim

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// plexTVTimeout is how long the server waits for plex.tv.
const plexTVTimeout = 15 * time.Second

// grant is what an exchanged claim token buys.
type grant struct {
	Token    string `xml:"authentication-token"`
	Username string `xml:"username"`
	Email    string `xml:"email"`
}

// exchange turns a claim token into a token of this server.
func (p *process) exchange(ctx context.Context, claimToken string) (grant, error) {
	var g grant
	query := url.Values{"token": {claimToken}}.Encode()
	status, err := p.ask(ctx, http.MethodPost, "/api/claim/exchange?"+query, "", &g)
	if err != nil {
		return g, err
	}
	if status != http.StatusOK || g.Token == "" {
		return g, fmt.Errorf("plex.tv answered %d", status)
	}
	return g, nil
}

// plexUser is the part of GET /api/v2/user that the server uses.
type plexUser struct {
	Username string `xml:"username,attr"`
	Email    string `xml:"email,attr"`
	Home     string `xml:"home,attr"`
}

// whoIs asks plex.tv whose token this is. The status is 0 if it did not answer.
func (p *process) whoIs(ctx context.Context, token string) (plexUser, int) {
	var user plexUser
	status, err := p.ask(ctx, http.MethodGet, "/api/v2/user", token, &user)
	if err != nil {
		return user, 0
	}
	return user, status
}

// fillLater completes the keys in the background.
func (p *process) fillLater() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.http != nil { // else the process is on its way out, and would not wait
		p.background(p.fill)
	}
}

// fill completes the keys of the binding from its token, as the real server does
// some time after it was given nothing else (facts 2.3). If plex.tv does not
// answer, or refuses the token, what is there stays.
func (p *process) fill(ctx context.Context) {
	token := p.value(keyToken)
	if token == "" {
		return
	}
	user, status := p.whoIs(ctx, token)
	if status != http.StatusOK {
		p.log.printf("plex.tv does not know this server's account (status %d).", status)
		return
	}
	changed := false
	p.mu.Lock()
	if p.prefs.get(keyToken) == token { // else it was signed out meanwhile
		changed = p.prefs.set(keyUsername, user.Username)
		changed = p.prefs.set(keyMail, user.Email) || changed
		if user.Home == "1" {
			// Facts 3.2: the key may be missing for good.
			changed = p.prefs.set(keyHome, "1") || changed
		}
	}
	p.mu.Unlock()
	if !changed {
		return
	}
	if err := p.write(); err != nil {
		return
	}
	p.event(EventFilled, nil)
}

// admits is the status that a claimed server answers a token with: 200 for its own
// and for its owner's. A server whose own token plex.tv refuses cannot tell its
// owner from a stranger, and answers 403 (facts 2.6, revoked).
func (p *process) admits(token string) int {
	own := p.value(keyToken)
	if token == "" {
		return http.StatusUnauthorized
	}
	if token == own {
		return http.StatusOK
	}
	ctx, cancel := context.WithTimeout(p.life, plexTVTimeout)
	defer cancel()
	visitor, status := p.whoIs(ctx, token)
	if status != http.StatusOK {
		return http.StatusUnauthorized
	}
	owner, status := p.whoIs(ctx, own)
	switch {
	case status == http.StatusUnauthorized:
		return http.StatusForbidden
	case status != http.StatusOK || owner.Username != visitor.Username:
		return http.StatusUnauthorized
	}
	return http.StatusOK
}

// leaveAccount tells plex.tv that the server belongs to nobody now: a sign-out
// removes it from the account (facts 2.5), which a removal of the keys does not.
// Whether plex.tv hears of it changes nothing here.
func (p *process) leaveAccount(ctx context.Context, token string) {
	if _, err := p.ask(ctx, http.MethodDelete, "/api/v2/users/signout", token, nil); err != nil {
		p.log.printf("Could not sign out at plex.tv.")
	}
}

// ask sends one request to plex.tv as this server, and reads a 200 into result.
// Its errors hold no URL, since a claim token travels in the query (facts 2.4).
func (p *process) ask(ctx context.Context, method, path, token string, result any) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, plexTVTimeout)
	defer cancel()
	defer context.AfterFunc(p.life, cancel)()
	request, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(p.config.PlexTVURL, "/")+path, nil)
	if err != nil {
		return 0, errors.New("plex.tv's address is not valid")
	}
	request.Header.Set("Accept", "application/xml")
	request.Header.Set("X-Plex-Client-Identifier", p.value(keyProcessed))
	request.Header.Set("X-Plex-Product", ServerName)
	request.Header.Set("X-Plex-Provides", "server")
	request.Header.Set("X-Plex-Version", p.config.Version)
	request.Header.Set("X-Plex-Device-Name", firstOf(p.value("FriendlyName"), hostname()))
	if token != "" {
		request.Header.Set("X-Plex-Token", token)
	}
	response, err := plexTVClient.Do(request)
	if err != nil {
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	if response.StatusCode == http.StatusOK && result != nil {
		if err := xml.Unmarshal(body, result); err != nil {
			return 0, fmt.Errorf("plex.tv's answer: %w", err)
		}
	}
	return response.StatusCode, nil
}

// plexTVClient keeps no connection open: a process that ends leaves none behind.
var plexTVClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true, Proxy: http.ProxyFromEnvironment}}
