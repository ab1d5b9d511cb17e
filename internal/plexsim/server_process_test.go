package plexsim_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

func TestServerStartsAndStopsAndStartsAgainAtTheSamePort(t *testing.T) {
	d := newDen(t, "")
	d.start()
	addr := d.Addr()
	d.Stop()
	if !portIsClosed(addr) || d.Addr() != "" || d.ExitCode() != 0 {
		t.Errorf("after the stop: closed %v, address %q, status %d", portIsClosed(addr), d.Addr(), d.ExitCode())
	}
	d.start()
	if d.Addr() != addr {
		t.Errorf("got %s, want %s", d.Addr(), addr)
	}
	for kind, want := range map[string]int{plexsim.EventStart: 2, plexsim.EventListening: 2, plexsim.EventStopping: 1, plexsim.EventStopped: 1, plexsim.EventExit: 1} {
		if got := d.events(kind); got != want {
			t.Errorf("events %s: got %d, want %d", kind, got, want)
		}
	}
}

func TestPIDFileIsThereWhileTheServerRuns(t *testing.T) {
	d := newDen(t, "")
	d.start()
	if !d.hasPIDFile() {
		t.Error("no pid file under a running server")
	}
	d.Stop()
	if d.hasPIDFile() {
		t.Error("a clean stop leaves the pid file")
	}
}

func TestKillLeavesThePIDFileWhichWedgesTheNextStart(t *testing.T) {
	d := newDen(t, "someToken")
	d.start()
	before := d.file()
	d.Kill()
	if !d.hasPIDFile() || d.ExitCode() != -1 || d.events(plexsim.EventExit) != 0 {
		t.Error("a kill leaves the pid file and says nothing")
	}
	d.startWithoutPort()
	if !d.alive() || d.events(plexsim.EventWedged) != 1 {
		t.Error("want a process that waits for ever")
	}
	d.Stop()
	if !d.hasPIDFile() || d.file() != before {
		t.Error("a wedged server touches neither the pid file nor the preferences")
	}
	d.removePIDFile()
	d.start()
}

func TestStartDelayPassesBeforeThePortOpens(t *testing.T) {
	d := newDen(t, "", func(c *plexsim.Config) { c.StartDelay = moment })
	d.start()
	if got := d.between(plexsim.EventStart, plexsim.EventListening); got < moment.D() {
		t.Errorf("got %v", got)
	}
}

func TestEditDuringTheStartDelayIsLost(t *testing.T) {
	d := newDen(t, "", func(c *plexsim.Config) { c.StartDelay = forever })
	must(t, os.Remove(d.config.PreferencesPath()))
	d.Launch()
	simtest.Eventually(t, "the new preferences", func() bool {
		data, err := os.ReadFile(d.config.PreferencesPath())
		return err == nil && len(data) > 0
	})
	d.writeFile(simtest.Preferences(d.id, simtest.Owner, "someToken"))
	d.Stop()
	d.wantAttribute("PlexOnlineToken", "")
	if d.events(plexsim.EventListening) != 0 {
		t.Error("the port was opened before the delay was over")
	}
}

func TestMaintenanceAnswers503ToEverything(t *testing.T) {
	d := newDen(t, "", func(c *plexsim.Config) { c.Maintenance = forever })
	d.start()
	for _, path := range []string{"/identity", "/", "/:/prefs", "/myplex/account"} {
		call(t, "GET", d.URL()+path).want(t, 503, "running startup maintenance tasks")
	}
}

func TestMaintenanceEnds(t *testing.T) {
	d := newDen(t, "", func(c *plexsim.Config) { c.Maintenance = moment })
	d.start()
	simtest.Eventually(t, "the end of the maintenance", func() bool { return call(t, "GET", d.URL()+"/identity").status == 200 })
	if got := time.Since(startedAt(t, d)); got < moment.D() {
		t.Errorf("over after %v", got)
	}
}

func startedAt(t *testing.T, d *den) time.Time {
	t.Helper()
	events, err := plexsim.ReadEvents(d.config.EventsPath())
	must(t, err)
	return events[0].Time
}

func TestThePortClosesBeforeTheStopIsOver(t *testing.T) {
	d := newDen(t, "", func(c *plexsim.Config) { c.StopDelay = forever })
	d.start()
	addr := d.Addr()
	d.Terminate()
	simtest.Eventually(t, "the port to close", func() bool { return portIsClosed(addr) })
	if !d.alive() || !d.hasPIDFile() || d.events(plexsim.EventStopped) != 0 {
		t.Error("want a process that is still stopping")
	}
}

func TestStopDelayPassesBeforeTheLastWrite(t *testing.T) {
	d := newDen(t, "", func(c *plexsim.Config) { c.StopDelay = moment })
	d.start()
	d.Stop()
	if got := d.between(plexsim.EventStopping, plexsim.EventStopped); got < moment.D() {
		t.Errorf("got %v", got)
	}
}

func TestServerCanIgnoreTerm(t *testing.T) {
	d := newDen(t, "", func(c *plexsim.Config) { c.IgnoreTerm = true })
	d.start()
	for range 2 {
		d.Terminate()
	}
	d.waitEvent(plexsim.EventIgnored)
	call(t, "GET", d.URL()+"/identity").want(t, 200)
	if d.events(plexsim.EventStopping) != 0 {
		t.Error("the server is stopping")
	}
}

func TestServerCanReactLateToTerm(t *testing.T) {
	d := newDen(t, "", func(c *plexsim.Config) { c.TermDelay = moment })
	d.start()
	asked := time.Now()
	d.Stop()
	if got := time.Since(asked); got < moment.D() {
		t.Errorf("stopped after %v", got)
	}
}

func TestServerThatNeverStartsExitsWithStatus1(t *testing.T) {
	d := newDen(t, "", func(c *plexsim.Config) { c.NeverStart = true })
	if err := d.startError(); !errors.Is(err, plexsim.ErrExited) || d.ExitCode() != 1 {
		t.Errorf("got %v and status %d", err, d.ExitCode())
	}
	if d.hasPIDFile() {
		t.Error("it left a pid file")
	}
}

func TestServerCanCrashSomeTimeAfterItsStart(t *testing.T) {
	d := newDen(t, "", func(c *plexsim.Config) { c.DieAfter = moment })
	before := d.file()
	d.Launch()
	<-d.Done()
	if d.ExitCode() != 1 || !d.hasPIDFile() || d.file() != before {
		t.Errorf("status %d, pid file %v", d.ExitCode(), d.hasPIDFile())
	}
	if got := d.between(plexsim.EventStart, plexsim.EventExit); got < moment.D() {
		t.Errorf("crashed after %v", got)
	}
}

func TestServerExitsIfItsPortIsTaken(t *testing.T) {
	first := newDen(t, "")
	first.start()
	second := newDen(t, "", func(c *plexsim.Config) { c.Addr = first.Addr() })
	if err := second.startError(); !errors.Is(err, plexsim.ErrExited) {
		t.Errorf("got %v", err)
	}
}

func TestServerCanRefuseItsPreferences(t *testing.T) {
	withToken := func(c *plexsim.Config) { c.RefuseWithToken = true }
	withoutToken := func(c *plexsim.Config) { c.RefuseWithoutToken = true }
	for name, test := range map[string]struct {
		refuse  func(*plexsim.Config)
		token   string
		refused bool
	}{
		"token, refused":     {withToken, "someToken", true},
		"no token, accepted": {withToken, "", false},
		"no token, refused":  {withoutToken, "", true},
		"token, accepted":    {withoutToken, "someToken", false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDen(t, test.token, test.refuse)
			if !test.refused {
				d.start()
				return
			}
			d.startWithoutPort()
			if !d.alive() || d.events(plexsim.EventRefused) != 1 {
				t.Error("want a process that is alive")
			}
		})
	}
}

func TestServerCanComeUpUnderAnotherIdentity(t *testing.T) {
	other := simtest.NewIdentity().Processed
	d := newDen(t, "", func(c *plexsim.Config) { c.Identity = other })
	d.start()
	call(t, "GET", d.URL()+"/identity").want(t, 200, other)
	d.Stop()
	d.wantAttribute("ProcessedMachineIdentifier", d.id.Processed)
}

func TestConfigureChangesTheNextStart(t *testing.T) {
	d := newDen(t, "")
	d.start()
	d.Configure(func(c *plexsim.Config) { c.Version = "1.2.3" })
	if strings.Contains(call(t, "GET", d.URL()+"/identity").body, `version="1.2.3"`) {
		t.Error("changed under a running server")
	}
	d.Stop()
	d.start()
	call(t, "GET", d.URL()+"/identity").want(t, 200, `version="1.2.3"`)
}

func TestServerWithoutADataDirectoryMakesOne(t *testing.T) {
	d := newDen(t, "")
	must(t, os.RemoveAll(d.config.DataDir()))
	d.start()
	if d.file() == "" {
		t.Error("no preferences")
	}
}
