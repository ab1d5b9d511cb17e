package plextv

import (
	"context"
	"encoding/xml"
	"net/http"
	"regexp"
)

var deviceID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Device finds the entry of a server among the account's authorised devices
// (plex-facts 2.5). The same identifier on something that is no server does not
// count. It is found first and removed later, so that a destroy can fail before
// it stops anything.
//
// Errors: as MintClaimToken. Several entries for one server are ErrUnexpected,
// since the wrong one might be removed.
func (c *Client) Device(ctx context.Context, machineIdentifier string) (id string, found bool, err error) {
	what, err := c.forAccount(call{
		step:   "find the server among the account's devices",
		method: http.MethodGet,
		path:   []string{"devices.xml"},
		header: map[string]string{"Accept": "application/xml"},
		limit:  listAnswer,
	})
	if err != nil {
		return "", false, err
	}
	if !machineID.MatchString(machineIdentifier) {
		return "", false, &failure{step: what.step, kinds: []error{ErrInvalid},
			detail: "the server's machine identifier is empty or malformed"}
	}
	body, _, err := c.do(ctx, what)
	if err != nil {
		return "", false, err
	}
	var list struct {
		XMLName xml.Name `xml:"MediaContainer"`
		Devices []struct {
			ID               string `xml:"id,attr"`
			ClientIdentifier string `xml:"clientIdentifier,attr"`
			Provides         string `xml:"provides,attr"`
		} `xml:"Device"` // its token attribute is not read
	}
	if xml.Unmarshal(body, &list) != nil {
		return "", false, c.unexpected(what, "the answer is not a list of devices, or is cut off")
	}
	for _, device := range list.Devices {
		if device.ClientIdentifier != machineIdentifier || !providesServer(device.Provides) {
			continue
		}
		if found {
			return "", false, c.unexpected(what, "several devices have the server's identifier: remove the wrong one in Plex, Settings, Authorized Devices")
		}
		id, found = device.ID, true
	}
	if found && !deviceID.MatchString(id) {
		return "", false, c.unexpected(what, "the server's device has no usable id")
	}
	return id, found, nil
}

// RemoveDevice removes an entry that Device found, which takes the server off
// the account and, as far as is known, revokes its token (plex-facts 2.5). An
// entry that is gone already is no error.
//
// Errors: as MintClaimToken.
func (c *Client) RemoveDevice(ctx context.Context, id string) error {
	what, err := c.forAccount(call{
		step:   "remove the server from the account's devices",
		method: http.MethodDelete,
		path:   []string{"devices", id + ".xml"},
		header: map[string]string{"Accept": "application/xml"},
		limit:  smallAnswer,
		gone:   true,
	})
	if err != nil {
		return err
	}
	if !deviceID.MatchString(id) {
		return &failure{step: what.step, kinds: []error{ErrInvalid}, detail: "the device id is empty or malformed"}
	}
	_, _, err = c.do(ctx, what)
	return err
}
