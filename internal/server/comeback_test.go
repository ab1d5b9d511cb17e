package server_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Rule 6: the server always comes back.

// wantBack waits until the server answers again, and checks that its
// preferences are whole and that nothing is left of the edit.
func wantBack(t *testing.T, sim *simtest.ServerProcess, token bool) {
	t.Helper()
	sim.WaitEvent(plexsim.EventListening, 2)
	sim.WaitReady()
	simtest.Eventually(t, "the script to end", func() bool { return lockIsFree(t, sim) })
	if got := hasToken(t, sim.Preferences()); got != token {
		t.Errorf("token present: %v, want %v", got, token)
	}
	wantClean(t, sim)
}

func TestTheServerComesBackWhenTheProviderGoesAwayWhileItIsStopped(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		w := &wire{Host: h, onRecord: map[string]func(*wireShell){
			"stopped": func(s *wireShell) { _ = s.Close(); s.silence() },
		}}
		_, err := newServer(t, w, options(sim)).Edit(t.Context(), unbind)
		wantError(t, err, server.ErrDisconnected)
		wantBack(t, sim, true)
	})
}

func TestTheServerComesBackWhenTheConnectionGoesSilentWhileItIsStopped(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		var shell *wireShell
		w := &wire{Host: h, onRecord: map[string]func(*wireShell){
			"stopped": func(s *wireShell) { shell = s; s.silence() },
		}}
		s := newServer(t, w, options(sim, func(o *server.Options) {
			o.StopTimeout, o.Limits.Command, o.Limits.Silence = 3*time.Second, 3*time.Second, time.Second
		}))
		_, err := s.Edit(t.Context(), unbind)
		wantError(t, err, server.ErrDisconnected)
		sim.WaitEvent(plexsim.EventListening, 2)
		_ = shell.Shell.Close()
		wantBack(t, sim, true)
	})
}

func TestTheServerComesBackWhenTheEndOfItsNewPreferencesDoesNotCome(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		w := &wire{Host: h, onWrite: func(p []byte) []byte {
			if sim.StopCount() == 0 {
				return p
			}
			return p[:len(p)-1]
		}}
		s := newServer(t, w, options(sim, func(o *server.Options) {
			o.StopTimeout, o.Limits.Command, o.Limits.Silence = 3*time.Second, 3*time.Second, time.Second
		}))
		_, err := s.Edit(t.Context(), unbind)
		wantError(t, err, server.ErrNotWritten)
		wantBack(t, sim, true)
	})
}

// Nobody else can edit while a script waits for somebody who has gone without a word.
func TestTheLockIsGivenUpWhenTheConnectionGoesSilent(t *testing.T) {
	for _, after := range []string{"ready", "started"} {
		t.Run(after, func(t *testing.T) {
			everyShell(t, func(t *testing.T, h host.Host) {
				sim := bound(t, nil)
				var shell *wireShell
				w := &wire{Host: h, onRecord: map[string]func(*wireShell){
					after: func(s *wireShell) { shell = s; s.silence() },
				}}
				s := newServer(t, w, options(sim, func(o *server.Options) { o.Limits.Silence = time.Second }))
				_, err := s.Edit(t.Context(), unbind)
				wantError(t, err, server.ErrDisconnected)
				simtest.Eventually(t, "the script to end", func() bool { return lockIsFree(t, sim) })
				sim.WaitReady()
				if got := hasToken(t, sim.Preferences()); got != (after == "ready") {
					t.Errorf("token present: %v", got)
				}
				wantClean(t, sim)
				_ = shell.Shell.Close()
			})
		})
	}
}

func TestAProviderThatTakesLongIsNotTakenForGone(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		w := &wire{Host: h}
		s := newServer(t, w, options(sim, func(o *server.Options) { o.Limits.Silence = 2 * time.Second }))
		mustEdit(t, s, func(d prefs.Document) error {
			if sim.StopCount() == 0 {
				simtest.Eventually(t, "the script to hear that it takes long", func() bool { return w.count("wait") > 3 })
			}
			return unbind(d)
		})
		wantClean(t, sim)
	})
}

func TestTheServerComesBackWhenTheProviderGoesAwayWithinTheNewPreferences(t *testing.T) {
	onlyForFiles(t)
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		w := &wire{Host: h}
		var shell *wireShell
		w.onRecord = map[string]func(*wireShell){"stopped": func(s *wireShell) { shell = s }}
		w.onWrite = func(p []byte) []byte {
			if !bytes.HasPrefix(p, []byte("write ")) {
				return p
			}
			if _, err := shell.Shell.Write(p[:len(p)-100]); err != nil {
				t.Error(err)
			}
			_ = shell.Close()
			shell.silence()
			return nil
		}
		_, err := newServer(t, w, options(sim)).Edit(t.Context(), unbind)
		wantError(t, err, server.ErrDisconnected)
		wantBack(t, sim, true)
	})
}

func TestTheServerComesBackWhenTheProviderGoesAwayAfterWriting(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		w := &wire{Host: h, onRecord: map[string]func(*wireShell){
			"started": func(s *wireShell) { _ = s.Close(); s.silence() },
		}}
		_, err := newServer(t, w, options(sim)).Edit(t.Context(), unbind)
		wantError(t, err, server.ErrDisconnected)
		wantBack(t, sim, false)
	})
}

func TestTheServerComesBackWhenTheScriptIsKilledWhileItIsStopped(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		w := &wire{Host: h, onRecord: map[string]func(*wireShell){
			"stopped": func(*wireShell) {
				if err := signalTo(scriptPID(t, sim), syscall.SIGKILL); err != nil {
					t.Error(err)
				}
			},
		}}
		// Nothing that the script has left waits for its limit, and keeps the connection or the lock for so long.
		s := newServer(t, w, options(sim, func(o *server.Options) { o.Limits.Silence, o.Limits.Command = longer, longer }))
		edited := make(chan error, 1)
		go func() {
			_, err := s.Edit(t.Context(), unbind)
			edited <- err
		}()
		simtest.Eventually(t, "the edit to end", func() bool { return len(edited) == 1 })
		wantError(t, <-edited, server.ErrDisconnected)
		wantBack(t, sim, true)
	})
}

// The guard is forked before the stop. By what it knew then the copies would be of no use.
func TestAGuardThatCannotReadHowFarTheEditWasKeepsTheCopies(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		backups := sim.DataDir() + ".terraform-backups"
		w := &wire{Host: h, onRecord: map[string]func(*wireShell){
			"stopped": func(*wireShell) {
				found, err := filepath.Glob(filepath.Join(backups, "*.stage"))
				if err != nil || len(found) != 1 {
					t.Errorf("%v %v", found, err)
					return
				}
				if err := errors.Join(os.Remove(found[0]), signalTo(scriptPID(t, sim), syscall.SIGKILL)); err != nil {
					t.Error(err)
				}
			},
		}}
		s := newServer(t, w, options(sim, func(o *server.Options) { o.Limits.Silence = time.Second }))
		_, err := s.Edit(t.Context(), unbind)
		wantError(t, err, server.ErrDisconnected)
		simtest.Eventually(t, "the script to end", func() bool { return lockIsFree(t, sim) })
		for _, pattern := range []string{"*.before.*", "*.after.*"} {
			copies, err := filepath.Glob(filepath.Join(backups, pattern))
			if err != nil || len(copies) != 1 {
				t.Errorf("%s: %v %v", pattern, copies, err)
			}
		}
	})
}

// What the start command says cannot be kept on a disk that is full, or has become read-only.
func TestTheServerComesBackWhereNothingCanBeWrittenDownAnyMore(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		log := ""
		w := &wire{Host: h, onRecord: map[string]func(*wireShell){
			"stopped": func(*wireShell) {
				found, err := filepath.Glob(filepath.Join(sim.DataDir()+".terraform-backups", "*.stage"))
				if err != nil || len(found) != 1 {
					t.Errorf("%v %v", found, err)
					return
				}
				log = found[0] + ".log"
				if err := errors.Join(os.Remove(log), os.Mkdir(log, 0o700)); err != nil {
					t.Error(err)
				}
			},
		}}
		mustEdit(t, newServer(t, w, options(sim)), unbind)
		if err := os.Remove(log); err != nil {
			t.Error(err)
		}
		wantBack(t, sim, false)
	})
}

func TestTheServerComesBackWhenTheScriptIsToldToEnd(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
			t.Run(signal.String(), func(t *testing.T) {
				sim := bound(t, nil)
				w := &wire{Host: h, onRecord: map[string]func(*wireShell){
					"stopped": func(*wireShell) {
						if err := signalTo(scriptPID(t, sim), signal); err != nil {
							t.Error(err)
						}
					},
				}}
				mustEdit(t, newServer(t, w, options(sim)), unbind)
				wantBack(t, sim, false)
			})
		}
	})
}

func TestAnInterruptedEditIsCarriedToWhereTheServerRunsAgain(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, func(c *plexsim.Config) { c.StopDelay = plexsim.Duration(200 * time.Millisecond) })
		ctx, cancel := context.WithCancel(t.Context())
		w := &wire{Host: h, onRecord: map[string]func(*wireShell){"stopped": func(*wireShell) { cancel() }}}
		_, err := newServer(t, w, options(sim)).Edit(ctx, unbind)
		wantError(t, err, server.ErrUnverified)
		wantBack(t, sim, false)
	})
}

func TestAnEditThatIsInterruptedEarlyStopsNothing(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		before := sim.Preferences()
		ctx, cancel := context.WithCancel(t.Context())
		w := &wire{Host: h, onRecord: map[string]func(*wireShell){"state": func(*wireShell) { cancel() }}}
		_, err := newServer(t, w, options(sim)).Edit(ctx, unbind)
		wantError(t, err, context.Canceled)
		simtest.Eventually(t, "the script to end", func() bool { return lockIsFree(t, sim) })
		wantUntouched(t, sim, before)
	})
}

func TestAServerThatDoesNotComeUpGetsItsOldPreferencesBack(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, func(c *plexsim.Config) { c.RefuseWithoutToken = true })
		s := newServer(t, h, options(sim, func(o *server.Options) { o.Limits.Verify = time.Second }))
		report, err := s.Edit(t.Context(), unbind)
		wantError(t, err, server.ErrReverted)
		if !sim.Running() || !hasToken(t, sim.Preferences()) {
			t.Errorf("running %v; %v", sim.Running(), err)
		}
		sim.WaitReady()
		if report.Backup == "" {
			t.Error("no copy is named")
		}
	})
}

func TestAStartCommandThatFailsOnceBringsTheOldPreferencesBack(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		flag := t.TempDir() + "/failed"
		s := newServer(t, h, options(sim, byCommands(sim, func(c *server.Commands) {
			c.Start = fmt.Sprintf("[ -e %[1]s ] || { touch %[1]s; echo no memory >&2; exit 1; }; %[2]s", flag, c.Start)
		})))
		_, err := s.Edit(t.Context(), unbind)
		wantError(t, err, server.ErrStartFailed)
		if !sim.Running() || !hasToken(t, sim.Preferences()) {
			t.Error("the server does not run with its old preferences")
		}
	})
}

// Who would run for ever is waited for no longer than Limits.Command, or StopTimeout, and keeps no lock.
func TestACommandThatHangsIsGivenUp(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		// The limits add up to what a host is waited for that has none of its own.
		limits := func(o *server.Options) {
			o.StopTimeout, o.Limits.Command, o.Limits.Silence = 3*time.Second, 2*time.Second, 3*time.Second
		}
		hangs := "while [ -e %[1]s ]; do sleep 0.1; done; exit 0" // no longer than there is a test
		t.Run("start", func(t *testing.T) {
			t.Parallel()
			sim, flag := bound(t, nil), filepath.Join(t.TempDir(), "hangs")
			_, err := newServer(t, h, options(sim, limits, byCommands(sim, func(c *server.Commands) {
				c.Start = fmt.Sprintf("[ -e %[1]s ] || { touch %[1]s; "+hangs+"; }; %[2]s", flag, c.Start)
			}))).Edit(t.Context(), unbind)
			wantError(t, err, server.ErrStartFailed)
			simtest.Eventually(t, "the script to end", func() bool { return lockIsFree(t, sim) })
			if !sim.Running() || !hasToken(t, sim.Preferences()) {
				t.Error("the server does not run with its old preferences")
			}
		})
		t.Run("stop", func(t *testing.T) {
			t.Parallel()
			sim, dir := bound(t, nil), t.TempDir()
			mustEdit(t, newServer(t, h, options(sim, limits, byCommands(sim, func(c *server.Commands) {
				c.Stop += "; " + fmt.Sprintf(hangs, dir)
			}))), unbind)
			wantBack(t, sim, false)
		})
		t.Run("status", func(t *testing.T) {
			t.Parallel()
			sim, dir := bound(t, nil), t.TempDir()
			before := sim.Preferences()
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			_, err := newServer(t, h, options(sim, limits, byCommands(sim, func(c *server.Commands) {
				c.Status = fmt.Sprintf(hangs, dir)
			}))).Edit(ctx, unbind)
			wantError(t, err, server.ErrMoving)
			wantSays(t, err, "has not ended within 2 s")
			simtest.Eventually(t, "the script to end", func() bool { return lockIsFree(t, sim) })
			wantUntouched(t, sim, before)
		})
	})
}

func TestAServerThatDiesAtOnceAfterTheProviderHasGoneGetsItsOldPreferencesBack(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		flag := t.TempDir() + "/died"
		w := &wire{Host: h, onRecord: map[string]func(*wireShell){
			"started": func(s *wireShell) { _ = s.Close(); s.silence() },
		}}
		s := newServer(t, w, options(sim, byCommands(sim, func(c *server.Commands) {
			// The first start claims success and starts nothing.
			c.Start = fmt.Sprintf("[ -e %[1]s ] || { touch %[1]s; exit 0; }; %[2]s", flag, c.Start)
		})))
		_, err := s.Edit(t.Context(), unbind)
		wantError(t, err, server.ErrDisconnected)
		wantBack(t, sim, true)
	})
}

// A stale pid file keeps a server from ever opening its port (plex-facts 4).
func TestAPIDFileThatAKilledServerLeftDoesNotHoldTheNextOne(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		kill := fmt.Sprintf("kill -KILL %d", sim.PID())
		if sim.Manager() == "systemd" { // or systemd would start it again by itself
			kill = fmt.Sprintf("systemctl kill --signal=KILL %[1]s; systemctl stop %[1]s", sim.Unit())
		}
		s := newServer(t, h, options(sim, byCommands(sim, func(c *server.Commands) { c.Stop = kill })))
		mustEdit(t, s, unbind)
		wantBack(t, sim, false)
	})
}
