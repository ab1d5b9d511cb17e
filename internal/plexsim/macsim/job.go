//go:build unix

package macsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/macsim/cfprefs"
)

// defaultExitTimeOut is launchd's, in seconds.
const defaultExitTimeOut = 20

// throttle is how long launchd waits before it starts a job again that has ended; the real one waits so that there are 10 s between starts.
const throttle = 200 * time.Millisecond

// Job is what the file of a LaunchAgent or a LaunchDaemon says.
type Job struct {
	Label       string
	KeepAlive   bool
	RunAtLoad   bool
	ExitTimeOut int // seconds; 0 is for ever
	UserName    string

	domain, path string
}

func (j Job) target() string { return j.domain + "/" + j.Label }

// WriteJob writes the file of a job that runs the application's program.
func (m Mac) WriteJob(path string, j Job) error {
	list := cfprefs.Dict{
		"Label": j.Label, "ProgramArguments": []any{m.Executable()}, "RunAtLoad": j.RunAtLoad,
		"ExitTimeOut": cfprefs.Scalar{Kind: "integer", Text: itoa(j.ExitTimeOut)},
	}
	if j.KeepAlive {
		list["KeepAlive"] = true
	}
	if j.UserName != "" {
		list["UserName"] = j.UserName
	}
	return os.WriteFile(path, cfprefs.Encode(list), 0o644) // launchd wants it so
}

func (m Mac) readJob(domain, path string) (Job, error) {
	j := Job{ExitTimeOut: defaultExitTimeOut, domain: domain, path: path}
	data, err := os.ReadFile(path)
	if err != nil {
		return j, err
	}
	list, err := cfprefs.Decode(data)
	if err != nil {
		return j, err
	}
	j.Label, _ = list["Label"].(string)
	j.KeepAlive, _ = list["KeepAlive"].(bool)
	j.RunAtLoad, _ = list["RunAtLoad"].(bool)
	j.UserName, _ = list["UserName"].(string)
	if limit, ok := list["ExitTimeOut"].(cfprefs.Scalar); ok {
		if j.ExitTimeOut, err = strconv.Atoi(limit.Text); err != nil {
			return j, err
		}
	}
	if j.Label == "" {
		return j, errors.New("a job without a Label")
	}
	return j, nil
}

// record is what launchd knows of a job that it has loaded.
type record struct {
	Path        string
	State       string
	Keeper      int // the process that plays launchd for it
	PID         int // the job's; 0 when it does not run
	KeepAlive   bool
	ExitTimeOut int
}

const recordSuffix = ".json"

func (m Mac) recordPath(target string) string {
	return m.path("var", "launchd", target+recordSuffix)
}

func (m Mac) loaded(target string) (record, bool) {
	var r record
	data, err := os.ReadFile(m.recordPath(target))
	if err != nil || json.Unmarshal(data, &r) != nil {
		return r, false
	}
	keeper, alive := lookUp(r.Keeper)
	return r, alive && keeper.state != "Z"
}

// JobPID is the process of a job; 0 when it does not run or is not loaded.
func (m Mac) JobPID(target string) int {
	r, _ := m.loaded(target)
	return r.PID
}

// keeping is launchd, for one job.
type keeping struct {
	Job
	record
	mac Mac
	as  User
}

func (k *keeping) write() error {
	path := k.mac.recordPath(k.target())
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	data, err := json.Marshal(k.record)
	if err != nil {
		return err
	}
	next := fmt.Sprintf("%s.%d", path, os.Getpid())
	if err := os.WriteFile(next, data, 0o644); err != nil { // everybody may ask
		return err
	}
	return os.Rename(next, path)
}

// runJob is launchd for one job, from bootstrap to bootout. what is the domain and the path of the file.
func (m Mac) runJob(what string) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGUSR1)
	signal.Ignore(syscall.SIGHUP, syscall.SIGINT)
	domain, path, _ := strings.Cut(what, " ")
	j, err := m.readJob(domain, path)
	if err != nil {
		return err
	}
	owner := firstOf(j.UserName, strings.TrimPrefix(domain, "gui/"))
	if domain == "system" && j.UserName == "" {
		owner = "root"
	}
	k := &keeping{Job: j, mac: m}
	if k.as, err = m.user(owner); err != nil {
		return err
	}
	k.record = record{Path: path, Keeper: os.Getpid(), State: "not running", KeepAlive: j.KeepAlive, ExitTimeOut: j.ExitTimeOut}
	if err := k.write(); err != nil {
		return err
	}
	return errors.Join(k.keep(signals), remove(m.recordPath(k.target())))
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// keep runs the job until it is booted out.
func (k *keeping) keep(signals <-chan os.Signal) error {
	wanted := k.RunAtLoad || k.Job.KeepAlive
	for {
		if !wanted {
			if <-signals == syscall.SIGTERM {
				return nil
			}
		}
		out, err := k.once(signals)
		if out || err != nil {
			return err
		}
		wanted = k.Job.KeepAlive
		if !wanted {
			continue
		}
		select {
		case s := <-signals:
			if s == syscall.SIGTERM {
				return nil
			}
		case <-time.After(throttle):
		}
	}
}

// once runs it one time; out tells that it was booted out meanwhile.
func (k *keeping) once(signals <-chan os.Signal) (out bool, err error) {
	server, err := k.mac.spawn(k.as)
	if err != nil {
		return false, err
	}
	k.PID, k.State = server.Process.Pid, "running"
	if err := k.write(); err != nil {
		return false, err
	}
	ended := make(chan struct{})
	go func() {
		_ = server.Wait() // how it ends is of no interest
		close(ended)
	}()
	var limit <-chan time.Time
	for {
		select {
		case <-ended:
			k.PID, k.State = 0, "not running"
			if k.Job.KeepAlive && !out {
				k.State = "spawn scheduled"
			}
			return out, k.write()
		case <-limit:
			_ = server.Process.Kill() // it may have ended
		case s := <-signals:
			if s != syscall.SIGTERM || out {
				continue
			}
			out = true
			limit = k.sendTerm(server)
		}
	}
}

func (k *keeping) sendTerm(server *exec.Cmd) <-chan time.Time {
	_ = server.Process.Signal(syscall.SIGTERM) // it may have ended
	if k.Job.ExitTimeOut == 0 {
		return nil
	}
	return time.After(time.Duration(k.Job.ExitTimeOut) * time.Second)
}
