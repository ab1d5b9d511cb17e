package plexsim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Device is a device that plex.tv knows: a media server, or something that plays.
type Device struct {
	ID       string `json:"id"`
	ClientID string `json:"client_id"`
	Name     string `json:"name"`
	Account  string `json:"account"` // user name
	Product  string `json:"product"`
	Provides string `json:"provides"`
	Token    string `json:"token"` // the newest; earlier ones may be valid too

	// listed says whether resources show it, from listedAt on.
	listed   bool
	listedAt time.Time
}

// share lets another account use a server.
type share struct{ clientID, username string }

// RegisterServer makes an account own a server, as an exchange does, and returns
// the device with its token.
func (t *PlexTV) RegisterServer(username, clientID, name string) (Device, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	account := t.account(username)
	if account == nil {
		return Device{}, fmt.Errorf("%w: %s", ErrUnknownAccount, username)
	}
	return *t.register(account, clientID, name), nil
}

// Share lets an account use a server that another one owns: the server then is
// among its resources, but not owned.
func (t *PlexTV) Share(clientID, username string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shares = append(t.shares, share{clientID, username})
}

// Devices are all devices of all accounts.
func (t *PlexTV) Devices() []Device {
	t.mu.Lock()
	defer t.mu.Unlock()
	devices := make([]Device, 0, len(t.devices))
	for _, d := range t.devices {
		devices = append(devices, *d)
	}
	return devices
}

// register issues a token for a server. The same server of the same account keeps
// its device and its id (facts 3.3); another account's claim takes it over.
func (t *PlexTV) register(account *Account, clientID, name string) *Device {
	found := t.serverOf(account, clientID)
	if found == nil {
		found = &Device{ID: t.nextID(), ClientID: clientID, Account: account.Username,
			Product: ServerName, Provides: "server"}
		t.devices = append(t.devices, found)
	} else if t.options.RevokeOnExchange {
		t.revokeDevice(found)
	}
	for _, other := range t.devices {
		if other.ClientID == clientID && other != found {
			other.listed = false // a server has one owner
		}
	}
	if !found.listed {
		found.listed, found.listedAt = true, t.now().Add(t.options.ListingDelay)
	}
	found.Name, found.Token = name, newToken()
	t.tokens[found.Token] = &holder{account: account, device: found}
	return found
}

func (t *PlexTV) serverOf(account *Account, clientID string) *Device {
	for _, d := range t.devices {
		if d.ClientID == clientID && d.Account == account.Username {
			return d
		}
	}
	return nil
}

// revokeDevice revokes every token that was ever issued to a device.
func (t *PlexTV) revokeDevice(d *Device) {
	for token, holder := range t.tokens {
		if holder.device == d {
			delete(t.tokens, token)
		}
	}
}

// signOut answers a server that leaves its account.
func (t *PlexTV) signOut(w http.ResponseWriter, r *http.Request) {
	holder := t.user(w, r)
	if holder == nil {
		return
	}
	if holder.device != nil {
		holder.device.listed = false
	}
	if t.options.RevokeOnSignOut {
		delete(t.tokens, tokenOf(r))
	}
	w.WriteHeader(http.StatusNoContent)
}

// serveDevices answers GET /devices.xml, which shows tokens (facts 2.5).
func (t *PlexTV) serveDevices(w http.ResponseWriter, r *http.Request) {
	type entry struct {
		Name     string `xml:"name,attr"`
		Product  string `xml:"product,attr"`
		Provides string `xml:"provides,attr"`
		ClientID string `xml:"clientIdentifier,attr"`
		ID       string `xml:"id,attr"`
		Token    string `xml:"token,attr"`
	}
	type container struct {
		XMLName struct{} `xml:"MediaContainer"`
		Device  []entry
	}
	holder := t.user(w, r)
	if holder == nil {
		return
	}
	var list container
	for _, d := range t.devices {
		if d.Account == holder.account.Username {
			list.Device = append(list.Device, entry{d.Name, d.Product, d.Provides, d.ClientID, d.ID, d.Token})
		}
	}
	sendXML(w, http.StatusOK, list)
}

// deleteDevice answers DELETE /devices/{id}.xml: the device goes, and every token
// that was issued to it (facts 2.5).
func (t *PlexTV) deleteDevice(w http.ResponseWriter, r *http.Request) {
	holder := t.user(w, r)
	if holder == nil {
		return
	}
	id, isXML := strings.CutSuffix(r.PathValue("file"), ".xml")
	at := slices.IndexFunc(t.devices, func(d *Device) bool {
		return isXML && d.ID == id && d.Account == holder.account.Username
	})
	if at < 0 {
		refuse(w, r, http.StatusNotFound, "Device not found")
		return
	}
	t.revokeDevice(t.devices[at])
	t.devices = slices.Delete(t.devices, at, at+1)
	w.WriteHeader(http.StatusNoContent)
}
