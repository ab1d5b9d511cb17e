package plexsim

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/windows"
)

const executableSuffix = ".exe"

// giveName makes a copy of an executable. A link could not be removed while any
// process of the executable runs.
func giveName(executable, link string) error {
	source, err := os.Stat(executable)
	if err != nil {
		return err
	}
	if there, err := os.Stat(link); err == nil && there.Size() == source.Size() && !there.ModTime().Before(source.ModTime()) {
		return nil
	}
	program, err := os.ReadFile(executable)
	if err != nil {
		return err
	}
	return os.WriteFile(link, program, 0o755)
}

// lookUp asks the system about a process.
func lookUp(pid int) (found processInfo, exists bool) {
	process, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION|windows.SYNCHRONIZE, false, uint32(pid))
	if err != nil {
		return processInfo{}, false
	}
	defer func() { _ = windows.CloseHandle(process) }()
	if event, err := windows.WaitForSingleObject(process, 0); err != nil || event != uint32(windows.WAIT_TIMEOUT) {
		return processInfo{}, false // it has ended
	}
	var started, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(process, &started, &exited, &kernel, &user); err != nil {
		return processInfo{}, false
	}
	path := make([]uint16, windows.MAX_LONG_PATH)
	size := uint32(len(path))
	if err := windows.QueryFullProcessImageName(process, 0, &path[0], &size); err != nil {
		size = 0
	}
	found = processInfo{started: strconv.FormatInt(started.Nanoseconds(), 10), path: windows.UTF16ToString(path[:size])}
	found.named = strings.EqualFold(filepath.Base(found.path), ServerName+executableSuffix)
	return found, true
}

// terminateProcess asks as taskkill does. A process that has just begun has no
// window yet, and one that is asked then would never hear of it.
func terminateProcess(pid int) error {
	deadline := time.Now().Add(5 * time.Second)
	for {
		err := closeWindows(pid)
		if err == nil || time.Now().After(deadline) {
			return err
		}
		if _, exists := lookUp(pid); !exists {
			return nil
		}
		time.Sleep(pollInterval)
	}
}

func killProcess(pid int) error {
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	defer func() { _ = process.Release() }()
	return process.Kill()
}

// ownSession keeps the console of whoever starts the server away from it.
func ownSession() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
}

// closeInherited has nothing to do: a process is given the handles that are named.
func closeInherited() {}

// lockFile takes a lock that ends with this process at the latest.
func lockFile(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := windows.LockFileEx(windows.Handle(file.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &windows.Overlapped{}); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return func() { _ = file.Close() }, nil
}
