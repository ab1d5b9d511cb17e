package server_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// The rows of the table of platforms, each in a root directory that has what the
// facts say of it (plex-facts 5.1, 5.3).

// lay is a host whose / holds files, and of this machine the programs, but for
// some, and /proc, /dev and /tmp. A name that ends with -> is a symbolic link to its
// content, one that ends with / a directory; bin-first/ comes first in the PATH.
func lay(t *testing.T, files map[string]string, without ...string) host.Host {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("NOT RUN: only root can change the root directory; .ci/run does")
	}
	base := t.TempDir()
	root := filepath.Join(base, "root")
	put := func(name, content string) {
		t.Helper()
		name, link := strings.CutSuffix(name, "->")
		path := filepath.Join(root, strings.Replace("/"+name, "//", "/", 1))
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		switch {
		case link:
			err = errors.Join(err, os.Symlink(content, path))
		case strings.HasSuffix(name, "/"):
			err = errors.Join(err, os.MkdirAll(path, 0o755))
		default:
			err = errors.Join(err, os.WriteFile(path, []byte(content), 0o600), os.Chmod(path, 0o755))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range files {
		put(name, content)
	}
	put("etc/passwd", "root:x:0:0::/root:/bin/sh\n")
	mounts := []string{"/usr", "/proc", "/dev", "/tmp"}
	for _, dir := range []string{"/bin", "/lib", "/lib64"} {
		if target, err := os.Readlink(dir); err == nil {
			put(dir+"->", target)
		} else if _, err := os.Stat(dir); err == nil {
			mounts = append(mounts, dir)
		}
	}
	for _, from := range []string{"/usr/bin", "/bin"} {
		entries, err := os.ReadDir(from)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			path := filepath.Join(root, "programs", entry.Name())
			// Where an alternative leads is in /etc, which is not there.
			program, err := filepath.EvalSymlinks(filepath.Join(from, entry.Name()))
			if err != nil || slices.Contains(without, entry.Name()) {
				continue
			}
			if _, err := os.Lstat(path); err != nil {
				put("programs/"+entry.Name()+"->", program)
			}
		}
	}
	enter := "cd " + host.Quote(root) + " || exit 1\n"
	for _, dir := range mounts {
		enter += fmt.Sprintf("mkdir -p .%[1]s && mount --rbind %[1]s .%[1]s || exit 1\n", dir)
	}
	script := filepath.Join(base, "enter")
	if err := os.WriteFile(script, []byte(enter+`exec chroot . /usr/bin/env PATH=/bin-first:/programs "$@"`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	interpreter := []string{"unshare", "--mount", "--propagation", "private", "sh", script, "sh"}
	if out, err := exec.Command(interpreter[0], append(interpreter[1:], "-c", "true")...).CombinedOutput(); err != nil {
		t.Skipf("NOT RUN: no mounts here: %v %s", err, out)
	}
	return host.Local{Interpreter: interpreter}
}

// A service directory that looks supervised, and what s6-svstat says of it.
const downService = "#!/bin/sh\necho 'down (exitcode 0) 3 seconds, normally up'\n"

func TestEveryPlatformIsFoundByItself(t *testing.T) {
	if os.Getenv(simtest.EnvLab) != "" {
		t.Skip("NOT RUN: here the platform is real")
	}
	systemctl := func(unit, support string) string {
		return "#!/bin/sh\nfor last; do :; done\ncase \"$*\" in\n  *ActiveState*) echo inactive ;;\n  *) if [ \"$last\" = " + unit +
			" ]; then printf 'LoadState=loaded\\nMainPID=0\\nEnvironment=\"PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR=" + support +
			"\"\\n'; else echo LoadState=not-found; fi ;;\nesac\n"
	}
	none := []string{"systemctl", "rc-service", "sv", "s6-svc", "supervisorctl"}
	const dataName = "Plex Media Server"
	for name, test := range map[string]struct {
		// files are in /; DATADIR is the data directory of the server, SUPPORT the one above it.
		files         map[string]string
		without       []string
		preferences   string // where they are then
		manager, unit string
	}{
		"nixos": {map[string]string{"/etc/NIXOS": "", "/var/lib/plex->": "SUPPORT", "bin-first/systemctl": systemctl("plex.service", "/var/lib/plex")},
			none[1:], "/var/lib/plex/" + dataName, "systemd", "plex.service"},
		"arch": {map[string]string{"/etc/arch-release": "", "/var/lib/plex->": "SUPPORT", "bin-first/systemctl": systemctl("plexmediaserver.service", "/var/lib/plex")},
			none[1:], "/var/lib/plex/" + dataName, "systemd", "plexmediaserver.service"},
		"readynas": {map[string]string{"/apps/plexmediaserver-annex/MediaLibrary->": "SUPPORT",
			"bin-first/systemctl": systemctl("fvapp-plexmediaserver.service", "/apps/plexmediaserver-annex/MediaLibrary")},
			none[1:], "/apps/plexmediaserver-annex/MediaLibrary/" + dataName, "systemd", "fvapp-plexmediaserver.service"},
		"snap": {map[string]string{"/snap/plexmediaserver/": "", "/var/snap/plexmediaserver/common/Library/Application Support->": "SUPPORT", "bin-first/snap": "#!/bin/sh\nexit 1\n",
			"bin-first/systemctl": systemctl("snap.plexmediaserver.plexmediaserver.service", "/var/snap/plexmediaserver/common/Library/Application Support")},
			none[1:], "/var/snap/plexmediaserver/common/Library/Application Support/" + dataName, "snap", "snap.plexmediaserver.plexmediaserver.service"},
		"synology-dsm7": {map[string]string{"/var/packages/PlexMediaServer/shares/PlexMediaServer/AppData->": "SUPPORT",
			"bin-first/synopkg": "#!/bin/sh\n[ \"$*\" = 'status PlexMediaServer' ] || exit 9\necho '{\"status\":\"stop\"}'; exit 3\n"},
			none, "/var/packages/PlexMediaServer/shares/PlexMediaServer/AppData/" + dataName, "synopkg", "PlexMediaServer"},
		"synology-dsm6": {map[string]string{"/var/packages/Plex Media Server/scripts/start-stop-status": "#!/bin/sh\nexit 3\n",
			"/volume1/Plex/Library/Application Support->": "SUPPORT", "bin-first/synopkg": "#!/bin/sh\nexit 9\n",
			"bin-first/synoshare": "#!/bin/sh\n[ \"$*\" = '--get Plex' ] || exit 9\nprintf '\\t Comment .....[]\\n\\t Path ........[/volume1/Plex]\\n'\n"},
			none, "/volume1/Plex/Library/Application Support/" + dataName, "synopkg", "/var/packages/Plex Media Server/scripts/start-stop-status"},
		"qnap": {map[string]string{"/etc/config/qpkg.conf": "", "/etc/init.d/plex.sh": "#!/bin/sh\n", "/share/CACHEDEV1_DATA/.qpkg/PlexMediaServer/Library->": "SUPPORT",
			"bin-first/getcfg": "#!/bin/sh\n[ \"$*\" = '-f /etc/config/qpkg.conf PlexMediaServer Install_path' ] && echo /share/CACHEDEV1_DATA/.qpkg/PlexMediaServer\n"},
			none, "/share/CACHEDEV1_DATA/.qpkg/PlexMediaServer/Library/" + dataName, "qnap", "/etc/init.d/plex.sh"},
		"asustor":         {map[string]string{"/volume1/Plex/Library->": "SUPPORT"}, none, "/volume1/Plex/Library/" + dataName, "none", ""},
		"western-digital": {map[string]string{"/mnt/HD/HD_a2/Nas_Prog/plex_conf->": "SUPPORT"}, none, "/mnt/HD/HD_a2/Nas_Prog/plex_conf/" + dataName, "none", ""},
		"pms-docker": {map[string]string{"/var/run->": "/run", "/run/s6/services/plex/supervise/": "", "/config/Library/Application Support->": "SUPPORT",
			"bin-first/s6-svc": "#!/bin/sh\n", "bin-first/s6-svstat": downService},
			[]string{"systemctl", "rc-service", "sv", "supervisorctl"}, "/config/Library/Application Support/" + dataName, "s6", "/var/run/s6/services/plex"},
		"linuxserver": {map[string]string{"/var/run->": "/run", "/run/service/svc-plex->": "/run/s6-rc/servicedirs/svc-plex", "/run/s6-rc/servicedirs/svc-plex/supervise/": "",
			"/config/Library/Application Support->": "SUPPORT", "bin-first/s6-svc": "#!/bin/sh\n", "bin-first/s6-svstat": downService},
			[]string{"systemctl", "rc-service", "sv", "supervisorctl"}, "/config/Library/Application Support/" + dataName, "s6", "/run/service/svc-plex"},
		"hotio": {map[string]string{"/run/service/service-plex/supervise/": "", "/run/s6/container_environment/PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR": "/app/config",
			"/config->": "DATADIR", "/app/config/" + dataName + "->": "/config", "bin-first/s6-svc": "#!/bin/sh\n", "bin-first/s6-svstat": downService},
			[]string{"systemctl", "rc-service", "sv", "supervisorctl"}, "/config", "s6", "/run/service/service-plex"},
	} {
		t.Run(name, func(t *testing.T) {
			sim := simtest.NewServer(t, simtest.Options{})
			files := map[string]string{}
			for path, content := range test.files {
				files[path] = strings.NewReplacer("SUPPORT", sim.SupportDir(), "DATADIR", sim.DataDir()).Replace(content)
			}
			h := lay(t, files, test.without...)
			for _, platform := range []string{"", name} {
				got, err := newServer(t, h, found(sim, func(o *server.Options) { o.Platform = platform })).Inspect(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got.ID != sim.Identity.Processed || got.Platform != name || got.PreferencesPath != test.preferences+"/Preferences.xml" ||
					got.Manager != test.manager || got.Unit != test.unit || got.State != server.Stopped {
					t.Errorf("with platform %q: found %s, %s, %s, %s", platform, got.Platform, got.Service(), got.PreferencesPath, got.State)
				}
			}
			if test.manager == "none" {
				_, err := newServer(t, h, found(sim)).Edit(t.Context(), unbind)
				wantError(t, err, server.ErrNoCommands)
				wantSays(t, err, name, "server.commands")
			}
			for _, other := range []string{"binhex", "freebsd"} {
				_, err := newServer(t, h, found(sim, func(o *server.Options) { o.Platform = other })).Inspect(t.Context())
				wantError(t, err, server.ErrServiceNotFound)
				wantSays(t, err, other)
			}
		})
	}
}
