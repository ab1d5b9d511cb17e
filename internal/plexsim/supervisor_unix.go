//go:build unix

package plexsim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

const executableSuffix = ""

// giveName makes a link to an executable. A hard link also shows its name in
// /proc/PID/exe; where there can be none, a symbolic link.
func giveName(executable, link string) error {
	if err := os.Remove(link); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if os.Link(executable, link) == nil {
		return nil
	}
	return os.Symlink(executable, link)
}

func terminateProcess(pid int) error { return syscall.Kill(pid, syscall.SIGTERM) }

func killProcess(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) }

// ownSession keeps a terminal's Ctrl-C and hang-up away from the server.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// closeInherited sees to it that descriptors which this process was given, beyond
// the first three, end with it.
func closeInherited() {
	entries, err := os.ReadDir(descriptorDir)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			syscall.CloseOnExec(fd)
		}
	}
}

// lockFile takes a lock that ends with this process at the latest.
func lockFile(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return func() { _ = file.Close() }, nil
}
