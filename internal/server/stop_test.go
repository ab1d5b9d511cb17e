package server_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Rule 2: stopping is graceful and proven.

// lockIsFree tells whether no editor, and no script that goes on alone, has sim.
func lockIsFree(t *testing.T, sim *simtest.ServerProcess) bool {
	t.Helper()
	lock := filepath.Join(sim.DataDir(), ".terraform-provider-plex.lock")
	if isMac(sim) {
		_, err := os.Stat(lock + ".held")
		return os.IsNotExist(err)
	}
	if _, err := os.Stat(lock); err != nil {
		t.Fatal(err)
	}
	return exec.Command("flock", "--nonblock", lock, "true").Run() == nil
}

func TestAServerThatDoesNotStopIsLeftRunning(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, func(c *plexsim.Config) { c.IgnoreTerm = true })
		pid, before := sim.PID(), sim.Preferences()
		s := newServer(t, h, options(sim, func(o *server.Options) { o.StopTimeout, o.Limits.Linger = time.Second, time.Second }))
		_, err := s.Edit(t.Context(), unbind)
		wantError(t, err, server.ErrStopTimeout)
		simtest.Eventually(t, "the script to end", func() bool { return lockIsFree(t, sim) })
		if !sim.Running() || sim.PID() != pid {
			t.Errorf("the server was killed or restarted: running %v, process %d, was %d", sim.Running(), sim.PID(), pid)
		}
		if string(sim.Preferences()) != string(before) {
			t.Error("the preferences were changed under a running server")
		}
	})
}

func TestAServerThatStopsLateIsStartedAgain(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, func(c *plexsim.Config) { c.StopDelay = plexsim.Duration(2500 * time.Millisecond) })
		s := newServer(t, h, options(sim, func(o *server.Options) { o.StopTimeout = time.Second }))
		_, err := s.Edit(t.Context(), unbind)
		wantError(t, err, server.ErrStopTimeout)
		sim.WaitEvent(plexsim.EventListening, 2)
		if !hasToken(t, sim.Preferences()) {
			t.Error("it came back without its token")
		}
		simtest.Eventually(t, "the script to end", func() bool { return lockIsFree(t, sim) })
	})
}

func TestAStopCommandThatReturnsEarlyIsWaitedFor(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, func(c *plexsim.Config) { c.StopDelay = plexsim.Duration(300 * time.Millisecond) })
		s := newServer(t, h, options(sim, byCommands(sim, func(c *server.Commands) {
			c.Stop = fmt.Sprintf("kill -TERM %d", sim.PID())
		})))
		mustEdit(t, s, unbind)
		if hasToken(t, sim.Preferences()) {
			t.Error("the server wrote its old preferences over the new ones as it stopped")
		}
	})
}

// A status command can be wrong; the process and the port are asked too.
func TestAStatusThatSaysStoppedTooEarlyIsNotBelieved(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, func(c *plexsim.Config) { c.StopDelay = plexsim.Duration(300 * time.Millisecond) })
		flag := filepath.Join(t.TempDir(), "asked")
		s := newServer(t, h, options(sim, byCommands(sim, func(c *server.Commands) {
			c.Stop = fmt.Sprintf("touch %s; kill -TERM %d", flag, sim.PID())
			c.Status = fmt.Sprintf("if [ -e %s ]; then exit 3; fi", flag)
			c.Start = fmt.Sprintf("rm -f %s; %s", flag, c.Start)
		})))
		mustEdit(t, s, unbind)
		if hasToken(t, sim.Preferences()) {
			t.Error("the server wrote its old preferences over the new ones as it stopped")
		}
	})
}

func TestTheProcessesOfAnotherServerAreNotMistaken(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim, other := bound(t, nil), bound(t, nil)
		mustEdit(t, newServer(t, h, options(sim)), unbind)
		if other.StopCount() != 0 || !other.Running() {
			t.Error("the other server was stopped")
		}
	})
}

func TestWhatIsStartedInheritsNoIgnoredSignalAndNoSecret(t *testing.T) {
	t.Setenv("PLEX_TOKEN", "planted-account-token")
	for _, shell := range shells {
		sim := bound(t, nil)
		mustEdit(t, newServer(t, host.Local{Interpreter: shell.argv}, options(sim)), unbind)
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", sim.PID()))
		if err != nil {
			t.Fatal(err)
		}
		var ignored uint64
		for line := range strings.Lines(string(status)) {
			if _, err := fmt.Sscanf(line, "SigIgn:\t%x", &ignored); err == nil {
				break
			}
		}
		for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP} {
			if ignored&(1<<(signal-1)) != 0 {
				t.Errorf("%s: the server was started with %v ignored", shell.name, signal)
			}
		}
		environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", sim.PID()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(environ), "planted-account-token") {
			t.Errorf("%s: the server inherited the account token", shell.name)
		}
		descriptors, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", sim.PID()))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range descriptors {
			if target, err := os.Readlink(d); err == nil && strings.HasSuffix(target, ".lock") {
				t.Errorf("%s: the server inherited the lock", shell.name)
			}
		}
	}
}

// What a process says of itself in its environment is not taken for what it says
// of another, whose own word still counts.
func TestAProcessThatSpeaksForAnotherIsNotBelieved(t *testing.T) {
	if os.Getenv(simtest.EnvLab) != "" {
		t.Skip("NOT RUN: here the service manager is another one")
	}
	everyShell(t, func(t *testing.T, h host.Host) {
		liar := filepath.Join(t.TempDir(), "Plex Media Server")
		sleep, err := exec.LookPath("sleep")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(sleep, liar); err != nil {
			t.Fatal(err)
		}
		// It has its number before the others have theirs, and so is read first.
		process := exec.Command("sh", "-c", `read -r variable && read -r other && exec env -i "$variable" "$other" "$0" 60`, liar)
		tell, err := process.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := process.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = process.Process.Kill(); _ = process.Wait() })
		sim, other := bound(t, nil), bound(t, nil)
		_, err = fmt.Fprintf(tell, "%s=%s\n%d (Plex Media Serv) S 1 1=\n", supportVariable, sim.SupportDir(), other.PID())
		if err != nil {
			t.Fatal(err)
		}
		simtest.Eventually(t, "the liar", func() bool {
			name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", process.Process.Pid))
			return err == nil && string(name) == "Plex Media Serv\n"
		})
		s := standIn{t, t.TempDir(), sim}
		o := options(sim, func(o *server.Options) {
			o.Commands, o.Service = server.Commands{}, server.Service{Manager: server.ManagerSysV, Name: s.script("init.d/plexmediaserver", 3, 1)}
		})
		mustEdit(t, newServer(t, h, o), unbind)
		if sim.StopCount() != 1 || other.StopCount() != 0 || !other.Running() {
			t.Errorf("stopped %d and %d times", sim.StopCount(), other.StopCount())
		}
	})
}

// A process that ends while it is looked at does not leave its directory to the
// next one: here the kernel says nothing more of the server itself.
func TestAProcessThatEndsWhileItIsLookedAtIsNotTakenForTheNext(t *testing.T) {
	if os.Getenv(simtest.EnvLab) != "" {
		t.Skip("NOT RUN: here the service manager is another one")
	}
	everyShell(t, func(t *testing.T, h host.Host) {
		sim, other := bound(t, nil), bound(t, nil)
		before := sim.Preferences()
		s := standIn{t, t.TempDir(), sim}
		cat, err := exec.LookPath("cat")
		if err != nil {
			t.Fatal(err)
		}
		s.write("bin/cat", fmt.Sprintf(`#!/bin/sh
seen=
for file; do
  shift
  if [ "$file" = /proc/%d/stat ]; then
    [ -z "$seen" ] || continue
    seen=yes
  fi
  set -- "$@" "$file"
done
exec %s "$@"
`, sim.PID(), cat))
		o := options(sim, func(o *server.Options) {
			o.Commands, o.Service = server.Commands{}, server.Service{Manager: server.ManagerSysV, Name: s.script("init.d/plexmediaserver", 3, 1)}
		})
		_, err = newServer(t, withPath(t, h.(host.Local).Interpreter, filepath.Join(s.dir, "bin")), o).Edit(t.Context(), unbind)
		wantError(t, err, server.ErrKillLimit)
		wantUntouched(t, sim, before)
		if other.StopCount() != 0 || !other.Running() {
			t.Error("another server was stopped")
		}
	})
}

// A process that has ended keeps its name until it is waited for, and cannot be
// looked into.
func TestAServerThatHasEndedButWasNotWaitedForIsNobodys(t *testing.T) {
	if os.Getenv(simtest.EnvLab) != "" {
		t.Skip("NOT RUN: here the service manager is another one")
	}
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		link := filepath.Join(t.TempDir(), "Plex Media Server")
		sleep, err := exec.LookPath("sleep")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(sleep, link); err != nil {
			t.Fatal(err)
		}
		ended := exec.Command(link, "0")
		if err := ended.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = ended.Wait() })
		simtest.Eventually(t, "it to end", func() bool {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", ended.Process.Pid))
			return err == nil && strings.Contains(string(stat), " (Plex Media Serv) Z ")
		})
		mustEdit(t, newServer(t, h, options(sim)), unbind)
		if sim.StopCount() != 1 {
			t.Errorf("stopped %d times", sim.StopCount())
		}
	})
}
