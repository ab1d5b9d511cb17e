package plextv_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plextv"
)

func devices(elements ...string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><MediaContainer publicAddress="2.2.2.2">` + strings.Join(elements, "") + `</MediaContainer>`
}

const (
	thisServer  = `<Device name="den" provides="server" clientIdentifier="` + machine + `" id="42" token="` + grantedToken + `"><Connection uri="http://10.0.0.2:32400"/></Device>`
	asPlayer    = `<Device provides="player,controller" clientIdentifier="` + machine + `" id="43"/>`
	otherServer = `<Device provides="server" clientIdentifier="fedcba9876543210fedcba9876543210fedcba98" id="44"/>`
	longerName  = `<Device provides="server" clientIdentifier="` + machine + `0" id="45"/>`
)

func TestDeviceFindsTheServerAndNothingElse(t *testing.T) {
	for name, tt := range map[string]struct {
		list  string
		id    string
		found bool
	}{
		"among others":    {devices(asPlayer, otherServer, thisServer, longerName), "42", true},
		"not there":       {devices(asPlayer, otherServer, longerName), "", false},
		"nothing at all":  {devices(), "", false},
		"one of its jobs": {devices(`<Device provides="client, server" clientIdentifier="` + machine + `" id="7"/>`), "7", true},
	} {
		t.Run(name, func(t *testing.T) {
			client, requests := plexTV(t, say(200, tt.list))
			id, found, err := client.Device(t.Context(), machine)
			if id != tt.id || found != tt.found || err != nil {
				t.Errorf("%q, %v, %v", id, found, err)
			}
			req := requests.seen()[0]
			if got := req.Method + " " + req.URL.String() + " " + req.Header.Get("Accept"); got != "GET /devices.xml application/xml" {
				t.Errorf("asked %s", got)
			}
		})
	}
}

func TestAnAnswerThatIsNoListOfDevicesIsUnexpected(t *testing.T) {
	whole := devices(thisServer)
	for name, answer := range map[string]http.HandlerFunc{
		"several":        say(200, devices(thisServer, thisServer)),
		"no id":          say(200, devices(`<Device provides="server" clientIdentifier="`+machine+`"/>`)),
		"a path as id":   say(200, devices(`<Device provides="server" clientIdentifier="`+machine+`" id="../users/1"/>`)),
		"another root":   say(200, `<html/>`),
		"not XML":        say(200, `{}`),
		"half":           say(200, whole[:len(whole)-5]),
		"cut off":        cutOff(whole[:len(whole)-5]),
		"nothing":        say(200, ``),
		"huge":           say(200, devices(thisServer, strings.Repeat(" ", 16<<20))),
		"token as a tag": say(200, `<MediaContainer><`+accountToken+`></x></MediaContainer>`),
	} {
		t.Run(name, func(t *testing.T) {
			client, _ := plexTV(t, answer)
			id, found, err := client.Device(t.Context(), machine)
			wantError(t, err, plextv.ErrUnexpected)
			wantText(t, err, "/devices.xml")
			if id != "" || found {
				t.Errorf("found %q all the same", id)
			}
		})
	}
}

func TestRemoveDeviceRemovesItOrFindsItGone(t *testing.T) {
	for _, status := range []int{200, 204, 404} {
		client, requests := plexTV(t, say(503, ""), say(status, ""))
		if err := client.RemoveDevice(t.Context(), "42"); err != nil {
			t.Errorf("%d: %v", status, err)
		}
		req := requests.seen()[len(requests.seen())-1]
		if got := req.Method + " " + req.URL.String(); got != "DELETE /devices/42.xml" {
			t.Errorf("asked %s", got)
		}
	}
}

func TestWhatIsGoneCountsOnlyForRemoval(t *testing.T) {
	client, _ := plexTV(t, say(404, devices()))
	_, _, err := client.Device(t.Context(), machine)
	wantError(t, err, plextv.ErrUnexpected)
}

func TestDevicesAreNotAskedForWithWhatIsNoIdentifier(t *testing.T) {
	client, requests := plexTV(t, say(200, devices(`<Device provides="server" clientIdentifier="" id="42"/>`)))
	for _, id := range []string{"", "../user", "4 2", "42?S3cret"} {
		wantError(t, client.RemoveDevice(t.Context(), id), plextv.ErrInvalid)
	}
	_, _, err := client.Device(t.Context(), "")
	wantError(t, err, plextv.ErrInvalid)
	if n := len(requests.seen()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}
