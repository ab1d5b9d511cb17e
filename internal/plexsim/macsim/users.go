//go:build unix

package macsim

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/macsim/cfprefs"
)

// User is an account of the Mac. Its number is one of the machine under it.
type User struct {
	Name string
	UID  int
	Home string
}

// staff is the group of all users.
const staff = 20

// Group is the one that the user's files belong to.
func (u User) Group() int {
	if os.Getuid() != 0 {
		return os.Getgid()
	}
	return staff
}

// Preferences is the directory of the user's own lists.
func (u User) Preferences() string { return filepath.Join(u.Home, "Library", "Preferences") }

// firstUID is the number of the first user, one that the machine under the Mac has no use for.
const firstUID = 61501

// AddUser makes an account with a home directory, which is logged in. Its number is one that nobody has had, but without root that of the user who runs
// this, who is the only one then.
func (m Mac) AddUser() (User, error) {
	var u User
	err := m.changeUsers(func(lines []string) ([]string, error) {
		uid := os.Getuid()
		if uid == 0 {
			var err error
			if uid, err = m.next(); err != nil {
				return nil, err
			}
		}
		u = User{"user" + itoa(uid), uid, m.path("Users", "user"+itoa(uid))}
		return append(lines, fmt.Sprintf("%s:%d:%s", u.Name, u.UID, u.Home)), nil
	})
	if err != nil {
		return u, err
	}
	for _, dir := range []string{"", "Library", "Library/Preferences", "Library/Application Support", "Library/LaunchAgents"} {
		if err := os.MkdirAll(filepath.Join(u.Home, dir), 0o755); err != nil {
			return u, err
		}
		if err := os.Chown(filepath.Join(u.Home, dir), u.UID, u.Group()); err != nil {
			return u, err
		}
	}
	return u, m.LogIn(u, true)
}

// RemoveUser removes an account and all its files. They get another name first, so that what still writes there finds no place for it.
func (m Mac) RemoveUser(u User) error {
	gone := u.Home + ".gone"
	if err := os.Rename(u.Home, gone); err != nil {
		return err
	}
	err := m.changeUsers(func(lines []string) ([]string, error) {
		kept := lines[:0]
		for _, line := range lines {
			if !strings.HasPrefix(line, u.Name+":") {
				kept = append(kept, line)
			}
		}
		return kept, nil
	})
	return errors.Join(err, m.LogIn(u, false), os.RemoveAll(gone), os.RemoveAll(m.path("var", "cfprefsd", strconv.Itoa(u.UID))))
}

// next is a number that nobody has had.
func (m Mac) next() (int, error) {
	path, uid := m.path("etc", "last"), firstUID
	data, err := os.ReadFile(path)
	switch {
	case err == nil:
		last, err := strconv.Atoi(string(data))
		if err != nil {
			return 0, err
		}
		uid = last + 1
	case !errors.Is(err, os.ErrNotExist):
		return 0, err
	}
	return uid, os.WriteFile(path, []byte(itoa(uid)), 0o600)
}

func (m Mac) changeUsers(change func([]string) ([]string, error)) error {
	unlock, err := cfprefs.Lock(m.path("etc", "users.lock"))
	if err != nil {
		return err
	}
	defer unlock()
	data, err := os.ReadFile(m.path("etc", "users"))
	if err != nil {
		return err
	}
	lines, err := change(strings.Fields(string(data)))
	if err != nil {
		return err
	}
	next := m.path("etc", "users.new")                                                        // whole at every moment, for who reads it
	if err := os.WriteFile(next, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil { // as /etc/passwd
		return err
	}
	return os.Rename(next, m.path("etc", "users"))
}

func (m Mac) session(u User) string { return m.path("var", "sessions", strconv.Itoa(u.UID)) }

// LogIn says whether the user is logged in at the screen.
func (m Mac) LogIn(u User, in bool) error {
	if in {
		return os.WriteFile(m.session(u), nil, 0o644) // everybody may know
	}
	return remove(m.session(u))
}

func (m Mac) loggedIn(uid int) bool {
	_, err := os.Stat(m.session(User{UID: uid}))
	return err == nil
}

func (m Mac) users() []User {
	data, err := os.ReadFile(m.path("etc", "users"))
	if err != nil {
		return nil
	}
	var users []User
	for line := range bytes.Lines(data) {
		fields := strings.SplitN(strings.TrimSpace(string(line)), ":", 3)
		if len(fields) != 3 {
			continue
		}
		if uid, err := strconv.Atoi(fields[1]); err == nil {
			users = append(users, User{fields[0], uid, fields[2]})
		}
	}
	return users
}

// user finds an account by its name or its number. root is one, too.
func (m Mac) user(name string) (User, error) {
	for _, u := range m.users() {
		if name == u.Name || name == strconv.Itoa(u.UID) {
			return u, nil
		}
	}
	if name == "root" || name == "0" {
		return User{"root", 0, "/var/root"}, nil
	}
	return User{}, fmt.Errorf("%s: no such user", name)
}

// id [-u|-un|-g] [USER].
func (c *call) id() error {
	who := strconv.Itoa(os.Getuid())
	if len(c.args) == 2 {
		who = c.args[1]
	}
	u, err := c.mac.user(who)
	if err != nil {
		return err
	}
	switch flag := c.args; {
	case len(flag) > 0 && flag[0] == "-u":
		c.say("%d", u.UID)
	case len(flag) > 0 && flag[0] == "-un":
		c.say("%s", u.Name)
	default:
		return c.usage()
	}
	return nil
}

// dscl . -list /Users NFSHomeDirectory.
func (c *call) dscl() error {
	if strings.Join(c.args, " ") != ". -list /Users NFSHomeDirectory" {
		return c.usage()
	}
	c.say("%-24s %s", "_www", "/Library/WebServer")
	c.say("%-24s %s", "nobody", "/var/empty")
	for _, u := range c.mac.users() {
		c.say("%-24s %s", u.Name, u.Home)
	}
	return nil
}

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
