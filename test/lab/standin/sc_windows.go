package main

import (
	"errors"
	"strings"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

var states = map[svc.State]string{
	svc.Stopped: "STOPPED", svc.StartPending: "START_PENDING", svc.StopPending: "STOP_PENDING", svc.Running: "RUNNING",
	svc.ContinuePending: "CONTINUE_PENDING", svc.PausePending: "PAUSE_PENDING", svc.Paused: "PAUSED",
}

// sc asks Wine's service manager, which is a real one. Its exit status is the
// number of the system's error.
func sc(arguments []string) int {
	if len(arguments) < 2 {
		return fail(1639, "DESCRIPTION: SC [command] [service name] <option1> <option2>...")
	}
	manager, err := mgr.Connect()
	if err != nil {
		return failure("OpenSCManager", err)
	}
	defer func() { _ = manager.Disconnect() }()
	verb, name := strings.ToLower(arguments[0]), arguments[1]
	if verb == "create" {
		return createService(manager, name, arguments[2:])
	}
	service, err := manager.OpenService(name)
	if err != nil {
		return failure("EnumQueryServicesStatus:OpenService", err)
	}
	defer func() { _ = service.Close() }()
	status := svc.Status{}
	switch verb {
	case "query", "queryex":
		status, err = service.Query()
	case "start":
		if err = service.Start(arguments[2:]...); err == nil {
			status, err = service.Query()
		}
	case "stop":
		status, err = service.Control(svc.Stop)
	case "delete":
		if err = service.Delete(); err == nil {
			say("[SC] DeleteService SUCCESS")
			return 0
		}
	case "qc":
		return showConfig(service, name)
	default:
		return fail(1639, "*** Unrecognized Command ***")
	}
	if err != nil {
		return failure(verb, err)
	}
	say("")
	say("SERVICE_NAME: %s ", name)
	say("        TYPE               : 10  WIN32_OWN_PROCESS  ")
	say("        STATE              : %d  %s ", status.State, states[status.State])
	say("        WIN32_EXIT_CODE    : %d  (0x%x)", status.Win32ExitCode, status.Win32ExitCode)
	if verb != "query" && verb != "stop" {
		say("        PID                : %d", status.ProcessId)
	}
	return 0
}

func createService(manager *mgr.Mgr, name string, rest []string) int {
	config := mgr.Config{StartType: mgr.StartManual, ErrorControl: mgr.ErrorNormal, DisplayName: name}
	path := ""
	for i := 0; i+1 < len(rest); i += 2 {
		switch strings.ToLower(rest[i]) {
		case "binpath=":
			path = rest[i+1]
		case "displayname=":
			config.DisplayName = rest[i+1]
		case "start=":
			if strings.EqualFold(rest[i+1], "auto") {
				config.StartType = mgr.StartAutomatic
			}
		default:
			return fail(1639, "*** Unrecognized Option: %s", rest[i])
		}
	}
	// mgr quotes what it takes to be a path; the command line is whole already.
	text := func(s string) *uint16 {
		wide, _ := windows.UTF16PtrFromString(s) // an argument has no NUL
		return wide
	}
	service, err := windows.CreateService(manager.Handle, text(name), text(config.DisplayName), windows.SERVICE_ALL_ACCESS,
		windows.SERVICE_WIN32_OWN_PROCESS, config.StartType, config.ErrorControl, text(path), nil, nil, nil, nil, nil)
	if err != nil {
		return failure("CreateService", err)
	}
	_ = windows.CloseServiceHandle(service)
	say("[SC] CreateService SUCCESS")
	return 0
}

func showConfig(service *mgr.Service, name string) int {
	config, err := service.Config()
	if err != nil {
		return failure("QueryServiceConfig", err)
	}
	say("[SC] QueryServiceConfig SUCCESS")
	say("")
	say("SERVICE_NAME: %s", name)
	say("        TYPE               : 10  WIN32_OWN_PROCESS ")
	say("        START_TYPE         : %d", config.StartType)
	say("        BINARY_PATH_NAME   : %s ", config.BinaryPathName)
	say("        DISPLAY_NAME       : %s", config.DisplayName)
	say("        SERVICE_START_NAME : %s", config.ServiceStartName)
	return 0
}

func failure(what string, err error) int {
	number := windows.Errno(0)
	if !errors.As(err, &number) {
		return fail(1, "[SC] %s FAILED: %v", what, err)
	}
	return fail(int(number), "[SC] %s FAILED %d:\r\n\r\n%v\r\n", what, number, err)
}
