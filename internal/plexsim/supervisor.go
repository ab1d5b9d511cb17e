package plexsim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// pollInterval is how often the supervisor looks whether a process is gone. A
// benchmark measures downtime, so it must not be coarse.
const pollInterval = 500 * time.Microsecond

// ErrStillRunning says that the server did not stop in time.
var ErrStillRunning = errors.New("the server is still running")

// Supervisor is a small service manager for the server of one support directory.
// It keeps what it knows in the directory .plexsim there.
type Supervisor struct {
	dir string // absolute
}

// NewSupervisor returns the supervisor of a support directory.
func NewSupervisor(supportDir string) (Supervisor, error) {
	dir, err := filepath.Abs(supportDir)
	return Supervisor{dir: dir}, err
}

func (s Supervisor) path(name string) string { return filepath.Join(s.dir, ".plexsim", name) }

// Start starts executable, this program, as the directory's server and returns
// once the process exists, which is before its port is open. It does nothing if
// the server runs. The directory must exist: a start that comes late, after a test
// has cleared away, must not bring it back.
func (s Supervisor) Start(executable string) error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if _, running := s.Running(); running {
		return nil
	}
	if err := giveName(executable, s.link()); err != nil {
		return err
	}
	pid, err := s.spawn()
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(s.path("started"), []byte(s.awaitName(pid)+"\n"), 0o644),
		os.WriteFile(s.path("pid"), []byte(strconv.Itoa(pid)+"\n"), 0o644))
}

// Retire ends the server for good: it is killed, and its directory gets another
// name, so that whoever still means to start it finds nothing to start.
func (s Supervisor) Retire() error {
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	return errors.Join(s.Kill(), os.Rename(s.dir, s.dir+".retired"))
}

// lock keeps two supervisors of one directory from starting two servers.
func (s Supervisor) lock() (unlock func(), err error) {
	if err := os.Mkdir(s.path(""), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return lockFile(s.path("lock"))
}

// link is what the server is run by: under the server's name, since that is what
// the process is called by the system, and how the program knows what it is
// (facts 5.2).
func (s Supervisor) link() string { return s.path(ServerName + executableSuffix) }

// spawn starts the server in a session of its own. It inherits the environment
// and nothing else: a descriptor that stays open would keep a caller waiting that
// reads the supervisor's output to its end.
func (s Supervisor) spawn() (int, error) {
	log, err := os.OpenFile(s.path("log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	defer func() { _ = log.Close() }()
	closeInherited()
	command := exec.Command(s.link())
	command.Dir = s.dir
	command.Env = append(os.Environ(), EnvSupportDir+"="+s.dir)
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = ownSession()
	if err := command.Start(); err != nil {
		return 0, err
	}
	pid := command.Process.Pid // Release forgets it
	return pid, command.Process.Release()
}

// processInfo is what the system says about a process.
type processInfo struct {
	started string // when; the unit is the system's
	named   bool   // it bears the server's name
	path    string // it was run by; "" if that is not known
}

// awaitName waits until a new process bears the server's name, and returns when it
// was started: Linux lets go of the parent a moment before it renames the child.
// For a process that is gone already the answer is "".
func (s Supervisor) awaitName(pid int) string {
	for {
		found, exists := lookUp(pid)
		if !exists || s.isServer(found) {
			return found.started
		}
		time.Sleep(pollInterval)
	}
}

// Running is the server's process, if there is one. A process that has got the
// recorded number by chance is not taken for it.
func (s Supervisor) Running() (pid int, running bool) {
	pid, err := strconv.Atoi(s.recorded("pid"))
	if err != nil {
		return 0, false
	}
	found, exists := lookUp(pid)
	return pid, exists && s.isServer(found) && found.started == s.recorded("started")
}

// isServer says whether a process is this directory's server. While a process is
// made, and while it ends, the system does not know its path.
func (s Supervisor) isServer(p processInfo) bool {
	return p.named && (p.path == "" || p.path == s.link())
}

func (s Supervisor) recorded(name string) string {
	data, err := os.ReadFile(s.path(name))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// Terminate sends SIGTERM, if the server runs, and returns at once.
func (s Supervisor) Terminate() error { return s.signal(terminateProcess) }

// Kill sends SIGKILL, if the server runs, and waits until it is gone.
func (s Supervisor) Kill() error {
	return errors.Join(s.signal(killProcess), s.waitGone(0))
}

// Stop sends SIGTERM, if the server runs, and waits until it is gone: for ever, or
// for timeout if that is not zero, and then returns [ErrStillRunning].
func (s Supervisor) Stop(timeout time.Duration) error {
	if err := s.Terminate(); err != nil {
		return err
	}
	return s.waitGone(timeout)
}

func (s Supervisor) signal(send func(pid int) error) error {
	pid, running := s.Running()
	if !running {
		return nil
	}
	if err := send(pid); err != nil {
		if _, running := s.Running(); running {
			return fmt.Errorf("signalling process %d: %w", pid, err)
		}
	}
	return nil
}

func (s Supervisor) waitGone(timeout time.Duration) error {
	deadline := time.Now().Add(timeout)
	for {
		if _, running := s.Running(); !running {
			return nil
		}
		if timeout > 0 && time.Now().After(deadline) {
			return ErrStillRunning
		}
		time.Sleep(pollInterval)
	}
}
