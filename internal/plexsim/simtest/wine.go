package simtest

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// wine is a server that plexsim controls under Wine, where the processes of Windows
// are also processes of this machine.
type wine struct {
	system
	dir string // as the test has it
}

func (w wine) start() error     { return w.control("start") }
func (w wine) stop() error      { return w.control("stop") }
func (w wine) own(string) error { return nil }
func (w wine) manager() string  { return "" }
func (w wine) unit() string     { return "" }

func (w wine) control(command string) error {
	_, err := w.plexsim(nil, command, w.path(w.dir))
	return err
}

func (w wine) kill() error {
	pid := w.pid()
	if pid == 0 {
		return nil
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	if err := process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	Eventually(w.t, "the end of the server", func() bool { return w.pid() != pid })
	return nil
}

// pid is the number of the process on this machine.
func (w wine) pid() int {
	server := []byte(w.path(filepath.Join(w.dir, ".plexsim", plexName+".exe")))
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return 0
	}
	for _, path := range lines {
		line, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(line, server) { // of a zombie it is empty
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
			return pid
		}
	}
	return 0
}

func (w wine) retire() error {
	err := w.kill()
	if _, missing := os.Stat(w.dir); errors.Is(missing, fs.ErrNotExist) {
		return errors.Join(err, missing)
	}
	_, removed := w.plexsim(nil, "preferences", "--remove", w.path(w.dir))
	return errors.Join(err, removed, os.Rename(w.dir, w.dir+".retired"))
}

func (w wine) commands() Commands {
	line := func(command string) string {
		return strings.Join([]string{w.quote(w.path(w.program)), command, w.quote(w.path(w.dir))}, " ")
	}
	return Commands{Stop: line("stop"), Start: line("start"), Status: line("status")}
}
