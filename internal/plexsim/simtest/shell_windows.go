package simtest

import (
	"os/exec"
	"syscall"
)

// shell runs a line of cmd.exe.
func (s system) shell(line string) *exec.Cmd {
	command := exec.Command("cmd.exe")
	command.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd.exe /d /c "` + line + `"`}
	return command
}
