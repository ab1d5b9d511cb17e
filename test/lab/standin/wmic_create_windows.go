package main

import (
	"errors"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// create is "process call create LINE": the process is no child of whoever asks, has
// none of its handles and nothing of its environment.
func create(line string) int {
	pid, err := spawn(line)
	status := uint32(0)
	if err != nil {
		status = 9 // as for a path that is not there
		if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
			status = 2
		}
	}
	write([]string{
		"Executing (Win32_Process)->Create()", "Method execution successful.", "Out Parameters:", "instance of __PARAMETERS", "{",
		"\tProcessId = " + number(pid) + ";", "\tReturnValue = " + number(status) + ";", "};",
	})
	return 0
}

func spawn(line string) (uint32, error) {
	command, err := windows.UTF16PtrFromString(line)
	if err != nil {
		return 0, err
	}
	variables, err := windows.GetCurrentProcessToken().Environ(false)
	if err != nil {
		return 0, err
	}
	block, err := windows.UTF16FromString(strings.Join(variables, "\n") + "\n")
	if err != nil {
		return 0, err
	}
	for i, unit := range block {
		if unit == '\n' {
			block[i] = 0
		}
	}
	system, err := windows.GetSystemDirectory()
	if err != nil {
		return 0, err
	}
	directory, err := windows.UTF16PtrFromString(system)
	if err != nil {
		return 0, err
	}
	// A process that inherits nothing is still given these by whoever starts it, and would keep files open.
	for _, handle := range []uint32{windows.STD_INPUT_HANDLE, windows.STD_OUTPUT_HANDLE, windows.STD_ERROR_HANDLE} {
		if err := windows.SetStdHandle(handle, 0); err != nil {
			return 0, err
		}
	}
	startup := windows.StartupInfo{}
	startup.Cb = uint32(unsafe.Sizeof(startup))
	var started windows.ProcessInformation
	err = windows.CreateProcess(nil, command, nil, nil, false, windows.CREATE_NO_WINDOW|windows.CREATE_NEW_PROCESS_GROUP|windows.CREATE_UNICODE_ENVIRONMENT,
		&block[0], directory, &startup, &started)
	if err != nil {
		return 0, err
	}
	return started.ProcessId, errors.Join(windows.CloseHandle(started.Thread), windows.CloseHandle(started.Process))
}
