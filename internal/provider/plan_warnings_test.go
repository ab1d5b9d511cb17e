package provider_test

import (
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// willStop is the warning that is expected once for the subject, and its detail.
func willStop(t *testing.T, shown []diagnostic, s *subject) string {
	t.Helper()
	found := warnings(shown, s.way.name+" will be stopped: "+s.PreferencesPath())
	if len(found) != 1 {
		t.Fatalf("there are %d warnings that the server will be stopped, want 1: %+v", len(found), shown)
	}
	return found[0].Detail
}

func wantMention(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not mention %q", text, part)
		}
	}
}

func TestPlanWarnsBeforeItStopsAServer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	config := func(lines ...string) string { return w.config(simtest.Owner, bindingOf("den", den, lines...)) }
	c := newCLI(t, config())
	if shown := c.must("apply", "-auto-approve", "-json"); len(shown) != 0 {
		t.Errorf("adopting warns: %+v", shown)
	}
	if shown := c.must("plan", "-json"); len(shown) != 0 {
		t.Errorf("a plan without changes warns: %+v", shown)
	}
	t.Run("destroy", func(t *testing.T) {
		wantMention(t, willStop(t, c.must("plan", "-destroy", "-json"), den), "owner@example.com", "unclaimed")
	})
	t.Run("triggers", func(t *testing.T) {
		c.write(config(`triggers = { month = "may" }`))
		wantMention(t, willStop(t, c.must("plan", "-json"), den), "owner@example.com", "new token")
	})
	t.Run("account", func(t *testing.T) {
		c.write(config(`account = "stranger"`))
		wantMention(t, willStop(t, c.must("plan", "-json"), den), "owner@example.com", "new token")
	})
	t.Run("what stops nothing", func(t *testing.T) {
		c.write(config(`account = "OWNER@example.com"`, `backup = { keep = 3 }`, `on_destroy = { deregister = true }`, `force_rebind = true`))
		if shown := c.must("plan", "-json"); len(shown) != 0 {
			t.Errorf("there are warnings: %+v", shown)
		}
	})
	if n := den.StopCount(); n != 0 {
		t.Errorf("the server was stopped %d times, want 0", n)
	}
}

func TestPlanNamesTheAccountFromWhichAServerIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Stranger)
	c := newCLI(t, w.config(simtest.Owner, bindingOf("den", den, `account = "owner"`, `force_rebind = true`)))
	wantMention(t, willStop(t, c.must("plan", "-json"), den), "stranger@example.com", "force_rebind")

	c.write(w.config(simtest.Owner, bindingOf("den", den, `account = "owner"`)))
	shown, ok := c.run("apply", "-auto-approve", "-json")
	if ok || len(shown) != 1 {
		t.Fatalf("apply shows %+v (success: %t), want one error", shown, ok)
	}
	wantMention(t, shown[0].Summary, theWay(t).name)
	wantMention(t, shown[0].Detail, "stranger@example.com", "force_rebind")
	if n := den.StopCount(); n != 0 {
		t.Errorf("the server was stopped %d times, want 0", n)
	}
}
