//go:build unix

package macsim

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Exit statuses of launchctl, each the number of an error of the system or of its own.
const (
	statusIO         = 5
	statusInProgress = 36
	statusNotFound   = 113
)

// bootoutTime is how long launchctl waits for a job to end before it says that this goes on.
const bootoutTime = time.Second

// launchctl asuser UID COMMAND… | bootstrap DOMAIN FILE | bootout TARGET | kickstart TARGET | print DOMAIN|TARGET | list.
func (c *call) launchctl() error {
	switch args := c.args; {
	case len(args) > 2 && args[0] == "asuser":
		return c.asUser(args[1], args[2:])
	case len(args) == 3 && args[0] == "bootstrap":
		return c.bootstrap(args[1], args[2])
	case len(args) == 2 && args[0] == "bootout":
		return c.bootout(args[1])
	case len(args) == 2 && args[0] == "kickstart":
		return c.kickstart(args[1])
	case len(args) == 2 && args[0] == "print":
		return c.print1(args[1])
	case len(args) == 1 && args[0] == "list":
		return c.list()
	}
	return c.usage()
}

// asUser goes over to the session of a user; the process stays whose it is.
func (c *call) asUser(uid string, argv []string) error {
	if os.Getuid() != 0 && itoa(os.Getuid()) != uid {
		return errors.New("could not switch to audit session: 1: Operation not permitted")
	}
	return replaceProgram(argv, os.Environ())
}

// allowed: the domain of a user is that user's and root's, the system's is root's.
func allowed(domain string) bool {
	return os.Getuid() == 0 || domain == "gui/"+itoa(os.Getuid())
}

func (c *call) refuse(code int, format string, args ...any) error {
	_, _ = fmt.Fprintf(c.stderr, format+"\n", args...)
	return status(code)
}

func (c *call) bootstrap(domain, path string) error {
	if !allowed(domain) {
		return c.refuse(int(syscall.EPERM), "Bootstrap failed: 1: Operation not permitted")
	}
	j, err := c.mac.readJob(domain, path)
	if err != nil {
		return c.refuse(statusIO, "Bootstrap failed: 5: Input/output error")
	}
	if uid, user := strings.CutPrefix(domain, "gui/"); user && !c.mac.inSession(uid) {
		return c.refuse(125, "Bootstrap failed: 125: Domain does not support specified action")
	}
	if _, loaded := c.mac.loaded(j.target()); loaded {
		return c.refuse(statusIO, "Bootstrap failed: 5: Input/output error")
	}
	keeper := exec.Command(c.mac.path("libexec", "macsim"), "job", string(c.mac), domain+" "+path)
	keeper.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := keeper.Start(); err != nil {
		return err
	}
	for {
		if r, loaded := c.mac.loaded(j.target()); loaded && r.Keeper == keeper.Process.Pid {
			return keeper.Process.Release()
		}
		if p, alive := lookUp(keeper.Process.Pid); !alive || p.state == "Z" {
			return keeper.Wait()
		}
		time.Sleep(pollInterval)
	}
}

func (m Mac) inSession(uid string) bool {
	n, err := strconv.Atoi(uid)
	return err == nil && m.loggedIn(n)
}

func (c *call) bootout(target string) error {
	if !allowed(filepath.Dir(target)) {
		return c.refuse(int(syscall.EPERM), "Boot-out failed: 1: Operation not permitted")
	}
	r, loaded := c.mac.loaded(target)
	if !loaded {
		return c.refuse(3, "Boot-out failed: 3: No such process")
	}
	_ = syscall.Kill(r.Keeper, syscall.SIGTERM) // it may be gone by now
	for deadline := time.Now().Add(bootoutTime); loaded; _, loaded = c.mac.loaded(target) {
		if time.Now().After(deadline) {
			return c.refuse(statusInProgress, "Boot-out failed: 36: Operation now in progress")
		}
		time.Sleep(pollInterval)
	}
	return nil
}

func (c *call) kickstart(target string) error {
	if !allowed(filepath.Dir(target)) {
		return c.refuse(int(syscall.EPERM), "Could not kickstart service \"%s\": 1: Operation not permitted", filepath.Base(target))
	}
	r, loaded := c.mac.loaded(target)
	if !loaded {
		return c.notFound(target)
	}
	return syscall.Kill(r.Keeper, syscall.SIGUSR1)
}

func (c *call) notFound(target string) error {
	return c.refuse(statusNotFound, "Could not find service \"%s\" in domain for %s", filepath.Base(target), filepath.Dir(target))
}

// print1 writes what is of use of what the real one does.
func (c *call) print1(target string) error {
	if uid, user := strings.CutPrefix(target, "gui/"); user && !strings.Contains(uid, "/") {
		if !c.mac.inSession(uid) {
			return c.refuse(statusNotFound, "Could not find domain for user gui: %s", uid)
		}
		c.say("%s = {\n\ttype = login\n}", target)
		return nil
	}
	r, loaded := c.mac.loaded(target)
	if !loaded {
		return c.notFound(target)
	}
	c.say("%s = {\n\tactive count = %d\n\tpath = %s\n\ttype = LaunchAgent\n\tstate = %s\n", target, min(r.PID, 1), r.Path, r.State)
	c.say("\tprogram = %s\n\tdomain = %s [100005]\n\tminimum runtime = 10\n\texit timeout = %d", c.mac.Executable(), filepath.Dir(target), r.ExitTimeOut)
	if r.PID != 0 {
		c.say("\tpid = %d", r.PID)
	}
	if r.KeepAlive {
		c.say("\n\tproperties = keepalive | runatload")
	}
	c.say("}")
	return nil
}

// list is of the domain of who asks: jobs, and applications that were opened.
func (c *call) list() error {
	c.say("PID\tStatus\tLabel")
	domain := "gui/" + itoa(os.Getuid())
	if os.Getuid() == 0 {
		domain = "system"
	}
	jobs := map[int]bool{}
	files, err := filepath.Glob(c.mac.path("var", "launchd", domain, "*"+recordSuffix))
	if err != nil {
		return err
	}
	for _, file := range files {
		label := strings.TrimSuffix(filepath.Base(file), recordSuffix)
		r, loaded := c.mac.loaded(domain + "/" + label)
		if !loaded {
			continue
		}
		pid := "-"
		if r.PID != 0 {
			pid, jobs[r.PID] = itoa(r.PID), true
		}
		c.say("%s\t0\t%s", pid, label)
	}
	for _, p := range c.mac.servers(os.Getuid()) {
		if !jobs[p.pid] {
			c.say("%d\t0\tapplication.com.plexapp.plexmediaserver.1152921500311879701.1152921500311879706", p.pid)
		}
	}
	return nil
}

// Abandon ends what plays launchd for a job, and not the job: as if there had never been one.
func (m Mac) Abandon(target string) {
	for r, loaded := m.loaded(target); loaded; r, loaded = m.loaded(target) {
		_ = syscall.Kill(r.Keeper, syscall.SIGKILL) // it may be gone by now
		time.Sleep(pollInterval)
	}
	_ = remove(m.recordPath(target))
}
