//go:build linux

package server_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

func TestContainerIsInspectedAndNothingChanges(t *testing.T) {
	everyLayout(t, func(t *testing.T, l layout) {
		b := newBox(t, l, boxOptions{})
		before := b.preferences()
		found, err := b.server().Inspect(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if found.ID != b.Identity.Processed || found.State != server.Running || found.Identity.MachineIdentifier != b.Identity.Processed ||
			found.PreferencesPath != "/config/Library/Application Support/Plex Media Server/Preferences.xml" || found.Manager != l.manager {
			t.Errorf("found %+v", found)
		}
		if len(found.Warnings) != 0 {
			t.Errorf("warnings: %q", found.Warnings)
		}
		b.wantUntouched(before)
	})
}

func TestContainerEditUnbindsInOneStopAndStart(t *testing.T) {
	everyLayout(t, func(t *testing.T, l layout) {
		b := newBox(t, l, boxOptions{configure: func(c *plexsim.Config) { c.SetAtStop = map[string]string{"OnDeckWindow": "99"} }})
		old, err := prefs.ParseXML(b.preferences())
		if err != nil {
			t.Fatal(err)
		}
		report := mustEdit(t, b.server(), unbind)
		if !report.Changed || !report.Restarted || report.State != server.Running || len(report.Warnings) != 0 {
			t.Errorf("report: %+v", report)
		}
		if got := b.count(plexsim.EventStopping); got != 1 {
			t.Errorf("stopped %d times, want 1", got)
		}
		now, err := prefs.ParseXML(b.preferences())
		if err != nil {
			t.Fatal(err)
		}
		want := append(prefs.BindingKeys(), "OnDeckWindow")
		if got := prefs.Diff(old, now); len(got) != len(want) {
			t.Errorf("changed: %v, want %v", got, want)
		}
		if hasToken(t, b.preferences()) || !b.answers() {
			t.Error("the token is there, or the server is not")
		}
		kept, err := os.ReadFile(b.dir + strings.TrimPrefix(report.Backup, "/config"))
		if err != nil || !hasToken(t, kept) || !bytes.Contains(kept, []byte(`OnDeckWindow="99"`)) {
			t.Errorf("%s is not what the stopped server left: %v", report.Backup, err)
		}
		b.wantAttributes()
		b.waitIdle()
	})
}

func TestContainerCopiesAreKeptWhereNobodyElseLooks(t *testing.T) {
	everyLayout(t, func(t *testing.T, l layout) {
		b := newBox(t, l, boxOptions{})
		keep := func(o *server.Options) { o.Backup.Keep = 2 }
		for i := range 4 {
			mustEdit(t, b.server(keep), setToken("token"+hex.EncodeToString([]byte{byte(i)})))
		}
		dir := b.config.DataDir() + ".terraform-backups"
		info, err := os.Stat(dir)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Fatalf("%v %v", info.Mode(), err)
		}
		b.waitIdle()
		copies, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil || len(copies) != 4 {
			t.Errorf("copies: %v %v, want two pairs", copies, err)
		}
		newest := false
		for _, file := range copies {
			info, err := os.Stat(file)
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v %v", file, info.Mode(), err)
			}
			data, err := os.ReadFile(file)
			newest = newest || err == nil && bytes.Contains(data, []byte(`"token02"`))
		}
		if !newest {
			t.Error("the copy of the preferences before the last edit is not there")
		}
	})
}

func TestContainerThatIsStoppedStaysStopped(t *testing.T) {
	everyLayout(t, func(t *testing.T, l layout) {
		b := newBox(t, l, boxOptions{created: !l.supervised, down: l.supervised})
		report := mustEdit(t, b.server(), unbind)
		if !report.Changed || report.Restarted || report.State != server.Stopped {
			t.Errorf("report: %+v", report)
		}
		if b.runs() != l.supervised || b.count(plexsim.EventStart) != 0 {
			t.Error("it was started")
		}
		if hasToken(t, b.preferences()) {
			t.Error("the token is still there")
		}
		b.wantAttributes()
		b.waitIdle()
	})
}

// A container that does not run is edited from outside, whatever is in it.
func TestContainerWithASupervisorThatDoesNotRunIsEditedAndStaysSo(t *testing.T) {
	b := newBox(t, linuxserver, boxOptions{created: true})
	mustEdit(t, b.server(), unbind)
	if b.runs() || hasToken(t, b.preferences()) {
		t.Error("it runs, or has its token")
	}
	b.wantAttributes()
}

func TestContainerServerThatDoesNotStopInTimeIsLeftRunning(t *testing.T) {
	everyLayout(t, func(t *testing.T, l layout) {
		b := newBox(t, l, boxOptions{
			configure: func(c *plexsim.Config) { c.IgnoreTerm = true },
			arguments: []string{"--stop-timeout=1"}, // after which the engine kills who is only asked
		})
		before := b.preferences()
		_, err := b.server(func(o *server.Options) { o.StopTimeout, o.Limits.Linger = time.Second, time.Second }).Edit(t.Context(), unbind)
		wantContainerError(t, b, err, server.ErrStopTimeout)
		if b.supervised && !strings.Contains(err.Error(), "process ") {
			t.Errorf("its process was not seen, into which root in the container may not look: %v", err)
		}
		b.waitIdle()
		if !b.answers() || b.count(plexsim.EventStart) != 1 || !bytes.Equal(b.preferences(), before) {
			t.Error("it was killed, restarted or changed")
		}
	})
}

func TestContainerServerThatStopsLateIsStartedAgain(t *testing.T) {
	everyLayout(t, func(t *testing.T, l layout) {
		b := newBox(t, l, boxOptions{
			configure: func(c *plexsim.Config) { c.StopDelay = plexsim.Duration(2 * time.Second) },
			arguments: []string{"--restart=unless-stopped"},
		})
		_, err := b.server(func(o *server.Options) { o.StopTimeout = time.Second }).Edit(t.Context(), unbind)
		wantContainerError(t, b, err, server.ErrStopTimeout)
		b.waitCount(plexsim.EventListening, 2)
		b.waitReady()
		b.waitIdle()
		if !hasToken(t, b.preferences()) {
			t.Error("it came back without its token")
		}
	})
}

func TestContainerPreferencesThatAreEmptyAfterTheStopAreRestored(t *testing.T) {
	everyLayout(t, func(t *testing.T, l layout) {
		b := newBox(t, l, boxOptions{configure: func(c *plexsim.Config) { c.EmptyAtStop = true }})
		report := mustEdit(t, b.server(), unbind)
		if !strings.Contains(strings.Join(report.Warnings, " "), "damaged its preferences") {
			t.Errorf("warnings: %q", report.Warnings)
		}
		if now := b.preferences(); len(now) == 0 || hasToken(t, now) || !bytes.Contains(now, []byte(b.Identity.Processed)) {
			t.Errorf("preferences: %q", now)
		}
		b.wantAttributes()
	})
}

func TestContainerServerThatDoesNotComeUpGetsItsOldPreferencesBack(t *testing.T) {
	everyLayout(t, func(t *testing.T, l layout) {
		b := newBox(t, l, boxOptions{configure: func(c *plexsim.Config) { c.RefuseWithoutToken = true }})
		_, err := b.server(func(o *server.Options) { o.Limits.Verify = time.Second }).Edit(t.Context(), unbind)
		wantContainerError(t, b, err, server.ErrReverted)
		b.waitReady()
		if !hasToken(t, b.preferences()) {
			t.Error("it has not got its token back")
		}
		b.wantAttributes()
		b.waitIdle()
	})
}

func TestContainerHasOneEditorAtATime(t *testing.T) {
	everyLayout(t, func(t *testing.T, l layout) {
		b := newBox(t, l, boxOptions{})
		var second error
		mustEdit(t, b.server(), func(d prefs.Document) error {
			if second == nil {
				_, second = b.server(func(o *server.Options) { o.Limits.Lock = time.Second }).Edit(t.Context(), unbind)
			}
			return unbind(d)
		})
		wantContainerError(t, b, second, server.ErrLocked)
		if !strings.Contains(second.Error(), "process") {
			t.Errorf("the holder is not named: %v", second)
		}
		if n := b.count(plexsim.EventStopping); n != 1 {
			t.Errorf("stopped %d times, want 1", n)
		}
	})
}

// wantContainerError checks the condition, and that the container is named.
func wantContainerError(t *testing.T, b *box, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want one that is %q", err, want)
	}
	if !strings.Contains(err.Error(), "container "+b.Name) {
		t.Errorf("the error does not name the container: %v", err)
	}
}

func TestContainerIsReachedThroughADockerCommandWhereItsSocketIsNot(t *testing.T) {
	b := newBox(t, process1, boxOptions{})
	through := host.Exec{Command: []string{"sh"}} // gives a shell and no connections
	s := newServer(t, b.host(through), b.options())
	found, err := s.Inspect(t.Context())
	if err != nil || found.ID != b.Identity.Processed {
		t.Fatalf("%+v %v", found, err)
	}
}
