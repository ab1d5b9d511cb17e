package provider_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// state are the attributes of the binding in state; nil if it is not there.
func (c *cli) state() map[string]any {
	c.t.Helper()
	out, err := c.output("show", "-json")
	if err != nil {
		c.t.Fatalf("terraform show: %s", out)
	}
	var shown struct {
		Values struct {
			RootModule struct {
				Resources []struct {
					Address string
					Values  map[string]any
				}
			} `json:"root_module"`
		}
	}
	if err := json.Unmarshal(out, &shown); err != nil {
		c.t.Fatal(err)
	}
	for _, r := range shown.Values.RootModule.Resources {
		if r.Address == address {
			return r.Values
		}
	}
	return nil
}

// becomes restarts the subject with other preferences, as if somebody else had
// been at it.
func (s *subject) becomes(preferences []byte) {
	s.Stop()
	s.WritePreferences(preferences)
	s.Start()
	s.WaitReady()
}

// taken binds the subject to another account behind Terraform's back.
func (w *world) taken(s *subject, account plexsim.Account) {
	w.Helper()
	device, err := w.tv.RegisterServer(account.Username, s.Identity.Processed, "Den")
	if err != nil {
		w.Fatal(err)
	}
	s.becomes(simtest.Preferences(s.Identity, account, device.Token))
}

func onlyError(t *testing.T, shown []diagnostic) diagnostic {
	t.Helper()
	var found []diagnostic
	for _, d := range shown {
		if d.Severity == "error" {
			found = append(found, d)
		}
	}
	if len(found) != 1 {
		t.Fatalf("there are %d errors, want 1: %+v", len(found), shown)
	}
	return found[0]
}

func TestAServerThatCannotBeReadIsAnErrorWithTheWaysOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	c := newCLI(t, w.config(simtest.Owner, bindingOf("den", den)))
	c.must("apply", "-auto-approve", "-json")
	preferences := den.Preferences()
	den.Stop()
	if err := os.Remove(den.PreferencesPath()); err != nil {
		t.Fatal(err)
	}
	shown, _ := c.run("plan", "-json")
	failed := onlyError(t, shown)
	wantMention(t, failed.Summary, theWay(t).name)
	wantMention(t, failed.Detail, den.PreferencesPath(), "-refresh=false", "destroy = false", "terraform state rm")
	if c.state() == nil {
		t.Error("the binding was removed from state")
	}
	c.must("plan", "-json", "-refresh=false")

	t.Run("the removed block forgets it", func(t *testing.T) {
		c.write(w.config(simtest.Owner, "removed {\n from = "+address+"\n lifecycle {\n destroy = false\n }\n}\n"))
		c.must("apply", "-auto-approve", "-json", "-refresh=false")
		if c.state() != nil {
			t.Error("the binding is still in state")
		}
	})
	den.WritePreferences(preferences)
}

func TestAnotherServerAtTheSamePlaceIsAnErrorAndNotRemovedFromState(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	c := newCLI(t, w.config(simtest.Owner, bindingOf("den", den)))
	c.must("apply", "-auto-approve", "-json")
	other := simtest.NewIdentity()
	den.becomes(simtest.Preferences(other, plexsim.Account{}, ""))
	shown, _ := c.run("plan", "-json")
	failed := onlyError(t, shown)
	wantMention(t, failed.Summary, "Another server on "+theWay(t).name)
	wantMention(t, failed.Detail, other.Processed, den.Identity.Processed, "terraform state rm")
	if c.state() == nil {
		t.Error("the binding was removed from state")
	}
}

func TestAnUnclaimedServerIsRemovedFromStateWithAWarning(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	c := newCLI(t, w.config(simtest.Owner, bindingOf("den", den)))
	c.must("apply", "-auto-approve", "-json")
	den.becomes(simtest.Preferences(den.Identity, plexsim.Account{}, ""))
	shown := c.must("plan", "-json", "-out=plan")
	if found := warnings(shown, "The server on "+theWay(t).name+" is unclaimed ("+den.PreferencesPath()); len(found) != 1 {
		t.Errorf("the plan shows %+v, want a warning that the server is unclaimed", shown)
	}
	c.must("apply", "-json", "plan")
	if den.token() == "" || c.state()["username"] != "owner" {
		t.Errorf("the server was not claimed again: %v", c.state())
	}
}

func TestAStrangersBindingIsShownPlannedToBeReplacedAndLeftAloneByDestroy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	c := newCLI(t, w.config(simtest.Owner, bindingOf("den", den, `account = "owner"`)))
	c.must("apply", "-auto-approve", "-json")
	ours := den.fingerprint()
	w.taken(den, simtest.Stranger)

	wantMention(t, willStop(t, c.must("plan", "-json"), den), "stranger@example.com", "taken from that account")
	if c.must("apply", "-refresh-only", "-auto-approve", "-json"); c.state()["status"] != "bound_elsewhere" || c.state()["username"] != "stranger" {
		t.Errorf("state has %v, want the stranger's binding", c.state())
	}
	if got := c.state()["token_fingerprint"]; got != ours {
		t.Errorf("the fingerprint in state is %v, want that of the binding that was made, %s", got, ours)
	}
	stops, before := den.StopCount(), den.token()
	if shown := warnings(c.must("plan", "-destroy", "-json"), "will be stopped"); len(shown) != 0 {
		t.Errorf("the plan warns of a stop that does not come: %+v", shown)
	}
	shown := c.must("destroy", "-auto-approve", "-json")
	if found := warnings(shown, "The server on "+theWay(t).name+" was left as it is"); len(found) != 1 {
		t.Errorf("destroy shows %+v, want a warning that the server was left alone", shown)
	}
	if den.token() != before || den.StopCount() != stops {
		t.Error("the stranger's binding was not left alone")
	}
}

func TestANewTokenOfTheSameAccountIsFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	c := newCLI(t, w.config(simtest.Owner, bindingOf("den", den, `account = "owner"`)))
	c.must("apply", "-auto-approve", "-json")
	w.taken(den, simtest.Owner)
	c.must("apply", "-auto-approve", "-json")
	if got := c.state()["token_fingerprint"]; got != den.fingerprint() {
		t.Errorf("the fingerprint in state is %v, want that of the server's token, %s", got, den.fingerprint())
	}
	stops := den.StopCount()
	c.must("destroy", "-auto-approve", "-json")
	if den.token() != "" || den.StopCount() != stops+1 {
		t.Error("destroy did not unbind the server in one stop")
	}
}

func TestPlanGoesOnWhenPlexTVDoesNotAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	config := w.config(simtest.Owner, bindingOf("den", den, `account = "owner"`))
	c := newCLI(t, config)
	c.must("apply", "-auto-approve", "-json")
	c.write(strings.Replace(config, w.tv.URL, "http://127.0.0.1:1", 1))
	if shown := c.must("plan", "-json", "-detailed-exitcode"); len(warnings(shown, "Looking at the server on "+theWay(t).name+": a remark")) != 1 {
		t.Errorf("the plan shows %+v, want one warning that plex.tv was not heard", shown)
	}
}
