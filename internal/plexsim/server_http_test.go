package plexsim_test

import (
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

func TestIdentityNeedsNoTokenAndSaysWhetherTheServerIsClaimed(t *testing.T) {
	for name, test := range map[string]struct{ token, inXML, inJSON string }{
		"unclaimed": {"", `claimed="0"`, `"claimed":false`},
		"claimed":   {"someToken", `claimed="1"`, `"claimed":true`},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDen(t, test.token)
			d.start()
			call(t, "GET", d.URL()+"/identity").want(t, 200,
				"<MediaContainer", `size="0"`, `apiVersion="`, `version="`, `machineIdentifier="`+d.id.Processed+`"`, test.inXML)
			call(t, "GET", d.URL()+"/identity", "Accept: application/json").want(t, 200,
				`{"MediaContainer":{`, `"size":0`, `"machineIdentifier":"`+d.id.Processed+`"`, test.inJSON)
		})
	}
}

func TestEmptyTokenIsNoToken(t *testing.T) {
	d := newDen(t, "")
	d.writeFile([]byte(strings.Replace(d.file(), "<Preferences ", `<Preferences PlexOnlineToken="" `, 1)))
	d.start()
	call(t, "GET", d.URL()+"/identity").want(t, 200, `claimed="0"`)
}

func TestOldServerHasNoClaimedAttribute(t *testing.T) {
	d := newDen(t, "someToken", func(c *plexsim.Config) { c.NoClaimedAttribute = true })
	d.start()
	for _, accept := range []string{"application/xml", "application/json"} {
		got := call(t, "GET", d.URL()+"/identity", "Accept: "+accept)
		got.want(t, 200, d.id.Processed)
		if strings.Contains(got.body, "claimed") {
			t.Errorf("%s: %s", accept, got.body)
		}
	}
}

func TestRootSaysWhoTheServerBelongsTo(t *testing.T) {
	unclaimed := newDen(t, "")
	unclaimed.start()
	got := call(t, "GET", unclaimed.URL()+"/")
	got.want(t, 200, `friendlyName="Den &amp; &#34;attic&#34; — café"`, `myPlex="1"`,
		`myPlexMappingState="unknown"`, `myPlexSigninState="none"`, unclaimed.id.Processed)
	if strings.Contains(got.body, "myPlexUsername") {
		t.Errorf("an unclaimed server names a user: %s", got.body)
	}
	claimed := newDen(t, "someToken")
	claimed.start()
	call(t, "GET", claimed.URL()+"/", "X-Plex-Token: someToken").want(t, 200, `myPlex="1"`,
		`myPlexMappingState="mapped"`, `myPlexSigninState="ok"`, `myPlexUsername="owner@example.com"`)
}

func TestClaimedServerAdmitsItsOwnerOnly(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	d := newDen(t, "", at(tv))
	token := d.bind(tv, simtest.Owner)
	d.start()
	for name, test := range map[string]struct {
		token  string
		status int
	}{
		"no token":         {"", 401},
		"its own token":    {token, 200},
		"owner's account":  {simtest.Owner.Token, 200},
		"another account":  {simtest.Stranger.Token, 401},
		"token of no one":  {"noSuchToken", 401},
		"part of a token":  {token[:10], 401},
		"token in capital": {strings.ToUpper(token) + "X", 401},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/", "/:/prefs", "/myplex/account"} {
				call(t, "GET", d.URL()+path, "X-Plex-Token: "+test.token).want(t, test.status)
			}
			call(t, "GET", d.URL()+"/?X-Plex-Token="+test.token).want(t, test.status)
		})
	}
}

func TestServerWhoseTokenWasRevokedForbidsItsOwner(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	d := newDen(t, "", at(tv))
	tv.RevokeToken(d.bind(tv, simtest.Owner))
	d.start()
	call(t, "GET", d.URL()+"/identity").want(t, 200, `claimed="1"`)
	call(t, "GET", d.URL()+"/", "X-Plex-Token: "+simtest.Owner.Token).want(t, 403)
}

func TestUnclaimedServerAdmitsLoopbackOnly(t *testing.T) {
	d := newDen(t, "")
	d.start()
	for path, elsewhere := range map[string]int{"/identity": 200, "/": 401, "/:/prefs": 401} {
		call(t, "GET", d.URL()+path).want(t, 200)
		recorder := httptest.NewRecorder()
		d.Handler().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), "GET", path, nil)) // from 192.0.2.1
		if recorder.Code != elsewhere {
			t.Errorf("%s from elsewhere: got %d, want %d", path, recorder.Code, elsewhere)
		}
	}
}

func TestSettingsLeaveOutWhatTheRealServerLeavesOut(t *testing.T) {
	d := newDen(t, "someToken")
	d.start()
	for _, accept := range []string{"application/xml", "application/json"} {
		got := call(t, "GET", d.URL()+"/:/prefs", "X-Plex-Token: someToken", "Accept: "+accept)
		got.want(t, 200, "FriendlyName", "PlexOnlineMail", "MachineIdentifier", "AcceptedEULA", "CertificateUUID")
		for _, secret := range []string{"someToken", `"PlexOnlineToken"`, "PlexOnlineUsername", "PlexOnlineHome", "ProcessedMachineIdentifier"} {
			if strings.Contains(got.body, secret) {
				t.Errorf("%s: the answer holds %s", accept, secret)
			}
		}
	}
}

func TestChangedSettingIsWritten(t *testing.T) {
	d := newDen(t, "someToken")
	d.start()
	call(t, "PUT", d.URL()+"/:/prefs?OnDeckWindow=4&NewOne=x%26y&PlexOnlineToken=evil", "X-Plex-Token: someToken").want(t, 200)
	d.wantAttribute("OnDeckWindow", "4")
	d.wantAttribute("NewOne", "x&y")
	d.wantAttribute("PlexOnlineToken", "someToken")
}

func TestTokensAreNotLogged(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	d := newDen(t, "", at(tv))
	d.start()
	claim, err := tv.MintClaim("owner")
	must(t, err)
	tv.Fail(plexsim.Fault{Kind: plexsim.FaultLost, PathPrefix: "/api/claim/exchange"})
	call(t, "POST", d.URL()+"/myplex/claim?token="+claim).want(t, 401)
	if log := d.log(); !strings.Contains(log, "Could not claim") || strings.Contains(log, claim) {
		t.Errorf("log: %s", log)
	}
}

// bind makes an account own the server before it starts, and returns its token.
func (d *den) bind(tv *simtest.PlexTV, account plexsim.Account) string {
	d.t.Helper()
	device, err := tv.RegisterServer(account.Username, d.id.Processed, "Den")
	must(d.t, err)
	must(d.t, os.WriteFile(d.config.PreferencesPath(), simtest.Preferences(d.id, account, device.Token), 0o600))
	return device.Token
}
