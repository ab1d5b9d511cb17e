package main

import (
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// process is what the system says about one.
type process struct {
	pid, parent, session uint32
	name                 string // of its executable
	path                 string // of its executable; empty if it may not be asked
	line                 string // its command line; likewise
	started              time.Time
}

func processes() ([]process, error) {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return nil, err
	}
	defer func() { _ = windows.CloseHandle(snapshot) }()
	var found []process
	entry := windows.ProcessEntry32{}
	entry.Size = uint32(unsafe.Sizeof(entry))
	for err = windows.Process32First(snapshot, &entry); err == nil; err = windows.Process32Next(snapshot, &entry) {
		p := process{pid: entry.ProcessID, parent: entry.ParentProcessID, name: windows.UTF16ToString(entry.ExeFile[:])}
		p.ask()
		found = append(found, p)
	}
	if err != windows.ERROR_NO_MORE_FILES {
		return nil, err
	}
	return found, nil
}

// ask fills in what only an open process tells.
func (p *process) ask() {
	_ = windows.ProcessIdToSessionId(p.pid, &p.session)
	handle, err := windows.OpenProcess(windows.PROCESS_QUERY_INFORMATION|windows.PROCESS_VM_READ, false, p.pid)
	if err != nil {
		return
	}
	defer func() { _ = windows.CloseHandle(handle) }()
	path := make([]uint16, windows.MAX_LONG_PATH)
	size := uint32(len(path))
	if windows.QueryFullProcessImageName(handle, 0, &path[0], &size) == nil {
		p.path = windows.UTF16ToString(path[:size])
	}
	var started, exited, kernel, user windows.Filetime
	if windows.GetProcessTimes(handle, &started, &exited, &kernel, &user) == nil {
		p.started = time.Unix(0, started.Nanoseconds())
	}
	p.line = commandLine(handle)
}

// commandLine reads it where the process itself keeps it.
func commandLine(handle windows.Handle) string {
	var basic windows.PROCESS_BASIC_INFORMATION
	if windows.NtQueryInformationProcess(handle, windows.ProcessBasicInformation, unsafe.Pointer(&basic), uint32(unsafe.Sizeof(basic)), nil) != nil {
		return ""
	}
	var peb windows.PEB
	if !read(handle, uintptr(unsafe.Pointer(basic.PebBaseAddress)), unsafe.Pointer(&peb), unsafe.Sizeof(peb)) {
		return ""
	}
	var parameters windows.RTL_USER_PROCESS_PARAMETERS
	if !read(handle, uintptr(unsafe.Pointer(peb.ProcessParameters)), unsafe.Pointer(&parameters), unsafe.Sizeof(parameters)) {
		return ""
	}
	line := make([]uint16, parameters.CommandLine.Length/2)
	if len(line) == 0 || !read(handle, uintptr(unsafe.Pointer(parameters.CommandLine.Buffer)), unsafe.Pointer(&line[0]), uintptr(parameters.CommandLine.Length)) {
		return ""
	}
	return windows.UTF16ToString(line)
}

func read(process windows.Handle, from uintptr, to unsafe.Pointer, size uintptr) bool {
	var done uintptr
	return windows.ReadProcessMemory(process, from, (*byte)(to), size, &done) == nil && done == size
}
