package simtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Manager is a real service manager that runs for one test, with nothing but the
// servers of that test, and needs no root.
type Manager struct {
	kind string
	t    testing.TB
	dir  string // its services and its own files; short, since a socket's path is
	tool supervision
	used int
	runs bool
}

// supervision is what the managers differ in.
type supervision interface {
	// programs must be there.
	programs() []string
	// begin is the command that runs the manager.
	begin(m *Manager) (*exec.Cmd, error)
	// ready tells whether it answers.
	ready(m *Manager) bool
	// end has it stop its services, which have ended already, and itself.
	end(m *Manager, process *os.Process) error
	// add writes down a service that runs command and is not started by itself.
	add(m *Manager, name string, command service) error
	// reload has a manager that runs see it.
	reload(m *Manager) error
	// known tells whether it has.
	known(m *Manager, name string) bool
	start(m *Manager, name string) error
	// down has the service stop, and stay so; what it returns waits for that.
	down(m *Manager, name string) (func(), error)
	pid(m *Manager, name string) int
	commands(m *Manager, name string) Commands
}

// service is what runs a server.
type service struct{ program, supportDir string }

var supervisions = map[string]supervision{"runit": runit{}, "s6": s6{}, "supervisord": &supervisord{}}

// Managers are the kinds that NewManager takes.
func Managers() []string { return []string{"runit", "s6", "supervisord"} }

// NewManager starts one. The test is skipped where the programs are missing.
func NewManager(t testing.TB, kind string) *Manager {
	t.Helper()
	m := &Manager{kind: kind, t: t, tool: supervisions[kind]}
	for _, program := range m.tool.programs() {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("NOT RUN: %s is not installed", program)
		}
	}
	var err error
	if m.dir, err = os.MkdirTemp("", kind); err != nil { //nolint:usetesting // a test's own directory is too long for a socket
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(m.dir); err != nil {
			t.Error(err)
		}
	})
	return m
}

// begin runs it; it finds the services that are there already at once.
func (m *Manager) begin() error {
	command, err := m.tool.begin(m)
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	m.t.Cleanup(func() {
		if err := m.tool.end(m, command.Process); err != nil {
			m.t.Error(err)
		}
		_ = command.Wait() // how it ends is of no interest
	})
	Eventually(m.t, m.kind, func() bool { return m.tool.ready(m) })
	return nil
}

// Kind is its name, as server.Service has it.
func (m *Manager) Kind() string { return m.kind }

// adopt makes a service of s. The first two have the names that a server usually
// has.
func (m *Manager) adopt(s *ServerProcess) keeper {
	m.t.Helper()
	name := "plexmediaserver"
	switch m.used++; m.used {
	case 1:
	case 2:
		name = "plex"
	default:
		name += "-" + strconv.Itoa(m.used)
	}
	// A process is called after the file that it was started from.
	link := filepath.Join(m.dir, "bin", name, plexName)
	s.must(os.MkdirAll(filepath.Dir(link), 0o755))
	s.must(os.Symlink(s.system.program, link))
	s.must(m.tool.add(m, name, service{link, s.config.SupportDir}))
	if m.runs {
		s.must(m.tool.reload(m))
	} else {
		s.must(m.begin())
		m.runs = true
	}
	Eventually(m.t, m.kind+" to have "+name, func() bool { return m.tool.known(m, name) })
	return managed{m, name, link}
}

const plexName = "Plex Media Server"

// managed is a server that such a manager runs.
type managed struct {
	*Manager
	name string
	link string
}

func (k managed) start() error       { return k.tool.start(k.Manager, k.name) }
func (k managed) pid() int           { return k.tool.pid(k.Manager, k.name) }
func (k managed) own(string) error   { return nil }
func (k managed) commands() Commands { return k.tool.commands(k.Manager, k.name) }
func (k managed) manager() string    { return k.kind }

// unit is the path of a service directory, since many supervisors may run.
func (k managed) unit() string {
	if k.kind == "supervisord" {
		return k.name
	}
	return filepath.Join(k.dir, "service", k.name)
}

func (k managed) stop() error {
	wait, err := k.tool.down(k.Manager, k.name)
	if err != nil {
		return err
	}
	wait()
	return nil
}

// It may be about to start when it is told to be down.
func (k managed) kill() error {
	wait, err := k.tool.down(k.Manager, k.name)
	if err != nil {
		return err
	}
	defer wait()
	for pid := k.pid(); pid != 0; pid = k.pid() {
		if err := kill(pid); err != nil {
			return err
		}
	}
	return nil
}

// gone waits until the manager names no process.
func (m *Manager) gone(name string) func() {
	return func() {
		m.t.Helper()
		Eventually(m.t, name+" to stop", func() bool { return m.tool.pid(m, name) == 0 })
	}
}

func (k managed) retire() error {
	return errors.Join(os.Remove(k.link), k.kill())
}

// write makes a file of the manager's.
func (m *Manager) write(mode os.FileMode, content string, path ...string) error {
	name := filepath.Join(append([]string{m.dir}, path...)...)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(name, []byte(content), mode); err != nil {
		return err
	}
	return os.Chmod(name, mode)
}

// runScript is the service's for runit and s6. The server's own group of
// processes dies with the supervisor, never with the test.
func runScript(s service) string {
	return fmt.Sprintf("#!/bin/sh\nexec env PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR=%s %s >/dev/null 2>&1\n", quote(s.supportDir), quote(s.program))
}

// ServiceDir is the directory of the service that runs s, or of its settings.
func (m *Manager) ServiceDir(s *ServerProcess) string {
	return filepath.Join(m.dir, "service", filepath.Base(s.Unit()))
}

type runit struct{}

func (runit) programs() []string { return []string{"runsvdir", "runsv", "sv"} }

func (runit) begin(m *Manager) (*exec.Cmd, error) {
	return exec.Command("runsvdir", filepath.Join(m.dir, "service")), nil
}

func (runit) ready(*Manager) bool { return true }

// runsvdir ends its services and then itself.
func (runit) end(_ *Manager, process *os.Process) error { return process.Signal(syscall.SIGHUP) }

func (runit) add(m *Manager, name string, s service) error {
	// Made elsewhere and moved, or it would be started before it is whole.
	if err := m.write(0o755, runScript(s), "new", name, "run"); err != nil {
		return err
	}
	if err := m.write(0o644, "", "new", name, "down"); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(m.dir, "service"), 0o755); err != nil {
		return err
	}
	return os.Rename(filepath.Join(m.dir, "new", name), filepath.Join(m.dir, "service", name))
}

// It looks by itself, within five seconds.
func (runit) reload(*Manager) error { return nil }

func (r runit) status(m *Manager, name string) string {
	out, err := tool("sv", "status", filepath.Join(m.dir, "service", name))
	if err != nil {
		return ""
	}
	return out
}

func (r runit) known(m *Manager, name string) bool { return r.status(m, name) != "" }

func (runit) start(m *Manager, name string) error {
	_, err := tool("sv", "up", filepath.Join(m.dir, "service", name))
	return err
}

func (runit) down(m *Manager, name string) (func(), error) {
	_, err := tool("sv", "down", filepath.Join(m.dir, "service", name))
	return m.gone(name), err
}

func (r runit) pid(m *Manager, name string) int { return pidIn(r.status(m, name), "run: ", "(pid ") }

func (runit) commands(m *Manager, name string) Commands {
	dir := quote(filepath.Join(m.dir, "service", name))
	return Commands{Stop: "sv down " + dir, Start: "sv up " + dir, Status: "case $(sv status " + dir + ") in run:*) ;; *) exit 3 ;; esac"}
}

// pidIn is the number that follows mark in a status that begins with head.
func pidIn(status, head, mark string) int {
	rest, ok := strings.CutPrefix(status, head)
	if !ok {
		return 0
	}
	_, rest, _ = strings.Cut(rest, mark)
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	pid, err := strconv.Atoi(rest[:max(end, 0)])
	if err != nil {
		return 0
	}
	return pid
}

type s6 struct{}

func (s6) programs() []string { return []string{"s6-svscan", "s6-svc", "s6-svstat"} }

func (s6) begin(m *Manager) (*exec.Cmd, error) {
	return exec.Command("s6-svscan", filepath.Join(m.dir, "service")), nil
}

func (s s6) ready(m *Manager) bool { return s.reload(m) == nil }

func (s6) end(m *Manager, _ *os.Process) error {
	_, err := tool("s6-svscanctl", "-t", filepath.Join(m.dir, "service"))
	return err
}

func (s6) add(m *Manager, name string, command service) error {
	return runit{}.add(m, name, command)
}

func (s6) reload(m *Manager) error {
	_, err := tool("s6-svscanctl", "-a", filepath.Join(m.dir, "service"))
	return err
}

func (s6) status(m *Manager, name string) string {
	out, err := tool("s6-svstat", filepath.Join(m.dir, "service", name))
	if err != nil {
		return ""
	}
	return out
}

func (s s6) known(m *Manager, name string) bool { return s.status(m, name) != "" }

func (s6) start(m *Manager, name string) error {
	_, err := tool("s6-svc", "-u", filepath.Join(m.dir, "service", name))
	return err
}

func (s6) down(m *Manager, name string) (func(), error) {
	_, err := tool("s6-svc", "-d", filepath.Join(m.dir, "service", name))
	return m.gone(name), err
}

func (s s6) pid(m *Manager, name string) int { return pidIn(s.status(m, name), "up ", "(pid ") }

func (s6) commands(m *Manager, name string) Commands {
	dir := quote(filepath.Join(m.dir, "service", name))
	return Commands{Stop: "s6-svc -d " + dir, Start: "s6-svc -u " + dir, Status: "case $(s6-svstat " + dir + ") in up*) ;; *) exit 3 ;; esac"}
}

type supervisord struct{}

func (*supervisord) programs() []string { return []string{"supervisord", "supervisorctl"} }

func (m *Manager) config() string { return filepath.Join(m.dir, "supervisord.conf") }

func (*supervisord) begin(m *Manager) (*exec.Cmd, error) {
	err := m.write(0o644, strings.ReplaceAll(`[unix_http_server]
file=DIR/s
[supervisord]
logfile=DIR/log
pidfile=DIR/pid
childlogdir=DIR
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[supervisorctl]
serverurl=unix://DIR/s
[include]
files = service/*/*.conf
`, "DIR", m.dir), "supervisord.conf")
	command := exec.Command("supervisord", "-n", "-c", m.config())
	command.Dir = m.dir
	return command, err
}

func (*supervisord) ctl(m *Manager, arguments ...string) (string, error) {
	return tool("supervisorctl", append([]string{"-c", m.config()}, arguments...)...)
}

// Asking takes a tenth of a second: it is not asked before it can answer.
func (s *supervisord) ready(m *Manager) bool {
	if _, err := os.Stat(filepath.Join(m.dir, "s")); err != nil {
		return false
	}
	_, err := s.ctl(m, "pid")
	return err == nil
}

func (*supervisord) end(_ *Manager, process *os.Process) error {
	return process.Signal(syscall.SIGTERM)
}

func (s *supervisord) add(m *Manager, name string, command service) error {
	err := m.write(0o644, fmt.Sprintf(`[program:%s]
command="%s"
environment=LANG="C",PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR="%s"
autostart=false
autorestart=true
stopwaitsecs=86400
`, name, command.program, command.supportDir), "service", name, name+".conf")
	if err != nil {
		return err
	}
	return m.write(0o644, command.supportDir, "supports", name)
}

func (s *supervisord) reload(m *Manager) error {
	_, err := s.ctl(m, "update")
	return err
}

// ChangeProgram changes the settings of the program that runs s, which has to be stopped.
func (m *Manager) ChangeProgram(s *ServerProcess, change func(string) string) {
	m.t.Helper()
	path := filepath.Join(m.ServiceDir(s), s.Unit()+".conf")
	data, err := os.ReadFile(path)
	s.must(err)
	s.must(os.WriteFile(path, []byte(change(string(data))), 0o600))
	_, err = (&supervisord{}).ctl(m, "update")
	s.must(err)
}

func (*supervisord) known(*Manager, string) bool { return true }

// A start waits for startsecs, and the server is up before.
func (s *supervisord) start(m *Manager, name string) error {
	_, err := s.ctl(m, "start", name)
	return err
}

// The answer comes when the program has stopped.
func (*supervisord) down(m *Manager, name string) (func(), error) {
	stop := exec.Command("supervisorctl", "-c", m.config(), "stop", name)
	return func() { _ = stop.Wait() }, stop.Start() // it says so when nothing ran, and that is well
}

// The server's own pid file is asked, which is quicker.
func (*supervisord) pid(m *Manager, name string) int {
	dir, err := os.ReadFile(filepath.Join(m.dir, "supports", name))
	if err != nil {
		return 0
	}
	return pidFile(string(dir))
}

func (*supervisord) commands(m *Manager, name string) Commands {
	ctl := func(verb string) string {
		return "supervisorctl -c " + quote(m.config()) + " " + verb + " " + name
	}
	return Commands{Stop: ctl("stop"), Start: ctl("start"), Status: ctl("status")}
}
