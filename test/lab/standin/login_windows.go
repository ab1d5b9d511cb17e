package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// login is what OpenSSH for Windows does when somebody has logged in: it gives the
// command to cmd.exe, in quotes and otherwise as it is, or starts cmd.exe alone.
func login([]string) int {
	shell := filepath.Join(os.Getenv("SystemRoot"), "system32", "cmd.exe")
	line := `"` + shell + `"`
	if command := os.Getenv("SSH_ORIGINAL_COMMAND"); command != "" {
		line += ` /c "` + command + `"`
	}
	if err := os.Chdir(os.Getenv("USERPROFILE")); err != nil {
		return fail(255, "%v", err)
	}
	process := exec.Command(shell)
	process.SysProcAttr = &syscall.SysProcAttr{CmdLine: line}
	process.Stdin, process.Stdout, process.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := process.Run()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return fail(255, "%v", err)
	}
	return 0
}
