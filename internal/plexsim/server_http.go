package plexsim

import (
	"fmt"
	"net"
	"net/http"
	"os"
)

const apiVersion = "1.1.1"

// identity answers GET /identity (facts 2.6).
type identity struct {
	XMLName           struct{} `xml:"MediaContainer" json:"-"`
	Size              int      `xml:"size,attr" json:"size"`
	APIVersion        string   `xml:"apiVersion,attr" json:"apiVersion"`
	Claimed           *bit     `xml:"claimed,attr,omitempty" json:"claimed,omitempty"`
	MachineIdentifier string   `xml:"machineIdentifier,attr" json:"machineIdentifier"`
	Version           string   `xml:"version,attr" json:"version"`
}

// capabilities answers GET / (facts 2.6). MyPlex is true whether or not the server
// is claimed, which has misled more than one tool.
type capabilities struct {
	XMLName            struct{} `xml:"MediaContainer" json:"-"`
	Size               int      `xml:"size,attr" json:"size"`
	APIVersion         string   `xml:"apiVersion,attr" json:"apiVersion"`
	Claimed            *bit     `xml:"claimed,attr,omitempty" json:"claimed,omitempty"`
	FriendlyName       string   `xml:"friendlyName,attr" json:"friendlyName"`
	MachineIdentifier  string   `xml:"machineIdentifier,attr" json:"machineIdentifier"`
	MyPlex             bit      `xml:"myPlex,attr" json:"myPlex"`
	MyPlexMappingState string   `xml:"myPlexMappingState,attr" json:"myPlexMappingState"`
	MyPlexSigninState  string   `xml:"myPlexSigninState,attr" json:"myPlexSigninState"`
	MyPlexUsername     string   `xml:"myPlexUsername,attr,omitempty" json:"myPlexUsername,omitempty"`
	Version            string   `xml:"version,attr" json:"version"`
}

func (p *process) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /identity", p.serveIdentity)
	mux.HandleFunc("GET /{$}", p.authorised(p.serveCapabilities))
	mux.HandleFunc("GET /:/prefs", p.authorised(p.serveSettings))
	mux.HandleFunc("PUT /:/prefs", p.authorised(p.changeSettings))
	mux.HandleFunc("POST /myplex/claim", p.serveClaim)
	mux.HandleFunc("GET /myplex/account", p.authorised(p.serveAccount))
	mux.HandleFunc("DELETE /myplex/account", p.authorised(p.signOut))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.inMaintenance() {
			// Facts 2.4: the body is what tools look for; /identity is no exception.
			html(w, http.StatusServiceUnavailable, "Plex Media Server is currently running startup maintenance tasks.")
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (p *process) serveIdentity(w http.ResponseWriter, r *http.Request) {
	answer(w, r, identity{
		APIVersion:        apiVersion,
		Claimed:           p.claimedAttribute(),
		MachineIdentifier: p.identifier(),
		Version:           p.config.Version,
	})
}

func (p *process) serveCapabilities(w http.ResponseWriter, r *http.Request) {
	c := capabilities{
		APIVersion:         apiVersion,
		Claimed:            p.claimedAttribute(),
		FriendlyName:       firstOf(p.value("FriendlyName"), hostname()),
		MachineIdentifier:  p.identifier(),
		MyPlex:             true,
		MyPlexMappingState: "unknown",
		MyPlexSigninState:  "none",
		Version:            p.config.Version,
	}
	if p.claimed() {
		c.MyPlexMappingState, c.MyPlexSigninState = "mapped", "ok"
		c.MyPlexUsername = firstOf(p.value(keyMail), p.value(keyUsername))
	}
	answer(w, r, c)
}

// claimed: an empty token is no token (facts 3.2).
func (p *process) claimed() bool { return p.value(keyToken) != "" }

func (p *process) claimedAttribute() *bit {
	if p.config.NoClaimedAttribute {
		return nil
	}
	claimed := bit(p.claimed())
	return &claimed
}

// identifier is what HTTP shows as machineIdentifier.
func (p *process) identifier() string {
	return firstOf(p.config.Identity, p.value(keyProcessed))
}

// authorised lets through who facts 2.7 let through: on an unclaimed server anyone
// who calls over loopback, on a claimed one its owner.
func (p *process) authorised(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		status := http.StatusOK
		switch {
		case p.claimed():
			status = p.admits(tokenOf(r))
		case !fromLoopback(r) || p.closedToLocals():
			status = http.StatusUnauthorized
		}
		if status != http.StatusOK {
			html(w, status, fmt.Sprintf("%d %s", status, http.StatusText(status)))
			return
		}
		next(w, r)
	}
}

// closedToLocals is the policy that RefuseClaim stands for, and its way out.
func (p *process) closedToLocals() bool {
	return p.config.RefuseClaim && p.value("enableLocalSecurity") != "0"
}

func fromLoopback(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func tokenOf(r *http.Request) string {
	return firstOf(r.Header.Get("X-Plex-Token"), r.URL.Query().Get("X-Plex-Token"))
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "server"
	}
	return name
}
