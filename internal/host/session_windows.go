package host

import (
	"os"
	"syscall"
)

// ownSession gives a command a process group of its own, so that Ctrl-C in the
// console does not reach it.
func ownSession() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

func killSession(p *os.Process) { _ = p.Kill() }
