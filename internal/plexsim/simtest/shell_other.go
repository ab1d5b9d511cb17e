//go:build !windows

package simtest

import (
	"os"
	"os/exec"
)

// shell runs a line of a POSIX shell, or of cmd.exe under Wine.
func (s system) shell(line string) *exec.Cmd {
	if s.windows {
		return exec.Command(os.Getenv(EnvWine), "cmd", line)
	}
	return exec.Command("sh", "-c", line)
}
