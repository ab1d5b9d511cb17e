package plexsim_test

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

const denID = "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd"

var ownerToken = "X-Plex-Token: " + simtest.Owner.Token

// exchanged is what an exchange brings to the server denID; its elements are read without their root.
type exchanged struct {
	Token    string `xml:"authentication-token"`
	Username string `xml:"username"`
	Email    string `xml:"email"`
}

func exchange(t *testing.T, tv *simtest.PlexTV, claim string) exchanged {
	t.Helper()
	got := call(t, "POST", tv.URL+"/api/claim/exchange?token="+claim, "X-Plex-Client-Identifier: "+denID)
	got.want(t, 200)
	var e exchanged
	must(t, xml.Unmarshal([]byte(got.body), &e))
	return e
}

func TestClaimTokensAreMintedForAccounts(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	for path, refusal := range map[string]string{"/api/claim/token.json": `{"error":"`, "/api/v2/claim/token": `{"error":"`, "/api/claim/token": "<error"} {
		call(t, "GET", tv.URL+path, "X-Plex-Token: wrong").want(t, 401, refusal)
		call(t, "GET", tv.URL+path).want(t, 401, refusal)
		got := call(t, "GET", tv.URL+path, ownerToken)
		got.want(t, 200)
		_, after, found := strings.Cut(got.body, `"claim-`)
		token, _, _ := strings.Cut(after, `"`)
		if !found || len(token) != 20 {
			t.Errorf("%s: %s", path, got.body)
		}
		if e := exchange(t, tv, "claim-"+token); e.Username != "owner" || e.Email != "owner@example.com" {
			t.Errorf("%s: %+v", path, e)
		}
	}
}

func TestClaimTokenIsGoodOnce(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	claim := mint(t, tv, "owner")
	exchange(t, tv, claim)
	call(t, "POST", tv.URL+"/api/claim/exchange?token="+claim, "X-Plex-Client-Identifier: "+denID).want(t, 401)
	call(t, "POST", tv.URL+"/api/claim/exchange?token=claim-unknown", "X-Plex-Client-Identifier: "+denID).want(t, 401)
}

func TestClaimTokenLivesFourMinutes(t *testing.T) {
	clock := plexsim.NewManualClock(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	tv := simtest.NewPlexTV(t, func(o *plexsim.PlexTVOptions) { o.Clock = clock; o.ExchangeRefusal = 404 })
	inTime, late := mint(t, tv, "owner"), mint(t, tv, "owner")
	clock.Advance(4*time.Minute - time.Nanosecond)
	exchange(t, tv, inTime)
	clock.Advance(time.Nanosecond)
	call(t, "POST", tv.URL+"/api/claim/exchange?token="+late, "X-Plex-Client-Identifier: "+denID).want(t, 404)
}

func TestExchangeWithoutClientIdentifierSpendsNothing(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	claim := mint(t, tv, "owner")
	call(t, "POST", tv.URL+"/api/claim/exchange?token="+claim).want(t, 400)
	exchange(t, tv, claim)
}

func TestSecondExchangeKeepsTheDeviceAndTheOldToken(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	first := exchange(t, tv, mint(t, tv, "owner"))
	id := serverOf(tv, denID).ID
	second := exchange(t, tv, mint(t, tv, "owner"))
	if first.Token == second.Token || serverOf(tv, denID).ID != id {
		t.Errorf("tokens %v, device %s then %+v", first.Token == second.Token, id, serverOf(tv, denID))
	}
	for _, token := range []string{first.Token, second.Token} {
		call(t, "GET", tv.URL+"/api/v2/user", "X-Plex-Token: "+token).want(t, 200)
	}
}

func TestSecondExchangeCanRevokeTheOldToken(t *testing.T) {
	tv := simtest.NewPlexTV(t, func(o *plexsim.PlexTVOptions) { o.RevokeOnExchange = true })
	first := exchange(t, tv, mint(t, tv, "owner"))
	second := exchange(t, tv, mint(t, tv, "owner"))
	call(t, "GET", tv.URL+"/api/v2/user", "X-Plex-Token: "+first.Token).want(t, 401)
	call(t, "GET", tv.URL+"/api/v2/user", "X-Plex-Token: "+second.Token).want(t, 200)
}

// listed are the resources of an account by client identifier.
func listed(t *testing.T, tv *simtest.PlexTV, token string) map[string]entry {
	t.Helper()
	got := call(t, "GET", tv.URL+"/api/v2/resources?includeHttps=1", "Accept: application/json", "X-Plex-Token: "+token)
	got.want(t, 200)
	var entries []entry
	must(t, json.Unmarshal([]byte(got.body), &entries))
	byID := map[string]entry{}
	for _, e := range entries {
		byID[e.ClientIdentifier] = e
	}
	return byID
}

type entry struct {
	Name             string `json:"name"`
	ClientIdentifier string `json:"clientIdentifier"`
	Provides         string `json:"provides"`
	AccessToken      string `json:"accessToken"`
	Owned            bool   `json:"owned"`
}

func TestResourcesListOwnedServersSharedOnesAndPlayers(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	claimed := exchange(t, tv, mint(t, tv, "owner"))
	want := entry{"PlexMediaServer", denID, "server", claimed.Token, true}
	if got := listed(t, tv, simtest.Owner.Token); got[denID] != want || len(got) != 2 {
		t.Errorf("owner: %+v", got)
	}
	if _, found := listed(t, tv, simtest.Stranger.Token)[denID]; found {
		t.Error("a stranger sees the server")
	}
	tv.Share(denID, "stranger")
	if got := listed(t, tv, simtest.Stranger.Token)[denID]; got.Owned || got.Provides != "server" {
		t.Errorf("shared: %+v", got)
	}
	call(t, "GET", tv.URL+"/api/v2/resources", ownerToken).want(t, 200,
		"<resources>", `clientIdentifier="`+denID+`" provides="server" owned="1" accessToken="`+claimed.Token+`"`)
	call(t, "GET", tv.URL+"/api/v2/resources", "X-Plex-Token: wrong").want(t, 401)
}

func TestServerIsListedAfterADelay(t *testing.T) {
	tv := simtest.NewPlexTV(t, func(o *plexsim.PlexTVOptions) { o.ListingDelay = 2 * time.Minute })
	exchange(t, tv, mint(t, tv, "owner"))
	if _, found := listed(t, tv, simtest.Owner.Token)[denID]; found {
		t.Error("listed at once")
	}
	tv.SetClockOffset(2 * time.Minute)
	if _, found := listed(t, tv, simtest.Owner.Token)[denID]; !found {
		t.Error("not listed after the delay")
	}
}

func TestClaimByAnotherAccountTakesTheServerOver(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	exchange(t, tv, mint(t, tv, "owner"))
	exchange(t, tv, mint(t, tv, "stranger"))
	if _, found := listed(t, tv, simtest.Owner.Token)[denID]; found {
		t.Error("the old owner still has it")
	}
	if !listed(t, tv, simtest.Stranger.Token)[denID].Owned {
		t.Error("the new owner does not have it")
	}
}

func TestUserIsWhoTheTokenBelongsTo(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	device := exchange(t, tv, mint(t, tv, "owner"))
	for _, token := range []string{simtest.Owner.Token, device.Token} {
		call(t, "GET", tv.URL+"/api/v2/user?X-Plex-Token="+token).want(t, 200, `<user username="owner"`, `email="owner@example.com"`, `home="1"`)
		call(t, "GET", tv.URL+"/api/v2/user", "Accept: application/json", "X-Plex-Token: "+token).want(t, 200, `"username":"owner"`, `"home":true`)
	}
	call(t, "GET", tv.URL+"/api/v2/user", "X-Plex-Token: wrong").want(t, 401, `<error code="1001"`)
	call(t, "GET", tv.URL+"/api/v2/user", "Accept: application/json").want(t, 401, `{"errors":[{"code":1001`)
}

func TestPasswordChangeRevokesEveryTokenOfTheAccount(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	device := exchange(t, tv, mint(t, tv, "owner"))
	must(t, tv.RevokeAccount("owner"))
	for _, token := range []string{simtest.Owner.Token, device.Token} {
		call(t, "GET", tv.URL+"/api/v2/user", "X-Plex-Token: "+token).want(t, 401)
	}
	call(t, "GET", tv.URL+"/api/v2/user", "X-Plex-Token: "+simtest.Stranger.Token).want(t, 200)
	again := simtest.Owner
	again.Token = "ownerAfterNewPasswrd"
	tv.AddAccount(again)
	if _, found := listed(t, tv, again.Token)[denID]; found {
		t.Error("a server whose token was revoked is listed")
	}
	if err := tv.RevokeAccount("nobody"); err == nil {
		t.Error("an unknown account can be revoked")
	}
}

func TestRevokedServersCanStayListed(t *testing.T) {
	tv := simtest.NewPlexTV(t, func(o *plexsim.PlexTVOptions) { o.ListRevoked = true })
	tv.RevokeToken(exchange(t, tv, mint(t, tv, "owner")).Token)
	if _, found := listed(t, tv, simtest.Owner.Token)[denID]; !found {
		t.Error("not listed")
	}
}

func TestRemovedDeviceLosesAllItsTokens(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	first := exchange(t, tv, mint(t, tv, "owner"))
	second := exchange(t, tv, mint(t, tv, "owner"))
	id := serverOf(tv, denID).ID
	call(t, "GET", tv.URL+"/devices.xml", ownerToken).want(t, 200, `provides="server" clientIdentifier="`+denID+`" id="`+id+`" token="`+second.Token+`"`)
	call(t, "DELETE", tv.URL+"/devices/"+id+".xml").want(t, 401)
	call(t, "DELETE", tv.URL+"/devices/"+id+".xml", "X-Plex-Token: "+simtest.Stranger.Token).want(t, 404)
	call(t, "DELETE", tv.URL+"/devices/"+id, ownerToken).want(t, 404)
	call(t, "DELETE", tv.URL+"/devices/"+id+".xml", ownerToken).want(t, 204)
	for _, token := range []string{first.Token, second.Token} {
		call(t, "GET", tv.URL+"/api/v2/user", "X-Plex-Token: "+token).want(t, 401)
	}
	if got := serverOf(tv, denID); got.ID != "" {
		t.Errorf("still there: %+v", got)
	}
}

func TestRequestsAreRecordedWithoutSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "requests")
	tv := simtest.NewPlexTV(t, func(o *plexsim.PlexTVOptions) { o.RequestsFile = file })
	claim := mint(t, tv, "owner")
	exchange(t, tv, claim)
	call(t, "GET", tv.URL+"/api/v2/user?X-Plex-Token="+simtest.Owner.Token)
	call(t, "GET", tv.URL+"/nowhere", ownerToken).want(t, 404)
	exchanges := tv.RequestsTo("POST", "/api/claim/")
	if len(exchanges) != 1 || exchanges[0].Path != "/api/claim/exchange" || exchanges[0].ClientID != denID || exchanges[0].Status != 200 {
		t.Errorf("got %+v", exchanges)
	}
	if all := tv.RequestsTo("", "/"); len(all) != 3 || all[1].Account != "owner" || all[2].Status != 404 {
		t.Errorf("got %+v", all)
	}
	data, err := os.ReadFile(file)
	must(t, err)
	if got := string(data); strings.Count(got, "\n") != 3 || strings.Contains(got, claim) || strings.Contains(got, simtest.Owner.Token) {
		t.Errorf("file: %s", got)
	}
	tv.ClearRequests()
	if got := tv.Requests(); len(got) != 0 {
		t.Errorf("after clear: %+v", got)
	}
}
