package server

import (
	"slices"
	"strings"
)

// platform is one way in which the server is packaged, and where everything is
// then. What the running server or its service says goes before Directories.
type platform struct {
	Name        string
	Signs       []string // paths, with globs; one that exists tells the platform. None: the manager is enough
	Manager     string   // managerNone where no command is known
	Services    []string
	Directories []string // data directories, with globs: where the preferences are by default
}

// PlatformLinux is what no other row knows better: a package for Linux, under
// whatever manages services there.
const PlatformLinux = "linux"

// PlatformMacOS has the server's preferences in the user defaults.
const PlatformMacOS = "macos"

var (
	linuxServices    = []string{"plexmediaserver", "plex"}
	linuxDirectories = []string{
		"/var/lib/plexmediaserver/Library/Application Support/Plex Media Server", "/var/lib/plex/Plex Media Server",
	}
	macOSSign            = "/System/Library/CoreServices/SystemVersion.plist"
	containerDirectories = []string{"/config/Library/Application Support/Plex Media Server"}
)

// platforms is the table of plex-facts section 5.1, the container images also of
// 5.3. docs/design/platforms.md says how each row is tested. A service that
// several rows know belongs to the first.
var platforms = []platform{
	// 5.1 NixOS: the unit is called plex, and is in no package's place.
	{"nixos", []string{"/etc/NIXOS"}, ManagerSystemd, []string{"plex.service"}, []string{"/var/lib/plex/Plex Media Server"}},
	// 5.1 Arch.
	{"arch", []string{"/etc/arch-release"}, ManagerSystemd, []string{"plexmediaserver.service"}, []string{"/var/lib/plex/Plex Media Server"}},
	// 5.1 ReadyNAS.
	{"readynas", []string{"/apps/plexmediaserver*"}, ManagerSystemd, []string{"fvapp-plexmediaserver.service"}, []string{"/apps/plexmediaserver*/MediaLibrary/Plex Media Server"}},
	// 5.1 Snap.
	{"snap", []string{"/snap/plexmediaserver", "/var/snap/plexmediaserver"}, ManagerSnap, []string{"plexmediaserver"}, []string{"/var/snap/plexmediaserver/common/Library/Application Support/Plex Media Server"}},
	// 5.1 Synology: the package has another name, and another way to stop it, since DSM 7.
	{"synology-dsm7", []string{"/var/packages/PlexMediaServer"}, ManagerSynopkg, []string{"PlexMediaServer"}, []string{"/var/packages/PlexMediaServer/shares/PlexMediaServer/AppData/Plex Media Server"}},
	{"synology-dsm6", []string{"/var/packages/Plex Media Server"}, ManagerSynopkg, []string{"/var/packages/Plex Media Server/scripts/start-stop-status"}, nil},
	// 5.1 QNAP.
	{"qnap", []string{"/etc/config/qpkg.conf"}, ManagerQNAP, []string{"/etc/init.d/plex.sh"}, nil},
	// 5.1 ASUSTOR, WD OS5: no command is known.
	{"asustor", []string{"/volume1/Plex/Library/Plex Media Server"}, managerNone, []string{"-"}, []string{"/volume1/Plex/Library/Plex Media Server"}},
	{"western-digital", []string{"/mnt/HD/HD*/Nas_Prog/plex_conf"}, managerNone, []string{"-"}, []string{"/mnt/HD/HD*/Nas_Prog/plex_conf/Plex Media Server"}},
	// 5.1 FreeBSD, TrueNAS CORE.
	{"freebsd", nil, ManagerFreeBSD, []string{"plexmediaserver"}, []string{"/usr/local/plexdata/Plex Media Server"}},
	{"freebsd", nil, ManagerFreeBSD, []string{"plexmediaserver_plexpass"}, []string{"/usr/local/plexdata-plexpass/Plex Media Server"}},
	// 5.1, 5.5 macOS, where the script finds the user who runs the server, and the data directory is that user's.
	{PlatformMacOS, []string{macOSSign}, ManagerMacOSApp, []string{"Plex Media Server"}, nil},
	{PlatformMacOS, []string{macOSSign}, ManagerLaunchd, []string{"com.plexapp.mediaserver"}, nil},
	// 5.1, 5.3 inside containers. s6-overlay 2 has its services elsewhere than s6-overlay 3.
	{"pms-docker", []string{"/var/run/s6/services/plex"}, ManagerS6, []string{"/var/run/s6/services/plex"}, containerDirectories},
	{"linuxserver", []string{"/run/service/svc-plex", "/var/run/service/svc-plex"}, ManagerS6, []string{"/run/service/svc-plex", "/var/run/service/svc-plex"}, containerDirectories},
	{"hotio", []string{"/run/service/service-plex", "/app/config/Plex Media Server"}, ManagerS6, []string{"/run/service/service-plex", "/run/service/plex"}, []string{"/config"}},
	{"binhex", []string{"/config/Plex Media Server"}, ManagerSupervisord, []string{"start-script", "plexmediaserver"}, []string{"/config/Plex Media Server"}},
	// 5.1 Debian and RPM packages, and whoever runs them otherwise.
	{PlatformLinux, nil, ManagerSystemd, []string{"plexmediaserver.service", "plex.service"}, linuxDirectories},
	{PlatformLinux, nil, ManagerSystemdUser, []string{"plexmediaserver.service", "plex.service"}, nil},
	{PlatformLinux, nil, ManagerOpenRC, linuxServices, linuxDirectories},
	{PlatformLinux, nil, ManagerRunit, linuxServices, linuxDirectories},
	{PlatformLinux, nil, ManagerS6, linuxServices, linuxDirectories},
	{PlatformLinux, nil, ManagerSupervisord, linuxServices, linuxDirectories},
	{PlatformLinux, nil, ManagerSysV, linuxServices, linuxDirectories},
}

// Platforms are the names that Options.Platform may have.
func Platforms() []string {
	var names []string
	for _, p := range platforms {
		if !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
	}
	slices.Sort(names)
	return names
}

// rows are the lines of the table that the script looks at: name, signs,
// manager, services and directories, with a bar between them and a semicolon
// between several, since all of these may hold spaces.
func rows(name, manager string) string {
	var b strings.Builder
	for _, p := range platforms {
		if name != "" && p.Name != name || manager != "" && manager != ManagerCommands && p.Manager != manager {
			continue
		}
		b.WriteString(strings.Join([]string{
			p.Name, strings.Join(p.Signs, ";"), p.Manager, strings.Join(p.Services, ";"), strings.Join(p.Directories, ";"),
		}, "|") + "\n")
	}
	return b.String()
}
