package server_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// The conformance suite of service managers, over those that run here for real
// without root: runit, s6 and supervisord. systemd and OpenRC run the whole suite
// of this package in the lab.

// everyManager runs test once with each of them, under one shell each; the shells
// are told apart by the tests of the rest of the suite.
func everyManager(t *testing.T, test func(t *testing.T, h host.Host, m *simtest.Manager)) {
	t.Helper()
	if os.Getenv(simtest.EnvLab) != "" {
		t.Skip("NOT RUN: here the whole suite runs with the host's own service manager")
	}
	for i, kind := range simtest.Managers() {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			shell := shells[i%len(shells)].argv
			if _, err := exec.LookPath(shell[0]); err != nil {
				shell = nil
			}
			test(t, host.Local{Interpreter: shell}, simtest.NewManager(t, kind))
		})
	}
}

// boundUnder is bound, under a manager.
func boundUnder(t *testing.T, m *simtest.Manager, configure func(*plexsim.Config)) *simtest.ServerProcess {
	t.Helper()
	tv := simtest.NewPlexTV(t)
	sim := simtest.NewServer(t, simtest.Options{PlexTV: tv, Account: &simtest.Owner, Configure: configure, Manager: m})
	sim.Start()
	// The server may answer before its manager has written down that it runs.
	simtest.Eventually(t, "the manager to name the process", func() bool { return sim.PID() != 0 })
	return sim
}

func TestEveryManagerUnbindsInOneStopAndStart(t *testing.T) {
	everyManager(t, func(t *testing.T, h host.Host, m *simtest.Manager) {
		sim := boundUnder(t, m, func(c *plexsim.Config) { c.StopDelay = plexsim.Duration(200 * time.Millisecond) })
		report := mustEdit(t, newServer(t, h, options(sim)), unbind)
		if !report.Restarted || sim.StopCount() != 1 || sim.StartCount() != 2 || hasToken(t, sim.Preferences()) {
			t.Errorf("restarted %v, %d stops, %d starts, token %v", report.Restarted, sim.StopCount(), sim.StartCount(), hasToken(t, sim.Preferences()))
		}
		if report.Manager != sim.Manager() || report.Unit != sim.Unit() || report.PreferencesPath != sim.PreferencesPath() || report.Platform != "linux" {
			t.Errorf("report: %+v", report.Inspection)
		}
		wantClean(t, sim)
	})
}

func TestEveryManagerLeavesAStoppedServerStopped(t *testing.T) {
	everyManager(t, func(t *testing.T, h host.Host, m *simtest.Manager) {
		sim := boundUnder(t, m, nil)
		sim.Stop()
		starts := sim.StartCount()
		report := mustEdit(t, newServer(t, h, options(sim)), unbind)
		if report.Restarted || report.State != server.Stopped || sim.Running() || sim.StartCount() != starts || hasToken(t, sim.Preferences()) {
			t.Errorf("report %+v, running %v", report.Inspection, sim.Running())
		}
	})
}

func TestNoManagerKillsAServerThatDoesNotStop(t *testing.T) {
	everyManager(t, func(t *testing.T, h host.Host, m *simtest.Manager) {
		sim := boundUnder(t, m, func(c *plexsim.Config) { c.IgnoreTerm = true })
		pid, before := sim.PID(), sim.Preferences()
		// The file holds one second; s6 would kill after it.
		if sim.Manager() == server.ManagerS6 {
			if err := os.WriteFile(filepath.Join(m.ServiceDir(sim), "timeout-kill"), []byte("1000\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s := newServer(t, h, options(sim, func(o *server.Options) { o.StopTimeout, o.Limits.Linger = 2*time.Second, time.Second }))
		_, err := s.Edit(t.Context(), unbind)
		wantError(t, err, server.ErrStopTimeout)
		simtest.Eventually(t, "the script to end", func() bool { return lockIsFree(t, sim) })
		if sim.PID() != pid || string(sim.Preferences()) != string(before) {
			t.Errorf("process %d, was %d", sim.PID(), pid)
		}
	})
}

func TestEveryManagerStartsAgainWhatStopsLate(t *testing.T) {
	everyManager(t, func(t *testing.T, h host.Host, m *simtest.Manager) {
		sim := boundUnder(t, m, func(c *plexsim.Config) { c.StopDelay = plexsim.Duration(2500 * time.Millisecond) })
		s := newServer(t, h, options(sim, func(o *server.Options) { o.StopTimeout = time.Second }))
		_, err := s.Edit(t.Context(), unbind)
		wantError(t, err, server.ErrStopTimeout)
		wantBack(t, sim, true)
	})
}

// What was told to stop and goes on past all limits is wanted again: it comes
// back if it ends much later.
func TestWhatStopsWhenNobodyWaitsAnyMoreIsStillWanted(t *testing.T) {
	everyManager(t, func(t *testing.T, h host.Host, m *simtest.Manager) {
		if m.Kind() == server.ManagerSupervisord {
			t.Skip("supervisord cannot be told so")
		}
		sim := boundUnder(t, m, func(c *plexsim.Config) { c.IgnoreTerm = true })
		s := newServer(t, h, options(sim, func(o *server.Options) { o.StopTimeout, o.Limits.Linger = time.Second, time.Second }))
		_, err := s.Edit(t.Context(), unbind)
		wantError(t, err, server.ErrStopTimeout)
		simtest.Eventually(t, "the script to end", func() bool { return lockIsFree(t, sim) })
		pid := sim.PID()
		if pid == 0 {
			t.Fatal("the server does not run")
		}
		if err := signalTo(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		sim.WaitEvent(plexsim.EventStart, 2)
	})
}

func TestEveryManagerPutsBackTheOldPreferencesOfAServerThatDoesNotComeUp(t *testing.T) {
	everyManager(t, func(t *testing.T, h host.Host, m *simtest.Manager) {
		sim := boundUnder(t, m, func(c *plexsim.Config) { c.RefuseWithoutToken = true })
		s := newServer(t, h, options(sim, func(o *server.Options) { o.Limits.Verify = time.Second }))
		_, err := s.Edit(t.Context(), unbind)
		wantError(t, err, server.ErrReverted)
		if !sim.Running() || !hasToken(t, sim.Preferences()) {
			t.Errorf("running %v; %v", sim.Running(), err)
		}
		sim.WaitReady()
	})
}

func TestUnderEveryManagerTheGuardBringsBackTheServerOfAKilledScript(t *testing.T) {
	everyManager(t, func(t *testing.T, h host.Host, m *simtest.Manager) {
		sim := boundUnder(t, m, nil)
		w := &wire{Host: h, onRecord: map[string]func(*wireShell){
			"stopped": func(*wireShell) {
				if err := signalTo(scriptPID(t, sim), syscall.SIGKILL); err != nil {
					t.Error(err)
				}
			},
		}}
		_, err := newServer(t, w, options(sim)).Edit(t.Context(), unbind)
		wantError(t, err, server.ErrDisconnected)
		wantBack(t, sim, true)
	})
}

func TestUnderEveryManagerTheServerIsFoundByItself(t *testing.T) {
	everyManager(t, func(t *testing.T, h host.Host, m *simtest.Manager) {
		sim := boundUnder(t, m, nil)
		for name, choose := range map[string]func(*server.Options){
			"by its preferences": func(o *server.Options) { o.PreferencesPath = sim.PreferencesPath() },
			"by its manager":     func(o *server.Options) { o.PreferencesPath, o.Service.Manager = sim.PreferencesPath(), m.Kind() },
			"by its name": func(o *server.Options) {
				o.PreferencesPath, o.Service.Name = sim.PreferencesPath(), filepath.Base(sim.Unit())
			},
		} {
			got, err := newServer(t, h, found(sim, choose)).Inspect(t.Context())
			if err != nil || got.PreferencesPath != sim.PreferencesPath() || got.Manager != m.Kind() ||
				got.Unit != sim.Unit() || got.State != server.Running {
				t.Errorf("%s: found %s, %s, %s, %v", name, got.Service(), got.PreferencesPath, got.State, err)
			}
		}
	})
}

func TestUnderEveryManagerSeveralServersAreListed(t *testing.T) {
	everyManager(t, func(t *testing.T, h host.Host, m *simtest.Manager) {
		one, two := boundUnder(t, m, nil), boundUnder(t, m, nil)
		_, err := newServer(t, h, found(one, func(o *server.Options) { o.Service.Manager = m.Kind() })).Inspect(t.Context())
		wantError(t, err, server.ErrSeveralServers)
		wantSays(t, err, one.Unit()+" ("+m.Kind()+", "+one.PreferencesPath()+")", two.Unit()+" ("+m.Kind()+", "+two.PreferencesPath()+")",
			"server.service.name", "server.service.manager", "server.preferences_path")
		if one.StopCount()+two.StopCount() > 0 {
			t.Error("one was stopped")
		}
	})
}

// supervisord kills what has not ended after stopwaitsecs.
func TestSupervisordIsOnlyToldToStopWhatItWillNotKill(t *testing.T) {
	if os.Getenv(simtest.EnvLab) != "" {
		t.Skip("NOT RUN: here the service manager is another one")
	}
	for autorestart, want := range map[string]error{"false": server.ErrStopTimeout, "unexpected": server.ErrStopTimeout, "true": server.ErrKillLimit} {
		t.Run(autorestart, func(t *testing.T) {
			t.Parallel()
			m := simtest.NewManager(t, server.ManagerSupervisord)
			sim := simtest.NewServer(t, simtest.Options{Token: "a-token", Manager: m, Configure: func(c *plexsim.Config) { c.IgnoreTerm = true }})
			m.ChangeProgram(sim, func(settings string) string {
				return strings.NewReplacer("=86400", "=1", "autorestart=true", "autorestart="+autorestart).Replace(settings)
			})
			sim.Start()
			pid, before := sim.PID(), sim.Preferences()
			o := options(sim, func(o *server.Options) { o.StopTimeout, o.Limits.Linger = 3*time.Second, time.Second })
			_, err := newServer(t, host.Local{}, o).Edit(t.Context(), unbind)
			wantError(t, err, want)
			if want == server.ErrKillLimit {
				wantSays(t, err, "stopwaitsecs of 1", "set stopwaitsecs to 4", "[program:plexmediaserver]", "autorestart is true")
			}
			simtest.Eventually(t, "the script to end", func() bool { return lockIsFree(t, sim) })
			if sim.PID() != pid || string(sim.Preferences()) != string(before) {
				t.Errorf("process %d, was %d", sim.PID(), pid)
			}
			// And where the server obeys it stops, once, and starts.
			if want == server.ErrKillLimit {
				return
			}
			sim.Kill()
			if err := os.Remove(filepath.Join(sim.DataDir(), "plexmediaserver.pid")); err != nil {
				t.Fatal(err)
			}
			sim.Configure(func(c *plexsim.Config) { c.IgnoreTerm, c.StopDelay = false, plexsim.Duration(1500*time.Millisecond) })
			sim.Start()
			mustEdit(t, newServer(t, host.Local{}, options(sim)), unbind)
			if sim.StopCount() != 1 || plexsim.Count(sim.Events(), plexsim.EventStopped) != 1 || !sim.Running() {
				t.Errorf("%d stops, running %v", sim.StopCount(), sim.Running())
			}
		})
	}
}

// A supervisor that nobody was told of starts the server again, here as soon as the
// old one is about to end: nothing is written under it.
func TestAServerThatSomethingElseStartsAgainIsLeftAsItIs(t *testing.T) {
	if os.Getenv(simtest.EnvLab) != "" {
		t.Skip("NOT RUN: here the service manager is another one")
	}
	sim := bound(t, func(c *plexsim.Config) { c.StopDelay = plexsim.Duration(time.Second) })
	s := standIn{t, t.TempDir(), sim}
	o := options(sim, func(o *server.Options) {
		o.Commands, o.Service = server.Commands{}, server.Service{Manager: server.ManagerSysV, Name: s.script("init.d/plexmediaserver", 3, 1)}
	})
	again := exec.Command(filepath.Join(sim.SupportDir(), ".plexsim", "Plex Media Server"))
	again.Env = []string{"PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR=" + sim.SupportDir()}
	var wg sync.WaitGroup
	wg.Go(func() {
		sim.WaitEvent(plexsim.EventStopping, 1)
		if err := again.Start(); err != nil {
			t.Error(err)
		}
	})
	_, err := newServer(t, host.Local{}, o).Edit(t.Context(), unbind)
	wg.Wait()
	wantError(t, err, server.ErrRespawned)
	if !hasToken(t, sim.Preferences()) {
		t.Error("the preferences were changed under a running server")
	}
	simtest.Eventually(t, "the script to end", func() bool { return lockIsFree(t, sim) })
	wantClean(t, sim)
	if again.Process != nil {
		_ = again.Process.Kill()
		_ = again.Wait()
	}
}
