package provider_test

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// What plex.tv can be asked.
const (
	askUser     = "GET /api/v2/user"
	askServers  = "GET /api/v2/resources"
	askMint     = "GET /api/claim/token.json"
	askExchange = "POST /api/claim/exchange"
	askDevices  = "GET /devices.xml"
)

// Whole operations, as plex.tv sees them.
var (
	asksNothing = []string{}
	asksOwned   = []string{askUser, askServers} // once per walk of Terraform, for all servers
	// A claim: whose the account token is, then the token, and then until the server is listed.
	asksClaim = []string{askUser, askMint, askExchange, askUser, askUser, askServers}
	// The same, where the server has refused a token first. Whether it has used that
	// one up, its answer does not say, so there is a second.
	asksClaimTwice = []string{askUser, askMint, askMint, askExchange, askUser, askUser, askServers}
)

// operations are Terraform's on one server, with what each did to it.
type operations struct {
	*world
	*cli
	den *subject
}

func operate(w *world, den *subject, config string) *operations {
	w.Helper()
	return &operations{world: w, cli: newCLI(w.T, config), den: den}
}

// outcome is what one command of terraform did.
type outcome struct {
	t     *testing.T
	shown []diagnostic
	ok    bool
	stops int
	asked []string
}

func (o *operations) terraform(args ...string) outcome {
	o.Helper()
	o.tv.ClearRequests()
	before := o.den.StopCount()
	got := outcome{t: o.T}
	got.shown, got.ok = o.run(append(args, "-json")...)
	got.stops, got.asked = o.den.StopCount()-before, o.asked()
	return got
}

// asked is what plex.tv was asked, but for what a server asks on its own account
// in the background: whose its token is.
func (w *world) asked() []string {
	asked := []string{}
	for _, r := range w.tv.Requests() {
		line := r.Method + " " + r.Path
		if line == askUser && r.ClientID != "terraform-provider-plex" {
			continue
		}
		asked = append(asked, line)
	}
	return asked
}

func (o *operations) apply(more ...string) outcome {
	o.Helper()
	return o.terraform(append([]string{"apply", "-auto-approve"}, more...)...)
}

func (o *operations) destroy() outcome {
	o.Helper()
	return o.terraform("destroy", "-auto-approve")
}

// did asserts that the command succeeded, how often it stopped the server, and
// what exactly plex.tv was asked, in order.
func (got outcome) did(stops int, asked ...[]string) {
	got.t.Helper()
	if !got.ok {
		got.t.Errorf("terraform failed: %+v", got.shown)
	}
	got.cost(stops, asked...)
}

// failed asserts that the command failed and stopped nothing, and what its one
// error says.
func (got outcome) failed(says []string, asked ...[]string) {
	got.t.Helper()
	if got.ok {
		got.t.Fatal("terraform succeeded")
	}
	e := onlyError(got.t, got.shown)
	wantMention(got.t, e.Summary+"\n"+e.Detail, says...)
	got.cost(0, asked...)
}

func (got outcome) cost(stops int, asked ...[]string) {
	got.t.Helper()
	if got.stops != stops {
		got.t.Errorf("the server was stopped %d times, want %d", got.stops, stops)
	}
	if want := slices.Concat(asked...); !slices.Equal(got.asked, want) {
		got.t.Errorf("plex.tv was asked\n%s\nwant\n%s", strings.Join(got.asked, "\n"), strings.Join(want, "\n"))
	}
}

func (got outcome) warned(text string) {
	got.t.Helper()
	for _, d := range got.shown {
		if d.Severity == "warning" && strings.Contains(d.Summary+"\n"+d.Detail, text) {
			return
		}
	}
	got.t.Errorf("no warning says %q: %+v", text, got.shown)
}

// isBound asserts that the server runs, bound to an account with a token that
// plex.tv honours and that state knows of.
func (o *operations) isBound(to plexsim.Account) {
	o.Helper()
	if !o.den.Running() || o.den.token() == "" {
		o.Fatal("the server does not run bound")
	}
	i := slices.IndexFunc(o.tv.Devices(), func(d plexsim.Device) bool { return d.Token == o.den.token() })
	if i < 0 || o.tv.Devices()[i].Account != to.Username {
		o.Errorf("the server's token does not belong to %s", to.Username)
	}
	state := o.state()
	for name, want := range map[string]any{
		"status": "bound", "username": to.Username, "email": to.Email,
		"token_fingerprint": o.den.fingerprint(), "id": o.den.Identity.Processed,
	} {
		if state[name] != want {
			o.Errorf("%s in state is %v, want %v", name, state[name], want)
		}
	}
}

// sightings are how often a server was seen bound and unclaimed: in its answers
// and in its whole preferences.
type sightings struct{ bound, unclaimed int }

// watch looks at the subject in a tight loop until the function is called.
func (s *subject) watch() (end func() sightings) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	done, seen := make(chan struct{}), sightings{}
	look := func(whole, claimed bool) {
		switch {
		case whole && claimed:
			seen.bound++
		case whole:
			seen.unclaimed++
		}
	}
	var looking sync.WaitGroup
	looking.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			preferences := s.Preferences()
			look(bytes.HasSuffix(preferences, []byte("/>\n")), tokenInPreferences.Match(preferences))
			response, err := client.Get(s.URL() + "/identity")
			if err != nil {
				continue // it does not run now
			}
			body, err := io.ReadAll(response.Body)
			_ = response.Body.Close()
			look(err == nil && response.StatusCode == http.StatusOK, bytes.Contains(body, []byte(`claimed="1"`)))
		}
	})
	return sync.OnceValue(func() sightings { close(done); looking.Wait(); return seen })
}

// exchangedBeforeStop asserts the order that strands no server.
func (o *operations) exchangedBeforeStop() {
	o.Helper()
	exchanges := o.tv.RequestsTo(http.MethodPost, "/api/claim/exchange")
	events := o.den.Events()
	stop := slices.IndexFunc(events, func(e plexsim.Event) bool { return e.Event == plexsim.EventStopping })
	if len(exchanges) != 1 || stop < 0 {
		o.Fatalf("%d exchanges, stop at %d, want one of each", len(exchanges), stop)
	}
	if !exchanges[0].Time.Before(events[stop].Time) {
		o.Error("the claim token was exchanged after the server had been stopped")
	}
}

func TestOperationsShareAWayToTellClaimedFromUnclaimed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := operate(w, w.boundTo(simtest.Owner), "")
	o.write(w.config(simtest.Owner, bindingOf("den", o.den)))
	o.apply().did(0, asksOwned)
	end := o.den.watch()
	defer end()
	o.destroy().did(1, asksOwned)
	if seen := end(); seen.bound == 0 || seen.unclaimed == 0 {
		t.Errorf("an unbind was seen as %+v, want both", seen)
	}
}

// claimToken is one that was got elsewhere.
func (w *world) claimToken(account plexsim.Account) string {
	w.Helper()
	token, err := w.tv.MintClaim(account.Username)
	if err != nil {
		w.Fatal(err)
	}
	return token
}
