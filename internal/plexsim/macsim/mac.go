//go:build unix

// Package macsim plays a Mac for tests on other systems: the few of its programs that the provider uses, on a directory that holds all that
// such a machine has. They are one program, cmd/macsim; what it does when is in plex-facts.md section 5.5 and in the manual pages of macOS.
//
//	bin/            the programs, to be put before all others in PATH
//	libexec/        this program
//	Applications/   Plex Media Server.app
//	Users/          home directories
//	etc/users       accounts
//	var/            what the daemons remember: cfprefsd, launchd, loginwindow
package macsim

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// AppName is the application, and ExecutableName its program.
const (
	AppName        = "Plex Media Server"
	ExecutableName = "Plex Media Server"
)

// Mac is an emulated Mac, by its directory, which every user can enter.
type Mac string

// Make puts a Mac into an empty directory: program is cmd/macsim, and server what is called the application's program.
func Make(dir, program, server string) (Mac, error) {
	m := Mac(dir)
	for path, mode := range map[string]os.FileMode{
		"": 0o755, "bin": 0o755, "libexec": 0o755, "etc": 0o755, "Users": 0o755, "var": 0o755, "Volumes": 0o755,
		"Library/LaunchAgents": 0o755, "Library/LaunchDaemons": 0o755,
		"var/cfprefsd": 0o1777, "var/launchd/gui": 0o1777, "var/launchd/system": 0o755, "var/sessions": 0o755,
	} {
		if err := os.MkdirAll(m.path(path), 0o755); err != nil {
			return m, err
		}
		// Not by MkdirAll, whose mode the umask cuts.
		if err := os.Chmod(m.path(path), modeOf(mode)); err != nil {
			return m, err
		}
	}
	if err := os.MkdirAll(filepath.Dir(m.Executable()), 0o755); err != nil {
		return m, err
	}
	if err := errors.Join(place(program, m.path("libexec", "macsim")), place(server, m.Executable())); err != nil {
		return m, err
	}
	for name := range tools {
		text := "#!" + m.path("libexec", "macsim") + "\n"
		if err := os.WriteFile(m.path("bin", name), []byte(text), 0o755); err != nil { // everybody runs it
			return m, err
		}
	}
	return m, os.WriteFile(m.path("etc", "users"), nil, 0o644) // as /etc/passwd
}

func modeOf(mode os.FileMode) os.FileMode {
	if mode&0o1000 != 0 {
		return mode&0o777 | os.ModeSticky
	}
	return mode
}

// place has a program at path, by a link where that works.
func place(program, path string) error {
	if os.Link(program, path) == nil {
		return nil
	}
	data, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o755) // everybody runs it
}

func (m Mac) path(parts ...string) string {
	return filepath.Join(append([]string{string(m)}, parts...)...)
}

// Bin is the directory of its programs.
func (m Mac) Bin() string { return m.path("bin") }

// Executable is the application's program.
func (m Mac) Executable() string {
	return m.path("Applications", AppName+".app", "Contents", "MacOS", ExecutableName)
}

// call is one run of one of the programs.
type call struct {
	mac            Mac
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
}

var tools = map[string]func(*call) error{}

func init() {
	tools = map[string]func(*call) error{
		"defaults": (*call).defaults, "dscl": (*call).dscl, "id": (*call).id, "launchctl": (*call).launchctl, "netstat": (*call).netstat,
		"open": (*call).open, "osascript": (*call).osascript, "ps": (*call).ps, "sudo": (*call).sudo, "uname": (*call).uname,
	}
}

// status ends a program with another status than 1, and says nothing more.
type status int

func (s status) Error() string { return fmt.Sprintf("status %d", int(s)) }

// Main is the program. It is the interpreter of the files in bin: args are its own path, the file's, and the arguments. As
// "macsim job DIRECTORY TARGET" it is what launchd does for one job, and "macsim make DIRECTORY SERVER" makes a Mac.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 4 && args[1] == "job" {
		return exitCode(Mac(args[2]).runJob(args[3]), "job", stderr)
	}
	if len(args) == 4 && args[1] == "make" {
		_, err := Make(args[2], args[0], args[3])
		return exitCode(err, "make", stderr)
	}
	if len(args) < 2 {
		_, _ = fmt.Fprintln(stderr, "macsim is run by the files of an emulated Mac")
		return 2
	}
	name := filepath.Base(args[1])
	run, known := tools[name]
	if !known {
		_, _ = fmt.Fprintf(stderr, "macsim: there is no %s\n", name)
		return 127
	}
	c := &call{Mac(filepath.Dir(filepath.Dir(args[1]))), args[2:], stdin, stdout, stderr}
	if err := c.log(name); err != nil {
		return exitCode(err, name, stderr)
	}
	return exitCode(run(c), name, stderr)
}

func exitCode(err error, name string, stderr io.Writer) int {
	var code status
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	_, _ = fmt.Fprintf(stderr, "%s: %v\n", name, err)
	return 1
}

func (c *call) say(format string, args ...any) { _, _ = fmt.Fprintf(c.stdout, format+"\n", args...) }

// usage is for arguments that a test Mac does not know, so that none is taken for something else.
func (c *call) usage() error {
	return fmt.Errorf("this emulation does not know the arguments %q", strings.Join(c.args, " "))
}
