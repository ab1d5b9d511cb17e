package simtest

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// EnvWine is the path of test/lab/wine.sh, which runs the servers where EnvLab is
// "wine".
const EnvWine = "PLEX_LAB_WINE"

// wineLab is the value of EnvLab for servers on Windows, as Wine plays it.
const wineLab = "wine"

// system is what differs between the systems that a server runs on.
type system struct {
	t       testing.TB
	program string   // plexsim for it
	runner  []string // what runs a program there; empty: the test's own system does
	windows bool
}

// systemOf is the one that the servers of these tests run on.
func systemOf(t testing.TB) system {
	t.Helper()
	s := system{t: t, windows: runtime.GOOS == "windows"}
	if os.Getenv(EnvLab) == wineLab && !s.windows {
		script := os.Getenv(EnvWine)
		if script == "" {
			t.Fatalf("%s is %q, and %s does not say where test/lab/wine.sh is", EnvLab, wineLab, EnvWine)
		}
		s.windows, s.runner = true, []string{script, "run"}
		s.program = windowsProgram(t)
		return s
	}
	s.program = Program(t)
	return s
}

// path is how the system has a path of the test's.
func (s system) path(path string) string {
	if len(s.runner) == 0 {
		return path
	}
	return "Z:" + strings.ReplaceAll(path, "/", `\`)
}

// plexsim runs the program. What it starts may keep standard error open: that is a
// file, whose end nobody waits for.
func (s system) plexsim(stdin io.Reader, arguments ...string) ([]byte, error) {
	errs, err := os.CreateTemp("", "plexsim-stderr-") // also called as the test's own directory goes
	if err != nil {
		return nil, err
	}
	defer func() { _, _ = errs.Close(), os.Remove(errs.Name()) }()
	line := append(append(s.runner[:len(s.runner):len(s.runner)], s.path(s.program)), arguments...)
	command := exec.Command(line[0], line[1:]...)
	command.Stdin, command.Stderr = stdin, errs
	out, err := command.Output()
	if err != nil {
		said, _ := os.ReadFile(errs.Name())
		err = fmt.Errorf("plexsim %s: %w\n%s%s", arguments[0], err, out, said)
	}
	return out, err
}

// supportDir makes one up for a new server.
func (s system) supportDir() string {
	if s.windows {
		return filepath.Join(s.t.TempDir(), "Some One", "AppData", "Local")
	}
	return filepath.Join(s.t.TempDir(), "Library", "Application Support")
}

// store is where a new server has its preferences, if that is no file.
func (s system) store() string {
	if !s.windows {
		return ""
	}
	return `HKEY_CURRENT_USER\Software\Plex, Inc.\Plex Media Server ` + strings.ToLower(rand.Text()[:10])
}

// quote makes one word of a shell of the system: Plex's own paths hold spaces.
func (s system) quote(word string) string {
	if s.windows {
		return `"` + word + `"`
	}
	return quote(word)
}

// Exit statuses of `plexsim preferences`: there are none; what it read are none.
const (
	statusNone      = 4
	statusMalformed = 2
)

// preferences are those of a support directory's server, as a Preferences.xml; nil
// if there are none.
func (s system) preferences(dir string) ([]byte, error) {
	out, err := s.plexsim(nil, "preferences", s.path(dir))
	if exitStatus(err) == statusNone {
		return nil, nil
	}
	return out, err
}

// setPreferences replaces them. Where they are no file they cannot be malformed: a
// test that needs that is skipped.
func (s system) setPreferences(dir string, content []byte) error {
	s.t.Helper()
	_, err := s.plexsim(bytes.NewReader(content), "preferences", "--write", s.path(dir))
	if exitStatus(err) == statusMalformed {
		s.t.Skip("NOT RUN: what is in a registry cannot be malformed")
	}
	return err
}

func exitStatus(err error) int {
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}
