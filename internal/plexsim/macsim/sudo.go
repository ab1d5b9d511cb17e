//go:build unix

package macsim

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// sudo [-n] [-H] -u USER -- COMMAND…: that of macOS keeps HOME, unless it is told -H.
func (c *call) sudo() error {
	args, setHome, name := c.args, false, "root"
	for len(args) > 0 && strings.HasPrefix(args[0], "-") && args[0] != "--" {
		switch {
		case args[0] == "-H":
			setHome = true
		case args[0] == "-u" && len(args) > 1:
			name, args = args[1], args[1:]
		case args[0] != "-n":
			return c.usage()
		}
		args = args[1:]
	}
	if len(args) < 2 || args[0] != "--" {
		return c.usage()
	}
	u, err := c.mac.user(name)
	if err != nil {
		return err
	}
	if os.Getuid() != 0 && os.Getuid() != u.UID {
		return errors.New("a password is required")
	}
	if err := c.mac.become(u); err != nil {
		return err
	}
	env := os.Environ()
	if setHome {
		env = withHome(env, u.Home)
	}
	return replaceProgram(args[1:], env)
}

// become makes this process one of the user's.
func (m Mac) become(u User) error {
	if os.Getuid() == u.UID {
		return nil
	}
	return errors.Join(syscall.Setgroups([]int{u.Group()}), syscall.Setgid(u.Group()), syscall.Setuid(u.UID))
}

func withHome(env []string, home string) []string {
	kept := []string{"HOME=" + home}
	for _, variable := range env {
		if !strings.HasPrefix(variable, "HOME=") {
			kept = append(kept, variable)
		}
	}
	return kept
}

// replaceProgram returns only with an error.
func replaceProgram(argv, env []string) error {
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return err
	}
	return syscall.Exec(path, argv, env)
}
