package server_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Service managers that do not run here, played by programs that behave as the
// facts say (plex-facts 5.1). Each of them kills what does not stop within a
// second, as such scripts do.

// initScript is a script for a server at DIR. It keeps a book of what it was told:
// a start of what it takes for started does nothing, and what has ended without
// a stop has crashed, with the exit status CRASHED.
const initScript = `#!/bin/sh
book=BOOK; pid_file='DIR/Plex Media Server/plexmediaserver.pid'
runs() { pid=$(cat "$pid_file" 2>/dev/null) && kill -0 "$pid" 2>/dev/null; }
echo "$1" >>"$book.calls"
case $1 in
  start)
    if [ -e "$book" ]; then echo "WARNING: it has already been started"; exit 0; fi
    'PROGRAM' start 'DIR' && : >"$book"
    ;;
  stop)
    if runs; then
      kill -TERM "$pid"
      for _ in 1 2 3 4 5 6 7 8 9 10; do runs || break; sleep 0.1; done
      if runs; then kill -KILL "$pid"; fi
    fi
    rm -f "$book"
    ;;
  status)
    if [ ! -e "$book" ]; then exit STOPPED; fi
    runs || exit CRASHED
    ;;
  *) echo "usage: $0 start|stop|status"; exit 1 ;;
esac
`

// standIn is a host with such a manager.
type standIn struct {
	t   *testing.T
	dir string
	sim *simtest.ServerProcess
}

func (s standIn) write(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chmod(path, 0o755); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// script is an initScript, whose status ends with these when nothing runs.
func (s standIn) script(name string, stopped, crashed int) string {
	s.t.Helper()
	book := filepath.Join(s.dir, "book")
	if err := os.WriteFile(book, nil, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return s.write(name, strings.NewReplacer("BOOK", book, "DIR", s.sim.SupportDir(), "PROGRAM", simtest.Program(s.t),
		"STOPPED", fmt.Sprint(stopped), "CRASHED", fmt.Sprint(crashed)).Replace(initScript))
}

// calls are how often the script was told to do verb.
func (s standIn) calls(verb string) int {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, "book.calls"))
	if err != nil && !os.IsNotExist(err) {
		s.t.Fatal(err)
	}
	return strings.Count("\n"+string(data), "\n"+verb+"\n")
}

// booksAgree tells whether the manager knows what the server does.
func (s standIn) booksAgree() bool {
	s.t.Helper()
	_, err := os.Stat(filepath.Join(s.dir, "book"))
	return (err == nil) == s.sim.Running()
}

// stop has the manager stop the server.
func (s standIn) stop() {
	s.t.Helper()
	s.sim.Stop()
	if err := os.Remove(filepath.Join(s.dir, "book")); err != nil {
		s.t.Fatal(err)
	}
}

// standIns make a manager for s.sim, and say which service it is there.
var standIns = map[string]func(s standIn) server.Service{
	"openrc": func(s standIn) server.Service {
		script := s.script("plexmediaserver", 3, 32)
		s.write("bin/rc-service", "#!/bin/sh\nif [ \"$1\" = --exists ]; then [ \"$2\" = plexmediaserver ]; exit; fi\n"+
			"[ \"$1\" = plexmediaserver ] && exec "+host.Quote(script)+" \"$2\"\n")
		return server.Service{Manager: server.ManagerOpenRC, Name: "plexmediaserver"}
	},
	"sysv": func(s standIn) server.Service {
		return server.Service{Manager: server.ManagerSysV, Name: s.script("init.d/plexmediaserver", 3, 1)}
	},
	"sysv that cannot be asked": func(s standIn) server.Service {
		path := s.script("init.d/plexmediaserver", 3, 1)
		data, err := os.ReadFile(path)
		if err != nil {
			s.t.Fatal(err)
		}
		s.write("init.d/plexmediaserver", strings.ReplaceAll(string(data), "status", "never"))
		return server.Service{Manager: server.ManagerSysV, Name: path}
	},
	"qnap": func(s standIn) server.Service {
		s.write("bin/getcfg", "#!/bin/sh\n[ \"$*\" = '-f /etc/config/qpkg.conf PlexMediaServer Install_path' ] && echo /share/nowhere\n")
		return server.Service{Manager: server.ManagerQNAP, Name: s.script("plex.sh", 3, 1)}
	},
	"synopkg of DSM 6": func(s standIn) server.Service {
		s.write("bin/synopkg", "#!/bin/sh\nexit 1\n")
		return server.Service{Manager: server.ManagerSynopkg, Name: s.script("Plex Media Server/scripts/start-stop-status", 3, 1)}
	},
	"freebsd": freeBSD,
}

// freeBSD has no /proc to be asked, no flock, and tools of its own. Its script
// looks for the process, whatever it was told before.
func freeBSD(s standIn) server.Service {
	script := s.script("rc.d/plexmediaserver", 1, 1)
	s.write("bin/uname", "#!/bin/sh\ncase $1 in -n) echo core ;; *) echo FreeBSD ;; esac\n")
	s.write("bin/service", "#!/bin/sh\nif [ \"$1\" = -l ]; then printf 'sshd\\nplexmediaserver\\n'; exit; fi\n"+
		"[ \"$1\" = plexmediaserver ] && exec "+host.Quote(script)+" \"${2#one}\"\n")
	s.write("bin/sysrc", "#!/bin/sh\n[ \"$*\" = '-n plexmediaserver_support_path' ] && printf '%s\\n' "+host.Quote(s.sim.SupportDir())+"\n")
	s.write("bin/ps", `#!/bin/sh
case "$*" in
  '-axo pid=,jid=,state=,comm=')
    /usr/bin/ps -axo pid=,state=,comm= | sed -e 's/^ *\([0-9]*\) /\1 0 /' -e 's/Plex Media Serv.*/Plex_Media_Server/'
    echo '99999 7 S Plex_Media_Server' ;;
  '-o jid= -p '*) echo '    0' ;;
  '-o state= -p '* | '-o ppid= -p '* | '-o lstart= -p '*) exec /usr/bin/ps "$@" ;;
  *) echo "ps: illegal option -- $*" >&2; exit 1 ;;
esac
`)
	s.write("bin/procstat", `#!/bin/sh
[ "$1" = -e ] || exit 1
echo '  PID COMM             ENVIRONMENT'
printf '%5s %-16s %s\n' "$2" Plex_Media_Server "$(tr '\000' ' ' <"/proc/$2/environ")"
`)
	s.write("bin/sockstat", `#!/bin/sh
[ "$1" = -46l ] || exit 1
echo 'USER     COMMAND    PID   FD  PROTO  LOCAL ADDRESS         FOREIGN ADDRESS'
sed -n 's/^ *[0-9]*: \([0-9A-F]*\):\([0-9A-F]*\) [0-9A-F:]* 0A .*/\1 \2/p' /proc/net/tcp | while read -r address port; do
  case $address in 0100007F) address=127.0.0.1 ;; 00000000) address='*' ;; *) continue ;; esac
  printf 'plex     Plex_Media 4242  20  tcp4   %s:%d       *:*\n' "$address" "0x$port"
done
`)
	s.write("bin/fsync", "#!/bin/sh\n[ \"$1\" != -- ] || shift\nexec sync \"$1\"\n")
	return server.Service{Manager: server.ManagerFreeBSD, Name: "plexmediaserver"}
}

// withPath is a host whose programs are those of dir and then all that this
// machine has, but for the ones that are left out.
func withPath(t *testing.T, shell []string, dir string, leftOut ...string) host.Host {
	t.Helper()
	rest := t.TempDir()
	// The owner of a data directory, as whom root works there, has to get there too.
	if err := os.Chmod(filepath.Dir(rest), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, from := range strings.Split(os.Getenv("PATH"), ":") {
		entries, err := os.ReadDir(from)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			_ = os.Symlink(filepath.Join(from, entry.Name()), filepath.Join(rest, entry.Name())) // the first one counts
		}
	}
	for _, name := range leftOut {
		if err := os.Remove(filepath.Join(rest, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if path, err := exec.LookPath(shell[0]); err == nil {
		shell = append([]string{path}, shell[1:]...)
	}
	return host.Local{Interpreter: append([]string{"env", "PATH=" + dir + ":" + rest}, shell...)}
}

// everyStandIn runs test with each of them, under one shell each.
func everyStandIn(t *testing.T, configure func(*plexsim.Config), test func(t *testing.T, h host.Host, s standIn, o server.Options)) {
	t.Helper()
	if os.Getenv(simtest.EnvLab) != "" {
		t.Skip("NOT RUN: here the whole suite runs with the host's own service manager")
	}
	for i, name := range slices.Sorted(maps.Keys(standIns)) {
		begin, shell := standIns[name], shells[i%len(shells)].argv
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(shell[0]); err != nil {
				shell = []string{"sh"}
			}
			s := standIn{t, t.TempDir(), bound(t, configure)}
			service := begin(s)
			leftOut := []string{"systemctl", "rc-service"}
			if service.Manager == server.ManagerFreeBSD {
				leftOut = append(leftOut, "flock", "getfacl", "getfattr")
			}
			o := server.Options{PreferencesPath: s.sim.PreferencesPath(), URL: s.sim.URL(), Limits: quick, Service: service}
			test(t, withPath(t, shell, filepath.Join(s.dir, "bin"), leftOut...), s, o)
			if !s.booksAgree() {
				t.Errorf("the server runs: %v, and its manager thinks otherwise", s.sim.Running())
			}
		})
	}
}

func TestEveryStandInUnbindsInOneStopAndStart(t *testing.T) {
	slow := func(c *plexsim.Config) { c.StopDelay = plexsim.Duration(1500 * time.Millisecond) }
	everyStandIn(t, slow, func(t *testing.T, h host.Host, s standIn, o server.Options) {
		report := mustEdit(t, newServer(t, h, o), unbind)
		if !report.Restarted || s.sim.StopCount() != 1 || s.sim.StartCount() != 2 || s.calls("start") != 1 || hasToken(t, s.sim.Preferences()) {
			t.Errorf("report %+v, %d stops, %d starts", report, s.sim.StopCount(), s.sim.StartCount())
		}
		if plexsim.Count(s.sim.Events(), plexsim.EventStopped) != 1 {
			t.Errorf("it was killed as it stopped: %v", s.sim.Events())
		}
		wantClean(t, s.sim)
	})
}

func TestEveryStandInLeavesAStoppedServerStopped(t *testing.T) {
	everyStandIn(t, nil, func(t *testing.T, h host.Host, s standIn, o server.Options) {
		s.stop()
		report := mustEdit(t, newServer(t, h, o), unbind)
		if report.Restarted || report.State != server.Stopped || s.sim.Running() || hasToken(t, s.sim.Preferences()) {
			t.Errorf("report %+v, running %v", report.Inspection, s.sim.Running())
		}
	})
}

func TestNoStandInKillsAServerThatDoesNotStop(t *testing.T) {
	deaf := func(c *plexsim.Config) { c.IgnoreTerm = true }
	everyStandIn(t, deaf, func(t *testing.T, h host.Host, s standIn, o server.Options) {
		pid, before := s.sim.PID(), s.sim.Preferences()
		o.StopTimeout, o.Limits.Linger = 2*time.Second, time.Second
		_, err := newServer(t, h, o).Edit(t.Context(), unbind)
		wantError(t, err, server.ErrStopTimeout)
		simtest.Eventually(t, "the script to end", func() bool { return s.isFree() })
		if s.sim.PID() != pid || string(s.sim.Preferences()) != string(before) || s.calls("stop") > 0 {
			t.Errorf("process %d, was %d; the script was told to stop it %d times", s.sim.PID(), pid, s.calls("stop"))
		}
	})
}

func TestEveryStandInStartsAgainWhatStopsLate(t *testing.T) {
	late := func(c *plexsim.Config) { c.StopDelay = plexsim.Duration(2500 * time.Millisecond) }
	everyStandIn(t, late, func(t *testing.T, h host.Host, s standIn, o server.Options) {
		o.StopTimeout = time.Second
		_, err := newServer(t, h, o).Edit(t.Context(), unbind)
		wantError(t, err, server.ErrStopTimeout)
		s.sim.WaitEvent(plexsim.EventListening, 2)
		simtest.Eventually(t, "the script to end", func() bool { return s.isFree() })
		if !hasToken(t, s.sim.Preferences()) {
			t.Error("it came back without its token")
		}
	})
}

func TestEveryStandInPutsBackTheOldPreferencesOfAServerThatDoesNotComeUp(t *testing.T) {
	picky := func(c *plexsim.Config) { c.RefuseWithoutToken = true }
	everyStandIn(t, picky, func(t *testing.T, h host.Host, s standIn, o server.Options) {
		o.Limits.Verify = time.Second
		_, err := newServer(t, h, o).Edit(t.Context(), unbind)
		wantError(t, err, server.ErrReverted)
		if !s.sim.Running() || !hasToken(t, s.sim.Preferences()) {
			t.Errorf("running %v; %v", s.sim.Running(), err)
		}
	})
}

// isFree is lockIsFree, whatever kind of lock it is.
func (s standIn) isFree() bool {
	held, err := filepath.Glob(filepath.Join(s.sim.DataDir(), ".terraform-provider-plex.lock.*"))
	if err != nil || len(held) > 0 {
		return false
	}
	if _, err := os.Stat(filepath.Join(s.sim.DataDir(), ".terraform-provider-plex.lock")); os.IsNotExist(err) {
		return true
	}
	return lockIsFree(s.t, s.sim)
}

// supervise-daemon starts again what has ended, so that it has to be asked; and by
// its schedule it kills.
func TestASuperviseDaemonThatWouldKillIsNotAsked(t *testing.T) {
	if os.Getenv(simtest.EnvLab) != "" {
		t.Skip("NOT RUN: here the service manager is another one")
	}
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := simtest.NewServer(t, simtest.Options{Token: "a-token"})
		s := standIn{t, t.TempDir(), sim}
		service := standIns["openrc"](s)
		sh, err := exec.LookPath("sh")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []struct{ link, to string }{{"supervise-daemon", sh}, {"Plex Media Server", simtest.Program(t)}} {
			if err := os.Symlink(name.to, filepath.Join(s.dir, name.link)); err != nil {
				t.Fatal(err)
			}
		}
		daemon := exec.Command(filepath.Join(s.dir, "supervise-daemon"), "-c", "'"+filepath.Join(s.dir, "Plex Media Server")+"' & wait",
			"plexmediaserver", "--start", "--retry", "TERM/30/KILL/5")
		daemon.Env = append(os.Environ(), supportVariable+"="+sim.SupportDir())
		if err := daemon.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = daemon.Wait() })
		sim.WaitReady()
		pid := serverPID(t, sim)
		t.Cleanup(func() { _ = signalTo(pid, syscall.SIGTERM) })
		shell := h.(host.Local).Interpreter
		o := server.Options{URL: sim.URL(), PreferencesPath: sim.PreferencesPath(), Limits: quick, Service: service}
		_, err = newServer(t, withPath(t, shell, filepath.Join(s.dir, "bin"), "systemctl"), o).Edit(t.Context(), unbind)
		wantError(t, err, server.ErrKillLimit)
		wantSays(t, err, "TERM/30/KILL/5", "/etc/conf.d/plexmediaserver")
		if sim.StopCount() != 0 || s.calls("stop") != 0 {
			t.Error("it was asked to stop")
		}
	})
}

// serverPID is the process that the server has written down.
func serverPID(t *testing.T, sim *simtest.ServerProcess) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(sim.DataDir(), "plexmediaserver.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(data))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
