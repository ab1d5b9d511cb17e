//go:build unix

package macsim

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"
)

// pollInterval is how often a process is looked at.
const pollInterval = 2 * time.Millisecond

// replyTime is how long an Apple event waits for its answer.
const replyTime = 2 * time.Minute

var quitScript = regexp.MustCompile(`^tell application "(.*)" to quit$`)

var timeoutScript = regexp.MustCompile(`^with timeout of (\d+) seconds$`)

// osascript -e 'tell application "NAME" to quit', inside of "with timeout" or not: answers when the application has ended.
func (c *call) osascript() error {
	var found []string
	limit := replyTime
	for line := range slices.Chunk(c.args, 2) {
		if len(line) != 2 || line[0] != "-e" {
			return c.usage()
		}
		if given := timeoutScript.FindStringSubmatch(line[1]); given != nil {
			var err error
			if limit, err = time.ParseDuration(given[1] + "s"); err != nil {
				return err
			}
		} else if quit := quitScript.FindStringSubmatch(line[1]); quit != nil {
			found = quit
		} else if line[1] != "end timeout" {
			return c.usage()
		}
	}
	if found == nil {
		return c.usage()
	}
	if !c.mac.isApp(found[1]) {
		return errors.New(`execution error: Can’t get application "` + found[1] + `". (-1728)`)
	}
	if c.mac.is(faultForbidden) {
		return errors.New("execution error: Not authorized to send Apple events to " + AppName + ". (-1743)")
	}
	if !c.mac.loggedIn(os.Getuid()) {
		return errors.New("execution error: An error of type -10810 has occurred. (-10810)")
	}
	asked := c.mac.servers(os.Getuid())
	for _, p := range asked {
		_ = syscall.Kill(p.pid, syscall.SIGTERM) // it may have ended
	}
	for deadline := time.Now().Add(limit); len(asked) > 0; asked = c.mac.servers(os.Getuid()) {
		if time.Now().After(deadline) {
			return errors.New("execution error: " + AppName + " got an error: AppleEvent timed out. (-1712)")
		}
		time.Sleep(pollInterval)
	}
	return nil
}

// App is the path of the application.
func (m Mac) App() string { return m.path("Applications", AppName+".app") }

// isApp: both programs take the name and the path of an application.
func (m Mac) isApp(name string) bool { return name == AppName || filepath.Clean(name) == m.App() }

// open [-g] -a NAME|PATH.
func (c *call) open() error {
	args := c.args
	if len(args) > 0 && args[0] == "-g" {
		args = args[1:]
	}
	if len(args) != 2 || args[0] != "-a" {
		return c.usage()
	}
	if !c.mac.isApp(args[1]) {
		return errors.New("unable to find application named '" + args[1] + "'")
	}
	if !c.mac.loggedIn(os.Getuid()) {
		return errors.New("_LSOpenURLsWithCompletionHandler() failed for the application with error -10810")
	}
	if len(c.mac.servers(os.Getuid())) > 0 {
		return nil
	}
	u, err := c.mac.user(itoa(os.Getuid()))
	if err != nil {
		return err
	}
	server, err := c.mac.spawn(u)
	if err != nil {
		return err
	}
	return server.Process.Release()
}

// spawn starts the application's program, in a session of its own, as launchd does for applications too: what opened it is not its parent.
func (m Mac) spawn(u User) (*exec.Cmd, error) {
	log, err := os.OpenFile(filepath.Join(u.Home, "Library", "server.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	server := exec.Command(m.Executable())
	server.Dir = u.Home
	server.Env = []string{"HOME=" + u.Home, "USER=" + u.Name, "PATH=/usr/bin:/bin:/usr/sbin:/sbin"}
	server.Stdout, server.Stderr = log, log
	server.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if os.Getuid() == 0 && u.UID != 0 {
		server.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(u.UID), Gid: uint32(u.Group())} // numbers of accounts
		if err := log.Chown(u.UID, u.Group()); err != nil {
			return nil, err
		}
	}
	return server, server.Start()
}
