package plexsim

import (
	"maps"
	"net/http"
	"slices"
)

// user answers GET /api/v2/user. It holds the token that the question came with.
type user struct {
	XMLName   struct{} `xml:"user" json:"-"`
	Username  string   `xml:"username,attr" json:"username"`
	Title     string   `xml:"title,attr" json:"title"`
	Email     string   `xml:"email,attr" json:"email"`
	Home      bit      `xml:"home,attr" json:"home"`
	AuthToken string   `xml:"authToken,attr" json:"authToken"`
}

func (t *PlexTV) serveUser(w http.ResponseWriter, r *http.Request) {
	holder := t.user(w, r)
	if holder == nil {
		return
	}
	a := holder.account
	u := user{Username: a.Username, Title: a.Username, Email: a.Email, Home: bit(a.Home), AuthToken: tokenOf(r)}
	if wantsJSON(r) {
		sendJSON(w, http.StatusOK, u)
		return
	}
	sendXML(w, http.StatusOK, u)
}

// resource is one entry of GET /api/v2/resources (facts 2.6).
type resource struct {
	Name             string   `xml:"name,attr" json:"name"`
	Product          string   `xml:"product,attr" json:"product"`
	ClientIdentifier string   `xml:"clientIdentifier,attr" json:"clientIdentifier"`
	Provides         string   `xml:"provides,attr" json:"provides"`
	Owned            bit      `xml:"owned,attr" json:"owned"`
	AccessToken      string   `xml:"accessToken,attr" json:"accessToken"`
	Connections      struct{} `xml:"connections" json:"-"`
	ConnectionList   []string `xml:"-" json:"connections"`
}

func (t *PlexTV) serveResources(w http.ResponseWriter, r *http.Request) {
	holder := t.user(w, r)
	if holder == nil {
		return
	}
	list := []resource{}
	for _, d := range t.devices {
		owned := d.Account == holder.account.Username
		if t.isListed(d) && (owned || t.isShared(d, holder.account)) {
			list = append(list, resource{Name: d.Name, Product: d.Product, ClientIdentifier: d.ClientID,
				Provides: d.Provides, Owned: bit(owned), AccessToken: d.Token, ConnectionList: []string{}})
		}
	}
	if wantsJSON(r) {
		sendJSON(w, http.StatusOK, list)
		return
	}
	sendXML(w, http.StatusOK, struct {
		XMLName  struct{}   `xml:"resources"`
		Resource []resource `xml:"resource"`
	}{Resource: list})
}

func (t *PlexTV) isListed(d *Device) bool {
	_, valid := t.tokens[d.Token]
	return d.listed && !t.now().Before(d.listedAt) && (valid || t.options.ListRevoked)
}

func (t *PlexTV) isShared(d *Device, with *Account) bool {
	return d.Provides == "server" && slices.Contains(t.shares, share{d.ClientID, with.Username})
}

// Tokens are all that plex.tv has given out and that are worth something: those of
// accounts, devices and servers; and all claim tokens, also what they were.
func (t *PlexTV) Tokens() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append(slices.Collect(maps.Keys(t.tokens)), slices.Collect(maps.Keys(t.claims))...)
}
