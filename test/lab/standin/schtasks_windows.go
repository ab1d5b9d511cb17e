package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// tasksKey holds the tasks: their names and what they run.
const tasksKey = `Software\plexlab\Tasks`

// schtasks keeps tasks, and runs them only when it is told to.
func schtasks(arguments []string) int {
	key, _, err := registry.CreateKey(registry.LOCAL_MACHINE, tasksKey, registry.QUERY_VALUE|registry.SET_VALUE)
	if err != nil {
		return fail(1, "ERROR: %v", err)
	}
	defer func() { _ = key.Close() }()
	if len(arguments) == 0 {
		return fail(1, "ERROR: Invalid syntax.")
	}
	name, named := option(arguments, "tn")
	name = strings.TrimPrefix(name, `\`)
	if !named || name == "" {
		return fail(1, "ERROR: Invalid syntax. Mandatory option 'tn' is missing.")
	}
	command, _, err := key.GetStringValue(name)
	exists := err == nil
	if err != nil && !errors.Is(err, registry.ErrNotExist) {
		return fail(1, "ERROR: %v", err)
	}
	_, forced := option(arguments, "f")
	verb := strings.ToLower(arguments[0])
	switch {
	case verb == "/create":
		return createTask(key, arguments, name, exists && !forced)
	case !exists:
		return fail(1, "ERROR: The system cannot find the file specified.")
	case verb == "/run":
		err = runTask(command)
	case verb == "/delete" && !forced:
		return fail(1, "ERROR: nobody is there who could say yes")
	case verb == "/delete":
		err = key.DeleteValue(name)
	case verb == "/query":
		say(`"\%s","N/A","Ready"`, name)
		return 0
	default:
		return fail(1, "ERROR: Invalid argument/option - '%s'.", arguments[0])
	}
	if err != nil {
		return fail(1, "ERROR: %v", err)
	}
	say("SUCCESS: %s %q.", strings.TrimPrefix(verb, "/"), name)
	return 0
}

func createTask(key registry.Key, arguments []string, name string, taken bool) int {
	command, given := option(arguments, "tr")
	_, scheduled := option(arguments, "sc")
	_, described := option(arguments, "xml")
	if described || !given || !scheduled || len(command) > 261 {
		return fail(1, "ERROR: Invalid syntax.")
	}
	if taken {
		return fail(1, "WARNING: The task name %q already exists.", name)
	}
	if err := key.SetStringValue(name, command); err != nil {
		return fail(1, "ERROR: %v", err)
	}
	say("SUCCESS: The scheduled task %q has successfully been created.", name)
	return 0
}

// runTask gives the task nothing of whoever asks for it.
func runTask(command string) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { _ = null.Close() }()
	shell := filepath.Join(os.Getenv("SystemRoot"), "system32", "cmd.exe")
	task := exec.Command(shell)
	task.Dir = filepath.Dir(shell)
	task.Stdin, task.Stdout, task.Stderr = null, null, null
	task.SysProcAttr = &syscall.SysProcAttr{
		CmdLine:       `"` + shell + `" /d /c "` + command + `"`,
		CreationFlags: windows.CREATE_NO_WINDOW | windows.CREATE_NEW_PROCESS_GROUP,
	}
	if err := task.Start(); err != nil {
		return err
	}
	return task.Process.Release()
}
