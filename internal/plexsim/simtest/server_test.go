package simtest_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

func TestNewServerIsUnclaimedAndStopped(t *testing.T) {
	s := simtest.NewServer(t, simtest.Options{})
	if s.Running() || s.PID() != 0 || len(s.Events()) != 0 {
		t.Error("it runs")
	}
	if bytes.Contains(s.Preferences(), []byte(` PlexOnlineToken="`)) {
		t.Error("it is claimed")
	}
	s.Start()
	if got := identity(t, s); !strings.Contains(got, `claimed="0"`) || !strings.Contains(got, s.Identity.Processed) {
		t.Errorf("got %s", got)
	}
}

func TestNewServerCanBelongToAnAccount(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	s := simtest.NewServer(t, simtest.Options{PlexTV: tv, Account: &simtest.Owner})
	content := string(s.Preferences())
	for _, want := range []string{`PlexOnlineToken="` + s.Token + `"`, `PlexOnlineUsername="owner"`, `PlexOnlineMail="owner@example.com"`, `PlexOnlineHome="1"`} {
		if s.Token == "" || !strings.Contains(content, " "+want) {
			t.Errorf("no %s", want)
		}
	}
	if !tv.RevokeToken(s.Token) {
		t.Error("plex.tv does not know the token")
	}
}

func TestNewServerCanHoldATokenThatPlexTVDoesNotKnow(t *testing.T) {
	tv := simtest.NewPlexTV(t)
	s := simtest.NewServer(t, simtest.Options{PlexTV: tv, Account: &simtest.Owner, Token: "oldToken"})
	if !bytes.Contains(s.Preferences(), []byte(` PlexOnlineToken="oldToken"`)) || tv.RevokeToken("oldToken") {
		t.Error("want the token in the preferences and nowhere else")
	}
}

func TestNewServerTakesPreferencesOrNone(t *testing.T) {
	if got := simtest.NewServer(t, simtest.Options{NoPreferences: true}).Preferences(); got != nil {
		t.Errorf("got %q", got)
	}
	if got := simtest.NewServer(t, simtest.Options{Preferences: []byte("x")}).Preferences(); string(got) != "x" {
		t.Errorf("got %q", got)
	}
}

func TestCommandsControlTheServerFromAShell(t *testing.T) {
	s := simtest.NewServer(t, simtest.Options{})
	if !strings.Contains(s.SupportDir(), " ") {
		t.Fatal("the directory has no space, as Plex's own has")
	}
	commands := s.Commands()
	for _, step := range []struct {
		command string
		status  int
		running bool
	}{
		{commands.Status, 3, false}, {commands.Start, 0, true}, {commands.Status, 0, true},
		{commands.Stop, 0, false}, {commands.Stop, 0, false}, {commands.Status, 3, false},
	} {
		shell := s.Shell(step.command)
		_ = shell.Run() // its status is what counts
		if got := shell.ProcessState.ExitCode(); got != step.status || s.Running() != step.running {
			t.Errorf("%s: status %d, running %v", step.command, got, s.Running())
		}
	}
}

func TestConfigureChangesTheNextStart(t *testing.T) {
	s := simtest.NewServer(t, simtest.Options{Configure: func(c *plexsim.Config) { c.Version = "1.0" }})
	s.Start()
	s.Configure(func(c *plexsim.Config) { c.Version = "2.0"; c.Maintenance = 1 })
	if got := identity(t, s); !strings.Contains(got, `version="1.0"`) {
		t.Errorf("got %s", got)
	}
	s.Stop()
	s.Start()
	s.WaitReady()
	if got := identity(t, s); !strings.Contains(got, `version="2.0"`) {
		t.Errorf("got %s", got)
	}
	if s.StartCount() != 2 || s.StopCount() != 1 || !strings.Contains(s.Log(), "Shutting down") {
		t.Errorf("starts %d, stops %d", s.StartCount(), s.StopCount())
	}
}

func TestNothingIsLeftRunningAfterATest(t *testing.T) {
	var pid int
	var dir string
	var start *exec.Cmd
	t.Run("inner", func(t *testing.T) {
		t.TempDir() // is removed last
		t.Cleanup(func() {
			if err := start.Run(); err == nil {
				t.Error("the server can still be started")
			}
		})
		s := simtest.NewServer(t, simtest.Options{Configure: func(c *plexsim.Config) { c.IgnoreTerm = true }})
		s.Start()
		pid, dir, start = s.PID(), s.SupportDir(), s.Shell(s.Commands().Start)
	})
	if pid == 0 {
		t.Fatal("the server never ran")
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the directory is there: %v", err)
	}
	if runtime.GOOS == "windows" {
		return // there is no ps
	}
	if err := exec.Command("sh", "-c", `case $(ps -o stat= -p "$1") in ""|Z*) ;; *) exit 1 ;; esac`, "sh", strconv.Itoa(pid)).Run(); err != nil {
		t.Error("the process lives")
	}
}

func identity(t *testing.T, s *simtest.ServerProcess) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/identity", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true // the next call may reach another process
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
