package plexsim_test

import (
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

func mint(t *testing.T, tv *simtest.PlexTV, username string) string {
	t.Helper()
	token, err := tv.MintClaim(username)
	must(t, err)
	return token
}

func TestClaimBindsTheServer(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	d := newDen(t, "", at(tv))
	before := len(d.attributes())
	d.start()
	call(t, "POST", d.URL()+"/myplex/claim?token="+mint(t, tv, "owner")).want(t, 200,
		"<MyPlex", `signInState="ok"`, `mappingState="mapped"`, `username="owner@example.com"`)
	call(t, "GET", d.URL()+"/identity").want(t, 200, `claimed="1"`, d.id.Processed)
	d.waitEvent(plexsim.EventFilled)
	token, _ := d.attribute("PlexOnlineToken")
	d.wantAttribute("PlexOnlineUsername", "owner")
	d.wantAttribute("PlexOnlineMail", "owner@example.com")
	d.wantAttribute("PlexOnlineHome", "1")
	if got := len(d.attributes()); got != before+4 {
		t.Errorf("%d attributes, want %d", got, before+4)
	}
	if server := serverOf(tv, d.id.Processed); server.Token != token || server.Account != "owner" {
		t.Errorf("plex.tv has %+v", server)
	}
	if d.events(plexsim.EventClaimed) != 1 {
		t.Error("no event")
	}
}

func serverOf(tv *simtest.PlexTV, clientID string) plexsim.Device {
	devices := tv.Devices()
	at := slices.IndexFunc(devices, func(d plexsim.Device) bool { return d.ClientID == clientID })
	if at < 0 {
		return plexsim.Device{}
	}
	return devices[at]
}

func TestClaimIsRefusedWithoutSayingWhy(t *testing.T) {
	for name, test := range map[string]struct {
		token     string // of the server before
		configure func(*plexsim.Config)
		fault     plexsim.Fault
		age       time.Duration // of the claim token
	}{
		"claimed already":   {token: "someToken"},
		"local policy":      {configure: func(c *plexsim.Config) { c.RefuseClaim = true }},
		"expired":           {age: plexsim.ClaimLifetime},
		"plex.tv is gone":   {configure: func(c *plexsim.Config) { c.PlexTVURL = "http://127.0.0.1:1" }},
		"plex.tv is broken": {fault: plexsim.Fault{PathPrefix: "/api/claim/exchange", Status: 500}},
		"answer is cut off": {fault: plexsim.Fault{PathPrefix: "/api/claim/exchange", Kind: plexsim.FaultCutOff}},
		"answer is no XML":  {fault: plexsim.Fault{PathPrefix: "/api/claim/exchange", Kind: plexsim.FaultGarbage}},
	} {
		t.Run(name, func(t *testing.T) {
			tv := simtest.NewPlexTV(t)
			if test.fault.PathPrefix != "" {
				tv.Fail(test.fault)
			}
			d := newDen(t, test.token, at(tv))
			if test.configure != nil {
				d.Configure(test.configure)
			}
			before := d.file()
			d.start()
			claim := mint(t, tv, "owner")
			tv.SetClockOffset(test.age)
			got := call(t, "POST", d.URL()+"/myplex/claim?token="+claim)
			got.want(t, 401, "<html>", "401 Unauthorized")
			if d.file() != before || d.events(plexsim.EventClaimed) != 0 {
				t.Error("a refused claim changed the preferences")
			}
		})
	}
}

func TestClaimFromElsewhereIsRefusedAndSpendsNoToken(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	d := newDen(t, "", at(tv))
	d.start()
	claim := mint(t, tv, "owner")
	recorder := httptest.NewRecorder()
	d.Handler().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), "POST", "/myplex/claim?token="+claim, nil))
	if recorder.Code != 401 || len(tv.RequestsTo("POST", "/api/claim/exchange")) != 0 {
		t.Errorf("got %d", recorder.Code)
	}
	call(t, "POST", d.URL()+"/myplex/claim?token="+claim).want(t, 200)
}

func TestLocalPolicyClosesAllButIdentityAndHasAWayOut(t *testing.T) {
	d := newDen(t, "", func(c *plexsim.Config) { c.RefuseClaim = true })
	d.start()
	call(t, "GET", d.URL()+"/identity").want(t, 200)
	call(t, "GET", d.URL()+"/").want(t, 401)
	d.Stop()
	d.writeFile([]byte(strings.Replace(d.file(), "<Preferences ", `<Preferences enableLocalSecurity="0" `, 1)))
	d.start()
	call(t, "GET", d.URL()+"/").want(t, 200)
}

func TestSignOutRemovesTheFourKeysAndTheListing(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	d := newDen(t, "", at(tv))
	unbound := d.attributes()
	token := d.bind(tv, simtest.Owner)
	d.start()
	call(t, "DELETE", d.URL()+"/myplex/account").want(t, 401)
	call(t, "DELETE", d.URL()+"/myplex/account", "X-Plex-Token: "+simtest.Stranger.Token).want(t, 401)
	call(t, "DELETE", d.URL()+"/myplex/account", "X-Plex-Token: "+simtest.Owner.Token).want(t, 200, `signInState="none"`)
	if got := d.attributes(); !slices.Equal(got, unbound) {
		t.Errorf("got %v", got)
	}
	call(t, "GET", d.URL()+"/identity").want(t, 200, `claimed="0"`)
	if got := call(t, "GET", tv.URL+"/api/v2/resources", "X-Plex-Token: "+simtest.Owner.Token); strings.Contains(got.body, d.id.Processed) {
		t.Error("the server is still listed")
	}
	call(t, "GET", tv.URL+"/api/v2/user", "X-Plex-Token: "+token).want(t, 200) // nothing was revoked
	if d.events(plexsim.EventSignedOut) != 1 {
		t.Error("no event")
	}
}

func TestSignOutWorksWithoutPlexTV(t *testing.T) {
	d := newDen(t, "someToken")
	d.start()
	call(t, "DELETE", d.URL()+"/myplex/account", "X-Plex-Token: someToken").want(t, 200, `signInState="none"`)
	d.wantAttribute("PlexOnlineToken", "")
}

func TestSignOutCanLeaveAnEmptyToken(t *testing.T) {
	d := newDen(t, "someToken", func(c *plexsim.Config) { c.BlankAtSignOut = true })
	d.start()
	call(t, "DELETE", d.URL()+"/myplex/account", "X-Plex-Token: someToken").want(t, 200)
	if value, there := d.attribute("PlexOnlineToken"); value != "" || !there {
		t.Errorf("got %q (there: %v)", value, there)
	}
	d.wantAttribute("PlexOnlineMail", "")
	call(t, "GET", d.URL()+"/identity").want(t, 200, `claimed="0"`)
}

func TestSignOutCanRevokeTheToken(t *testing.T) {
	tv := simtest.NewPlexTV(t, func(o *plexsim.PlexTVOptions) { o.RevokeOnSignOut = true })
	d := newDen(t, "", at(tv))
	token := d.bind(tv, simtest.Owner)
	d.start()
	call(t, "DELETE", d.URL()+"/myplex/account", "X-Plex-Token: "+token).want(t, 200)
	call(t, "GET", tv.URL+"/api/v2/user", "X-Plex-Token: "+token).want(t, 401)
}

func TestServerFillsInItsAccountFromTheTokenAlone(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	d := newDen(t, "", at(tv))
	token := d.bind(tv, plexsim.Account{Username: "owner"})
	d.writeFile([]byte(strings.Replace(d.file(), ` PlexOnlineUsername="owner"`, "", 1)))
	d.start()
	d.waitEvent(plexsim.EventFilled)
	d.wantAttribute("PlexOnlineToken", token)
	d.wantAttribute("PlexOnlineUsername", "owner")
	d.wantAttribute("PlexOnlineMail", "owner@example.com")
	d.wantAttribute("PlexOnlineHome", "1")
	asked := tv.RequestsTo("GET", "/api/v2/user")
	if len(asked) != 1 || asked[0].Account != "owner" || asked[0].ClientID != d.id.Processed {
		t.Errorf("plex.tv was asked %+v", asked)
	}
}

func TestServerOfAnAccountWithoutAHomeHasNoHomeKey(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	tv.AddAccount(plexsim.Account{Username: "single", Email: "single@example.com", Token: "singleAccountToken03"})
	d := newDen(t, "", at(tv))
	d.bind(tv, plexsim.Account{Username: "single"})
	d.start()
	d.waitEvent(plexsim.EventFilled)
	d.wantAttribute("PlexOnlineMail", "single@example.com")
	d.wantAttribute("PlexOnlineHome", "")
}

func TestServerLeavesItsAccountAloneIfPlexTVDoesNotVouchForIt(t *testing.T) {
	for name, spoil := range map[string]func(*simtest.PlexTV, string){
		"revoked":   func(tv *simtest.PlexTV, token string) { tv.RevokeToken(token) },
		"broken":    func(tv *simtest.PlexTV, _ string) { tv.Fail(plexsim.Fault{Status: 500}) },
		"no answer": func(tv *simtest.PlexTV, _ string) { tv.Fail(plexsim.Fault{Kind: plexsim.FaultRefuse}) },
	} {
		t.Run(name, func(t *testing.T) {
			tv := simtest.NewPlexTV(t)
			d := newDen(t, "", at(tv))
			spoil(tv, d.bind(tv, plexsim.Account{Username: "owner", Email: "old@example.com"}))
			before, err := os.ReadFile(d.config.PreferencesPath())
			must(t, err)
			d.start()
			simtest.Eventually(t, "the question", func() bool { return len(tv.Requests()) == 1 })
			simtest.Eventually(t, "the log", func() bool {
				return strings.Contains(d.log(), "does not know this server's account")
			})
			if d.file() != string(before) || d.events(plexsim.EventFilled) != 0 {
				t.Errorf("the preferences changed: %s", d.file())
			}
		})
	}
}
