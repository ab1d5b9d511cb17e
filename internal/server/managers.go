package server

import "slices"

// Managers of a service. Each is a set of functions in script/, named after it.
const (
	ManagerSystemd     = "systemd"
	ManagerSystemdUser = "systemd-user" // the manager of the user who looks
	ManagerOpenRC      = "openrc"
	ManagerRunit       = "runit"       // the name is one of a service directory, or its path
	ManagerS6          = "s6"          // the same
	ManagerSupervisord = "supervisord" // the name is that of a program, or group:program
	ManagerSysV        = "sysv"        // the name is that of a script in /etc/init.d, or its path
	ManagerFreeBSD     = "freebsd"     // the name is that of an rc script
	ManagerSnap        = "snap"        // the name is that of the snap
	ManagerSynopkg     = "synopkg"     // the name is that of the package, or on DSM 6 the path of its script
	ManagerQNAP        = "qnap"        // the name is the path of the package's script
	ManagerMacOSApp    = "macos-app"   // the name is that of the application, or its path
	ManagerLaunchd     = "launchd"     // the name is the label of the job

	// Those of Windows, pieces of batch/: the application of a user who is logged
	// on, and a service whose program runs the server.
	ManagerWindowsApp     = "windows-app"
	ManagerWindowsService = "windows-service"

	// ManagerCommands is the user's own commands, and managerNone a platform
	// whose service no command is known for: such a server is only looked at.
	ManagerCommands = "commands"
	managerNone     = "none"

	// managerOffline is of preferences on a disk whose system does not run.
	managerOffline = "offline"
)

// Managers are those that Service.Manager may name.
func Managers() []string {
	return slices.Concat(managers, windowsManagers)
}

// windowsManagers are those of Windows.
var windowsManagers = []string{ManagerWindowsApp, ManagerWindowsService}

// managers are those of POSIX systems, in the order in which a name without a
// manager is looked up.
var managers = []string{
	ManagerSystemd, ManagerSystemdUser, ManagerSnap, ManagerSynopkg, ManagerQNAP, ManagerFreeBSD,
	ManagerOpenRC, ManagerRunit, ManagerS6, ManagerSupervisord, ManagerSysV, ManagerMacOSApp, ManagerLaunchd,
}
