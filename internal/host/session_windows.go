package host

import (
	"os"
	"syscall"

	"golang.org/x/sys/windows"
)

// ownSession gives a command a process group and a console of its own, without a
// window: Ctrl-C in the user's console does not reach it, nor does closing that
// window, which ends all who share the console.
func ownSession() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.CREATE_NO_WINDOW}
}

func killSession(p *os.Process) { _ = p.Kill() }
