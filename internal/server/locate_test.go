package server_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// How the server is found by systemd, with a systemctl that answers from files.
// The real one, and what is lifted in /run/systemd, is for the lab.

// systemctl answers for the units that are directories beside it: `properties`
// is what show says, and `start`, `stop` and `status` are what they do.
const systemctl = `#!/bin/sh
dir=${0%/*}/../units
scope=system verb='' names='' value='' unit=''
while [ $# -gt 0 ]; do
  case $1 in
    --user) scope=user ;;
    --value) value=yes ;;
    -p) shift; names="$names $1" ;;
    --) shift; unit=$1 ;;
    -*) ;;
    *) verb=$1 ;;
  esac
  shift
done
printf '%s %s\n' "$verb" "$unit" >>"$dir/calls"
unit_dir=$dir/$scope/$unit
case $verb in
  show)
    if [ ! -d "$unit_dir" ]; then
      echo LoadState=not-found
      exit 0
    fi
    for name in $names; do
      if [ "$name" = ActiveState ]; then
        line=ActiveState=inactive
        if /bin/sh "$unit_dir/status" >/dev/null; then line=ActiveState=active; fi
      else
        line=$(grep "^$name=" "$unit_dir/properties") || continue
      fi
      if [ -n "$value" ]; then line=${line#*=}; fi
      printf '%s\n' "$line"
    done
    ;;
  start | stop) exec /bin/sh "$unit_dir/$verb" ;;
esac
`

// systemd is a host whose service manager is that systemctl.
type systemd struct {
	*testing.T
	dir string
}

// newSystemd puts the stand-ins first in the PATH, which the shell inherits.
func newSystemd(t *testing.T) *systemd {
	t.Helper()
	if os.Getenv(simtest.EnvLab) != "" {
		t.Skip("NOT RUN: here the service manager is real")
	}
	s := &systemd{T: t, dir: t.TempDir()}
	s.program("systemctl", systemctl)
	s.write("units/calls", "")
	t.Setenv("PATH", filepath.Join(s.dir, "bin")+":"+os.Getenv("PATH"))
	return s
}

func (s *systemd) write(name, content string) string {
	s.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		s.Fatal(err)
	}
	return path
}

func (s *systemd) program(name, content string) {
	s.Helper()
	if err := os.Chmod(s.write("bin/"+name, content), 0o755); err != nil {
		s.Fatal(err)
	}
}

// unit has systemd run sim. TimeoutStopUSec is infinity, so that nothing is
// written to /run of the machine that runs the tests.
func (s *systemd) unit(name string, sim *simtest.ServerProcess, properties ...string) {
	s.Helper()
	all := append([]string{"LoadState=loaded", "TimeoutStopUSec=infinity", "SendSIGKILL=yes"}, properties...)
	s.write("units/system/"+name+"/properties", strings.Join(all, "\n")+"\n")
	commands := sim.Commands()
	for verb, command := range map[string]string{"start": commands.Start, "stop": commands.Stop, "status": commands.Status} {
		s.write("units/system/"+name+"/"+verb, command+"\n")
	}
}

// calls are how often systemctl was told to do verb.
func (s *systemd) calls(verb string) int {
	s.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, "units", "calls"))
	if err != nil {
		s.Fatal(err)
	}
	return strings.Count("\n"+string(data), "\n"+verb+" ")
}

// eachShell is everyShell for tests that set the environment, which parallel
// ones cannot.
func eachShell(t *testing.T, test func(t *testing.T, h host.Host)) {
	t.Helper()
	for _, shell := range shells {
		if _, err := exec.LookPath(shell.argv[0]); err != nil {
			t.Logf("NOT RUN under %s: it is not installed", shell.name)
			continue
		}
		t.Run(shell.name, func(t *testing.T) { test(t, host.Local{Interpreter: shell.argv}) })
	}
}

// found are the options of somebody who sets nothing but the address.
func found(sim *simtest.ServerProcess, changes ...func(*server.Options)) server.Options {
	o := server.Options{URL: sim.URL(), Limits: quick}
	for _, change := range changes {
		change(&o)
	}
	return o
}

func wantFound(t *testing.T, h host.Host, o server.Options, sim *simtest.ServerProcess, service string) {
	t.Helper()
	got, err := newServer(t, h, o).Inspect(t.Context())
	if err != nil {
		t.Error(err)
		return
	}
	if got.PreferencesPath != sim.PreferencesPath() || got.ID != sim.Identity.Processed || got.Service() != service {
		t.Errorf("found %s, %s of %s", got.Service(), got.PreferencesPath, got.ID)
	}
}

// homeOf is an assignment of the HOME below which the data directory is by default.
func homeOf(sim *simtest.ServerProcess) string {
	return `Environment="HOME=` + filepath.Dir(filepath.Dir(sim.SupportDir())) + `"`
}

const supportVariable = "PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR"

func TestTheDataDirectoryIsFoundInTheEnvironmentOfTheUnit(t *testing.T) {
	eachShell(t, func(t *testing.T, h host.Host) {
		sd := newSystemd(t)
		sim := simtest.NewServer(t, simtest.Options{})
		dir := sim.SupportDir()
		odd := filepath.Join(t.TempDir(), `a "b" \c 'd' $e`)
		if err := os.Symlink(dir, odd); err != nil {
			t.Fatal(err)
		}
		file := func(name, content string) string {
			return fmt.Sprintf("EnvironmentFiles=%s (ignore_errors=no)", sd.write(name, content))
		}
		escaped := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`).Replace(odd)
		for name, properties := range map[string][]string{
			"a word in quotes":                        {`Environment=LANG=C "` + supportVariable + `=` + dir + `" TZ=UTC`},
			"only the value in quotes":                {`Environment=` + supportVariable + `="` + dir + `"`},
			"single quotes":                           {`Environment='` + supportVariable + `=` + dir + `'`},
			"spaces with a backslash":                 {`Environment=` + supportVariable + `=` + strings.ReplaceAll(dir, " ", `\ `)},
			"first the package's, then the drop-in's": {`Environment="` + supportVariable + `=/var/lib/nowhere" A=1 "` + supportVariable + `=` + dir + `"`},
			"a longer name before it":                 {`Environment=X` + supportVariable + `=/nowhere ` + supportVariable + `_2=/nowhere "` + supportVariable + `=` + dir + `"`},
			"inside another's value":                  {`Environment="A=x ` + supportVariable + `=/nowhere" "` + supportVariable + `=` + dir + `"`},
			"a file":                                  {file("a file", supportVariable+"="+dir+"\n")},
			"a file with double quotes":               {file("double", "# "+supportVariable+"=/nowhere\n; x\n\n"+supportVariable+"=\""+dir+"\"\n")},
			"a file with single quotes":               {file("single", "  "+supportVariable+"='"+dir+"'  \n")},
			"a file after the unit":                   {`Environment="` + supportVariable + `=/nowhere"`, file("after", supportVariable+"="+dir)},
			"the last assignment":                     {file("twice", supportVariable+"=/nowhere\n"+supportVariable+"="+dir+"\n#"+supportVariable+"=/nowhere\n")},
			"the last file":                           {file("one", supportVariable+"=/nowhere\n"), file("two", supportVariable+"="+dir+"\n")},
			"a file that does not set it":             {`Environment="` + supportVariable + `=` + dir + `"`, file("other", "PLEX_OTHER=/nowhere\n")},
			"a file that is not there":                {`Environment="` + supportVariable + `=` + dir + `"`, "EnvironmentFiles=/nowhere/plex (ignore_errors=yes)"},
			"windows line ends":                       {file("crlf", supportVariable+"="+dir+"\r\n")},
			"an empty one takes back":                 {`Environment="` + supportVariable + `=/nowhere" ` + supportVariable + `= ` + strings.TrimPrefix(homeOf(sim), "Environment=")},
			"an empty one in a file":                  {homeOf(sim) + ` "` + supportVariable + `=/nowhere"`, file("empty", supportVariable+"=\n")},
			"HOME of the unit":                        {homeOf(sim)},
			"a continued line":                        {file("continued", "OTHER=a \\\n"+supportVariable+"=/nowhere\n"+supportVariable+"=\""+dir[:9]+"\\\n"+dir[9:]+"\"\n")},
			"escapes in a file":                       {file("escapes", supportVariable+"=\""+escaped+"\"\n")},
			"escapes without quotes":                  {file("bare", supportVariable+"="+strings.NewReplacer(`\`, `\\`, `"`, `\"`, `'`, `\'`, " ", `\ `).Replace(odd)+"\n")},
			"pieces in quotes":                        {file("pieces", supportVariable+"='"+dir[:9]+"'\""+dir[9:]+"\"\n")},
			"quotes inside":                           {`Environment="` + supportVariable + `=` + escaped + `"`},
		} {
			sd.unit("plexmediaserver.service", sim, append(properties, "MainPID=0", "User=nobody")...)
			got, err := newServer(t, h, found(sim)).Inspect(t.Context())
			if err != nil || got.ID != sim.Identity.Processed {
				t.Errorf("%s: found %q, %v", name, got.PreferencesPath, err)
			}
		}
	})
}

func TestTheDataDirectoryIsFoundInTheEnvironmentOfTheRunningProcess(t *testing.T) {
	eachShell(t, func(t *testing.T, h host.Host) {
		sd := newSystemd(t)
		sim := simtest.NewServer(t, simtest.Options{})
		sim.Start()
		sd.unit("plexmediaserver.service", sim, "MainPID="+strconv.Itoa(sim.PID()),
			`Environment="`+supportVariable+`=/edited/since/the/start"`)
		wantFound(t, h, found(sim), sim, "plexmediaserver.service (systemd)")
	})
}

func TestTheDataDirectoryIsBelowTheHomeOfTheUserWhenNothingIsSet(t *testing.T) {
	eachShell(t, func(t *testing.T, h host.Host) {
		sd := newSystemd(t)
		sim := simtest.NewServer(t, simtest.Options{})
		home := filepath.Dir(filepath.Dir(sim.SupportDir()))
		sd.program("getent", fmt.Sprintf("#!/bin/sh\n[ \"$*\" = 'passwd plex' ] && printf '%%s\\n' %s\n",
			host.Quote("plex:x:997:997:Plex:"+home+":/usr/sbin/nologin")))
		sd.unit("plex.service", sim, "MainPID=0", "User=plex", "Environment=LANG=C")
		wantFound(t, h, found(sim), sim, "plex.service (systemd)")
	})
}

func TestAUnitThatIsNamedIsTaken(t *testing.T) {
	eachShell(t, func(t *testing.T, h host.Host) {
		sd := newSystemd(t)
		sim, other := simtest.NewServer(t, simtest.Options{}), simtest.NewServer(t, simtest.Options{})
		sd.unit("den.service", sim, `Environment="`+supportVariable+`=`+sim.SupportDir()+`"`)
		sd.unit("plex.service", other, `Environment="`+supportVariable+`=`+other.SupportDir()+`"`)
		for _, name := range []string{"den", "den.service"} {
			wantFound(t, h, found(sim, func(o *server.Options) { o.Service.Name = name }), sim, "den.service (systemd)")
		}
	})
}

func TestOneOfSeveralServersIsChosenByItsPreferences(t *testing.T) {
	eachShell(t, func(t *testing.T, h host.Host) {
		sd := newSystemd(t)
		sim, other := simtest.NewServer(t, simtest.Options{}), simtest.NewServer(t, simtest.Options{})
		sd.unit("plexmediaserver.service", other, `Environment="`+supportVariable+`=`+other.SupportDir()+`"`)
		sd.unit("plex.service", sim, `Environment="`+supportVariable+`=`+sim.SupportDir()+`"`)
		wantFound(t, h, found(sim, func(o *server.Options) { o.PreferencesPath = sim.PreferencesPath() }), sim, "plex.service (systemd)")

		_, err := newServer(t, h, found(sim)).Inspect(t.Context())
		wantError(t, err, server.ErrSeveralServers)
		wantSays(t, err, "plex.service", sim.PreferencesPath(), "plexmediaserver.service", other.PreferencesPath(),
			"server.service.name", "server.preferences_path")
	})
}

func wantSays(t *testing.T, err error, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error does not say %q: %v", text, err)
		}
	}
}

func TestPreferencesThatBelongToNoUnitAreRefused(t *testing.T) {
	eachShell(t, func(t *testing.T, h host.Host) {
		sd := newSystemd(t)
		sim, other := simtest.NewServer(t, simtest.Options{}), simtest.NewServer(t, simtest.Options{})
		sd.unit("plex.service", other, `Environment="`+supportVariable+`=`+other.SupportDir()+`"`)
		_, err := newServer(t, h, found(sim, func(o *server.Options) { o.PreferencesPath = sim.PreferencesPath() })).Inspect(t.Context())
		wantError(t, err, server.ErrServiceNotFound)
		wantSays(t, err, sim.PreferencesPath(), "plex.service", other.PreferencesPath(), "server.service.name", "server.commands")
	})
}

func TestAUnitThatIsNotLoadedIsNotFound(t *testing.T) {
	eachShell(t, func(t *testing.T, h host.Host) {
		newSystemd(t)
		sim := simtest.NewServer(t, simtest.Options{})
		_, err := newServer(t, h, found(sim)).Inspect(t.Context())
		wantError(t, err, server.ErrServiceNotFound)
		wantSays(t, err, "plexmediaserver.service", "plex.service", "server.commands")
		_, err = newServer(t, h, found(sim, func(o *server.Options) { o.Service.Name = "den" })).Inspect(t.Context())
		wantError(t, err, server.ErrServiceNotFound)
		wantSays(t, err, "no service manager here (systemd", "service den")
		_, err = newServer(t, h, found(sim, func(o *server.Options) { o.Service = server.Service{Manager: "systemd", Name: "den"} })).Inspect(t.Context())
		wantError(t, err, server.ErrServiceNotFound)
		wantSays(t, err, "systemd has no service den")
	})
}

func TestAHostWithoutSystemdIsSaidToHaveNone(t *testing.T) {
	onlyForFiles(t)
	if os.Getenv(simtest.EnvLab) == "openrc" {
		t.Skip("NOT RUN: this host has init scripts, which are found without any tool")
	}
	eachShell(t, func(t *testing.T, h host.Host) {
		sim := simtest.NewServer(t, simtest.Options{})
		bin := t.TempDir()
		for _, name := range []string{"uname", "tr", "sed", "awk", "grep", "id", "head", "sh", "dash", "bash", "busybox"} {
			if path, err := exec.LookPath(name); err == nil {
				if err := os.Symlink(path, filepath.Join(bin, name)); err != nil {
					t.Fatal(err)
				}
			}
		}
		t.Setenv("PATH", bin)
		_, err := newServer(t, h, found(sim)).Inspect(t.Context())
		wantError(t, err, server.ErrServiceNotFound)
		_, err = newServer(t, h, found(sim, func(o *server.Options) { o.Service = server.Service{Manager: "systemd", Name: "plex"} })).Inspect(t.Context())
		wantError(t, err, server.ErrServiceNotFound)
		wantSays(t, err, "no systemctl")
	})
}

func TestAManagerOfAnotherSystemIsAnErrorThatNamesThoseOfThisHost(t *testing.T) {
	eachShell(t, func(t *testing.T, h host.Host) {
		for _, service := range []server.Service{
			{Manager: server.ManagerWindowsApp}, {Manager: server.ManagerWindowsApp, Name: "plexmediaserver"},
			{Manager: server.ManagerWindowsService, Name: "plexmediaserver"}, {Manager: server.ManagerMacOSApp}, {Manager: server.ManagerFreeBSD},
		} {
			sd := newSystemd(t)
			sim := bound(t, nil)
			before := sim.Preferences()
			sd.unit("plexmediaserver.service", sim, `Environment="`+supportVariable+`=`+sim.SupportDir()+`"`)
			srv := newServer(t, h, found(sim, func(o *server.Options) { o.Service = service }))
			_, looked := srv.Inspect(t.Context())
			_, edited := srv.Edit(t.Context(), unbind)
			for _, err := range []error{looked, edited} {
				wantError(t, err, server.ErrServiceNotFound)
				wantSays(t, err, service.Manager+" is not there", "this host has systemd", "server.service.manager")
			}
			wantUntouched(t, sim, before)
		}
	})
}

func TestPreferencesThatAreNotAFileAreRefused(t *testing.T) {
	eachShell(t, func(t *testing.T, h host.Host) {
		for name, test := range map[string]struct {
			make func(path string) error
			want error
			says string
		}{
			"symbolic link": {func(path string) error { return os.Symlink("/srv/elsewhere.xml", path) }, server.ErrNotRegular, "/srv/elsewhere.xml"},
			"directory":     {func(path string) error { return os.Mkdir(path, 0o700) }, server.ErrNotRegular, "not a regular file"},
			"missing":       {func(string) error { return nil }, server.ErrNoPreferences, "start it once"},
		} {
			t.Run(name, func(t *testing.T) {
				sd := newSystemd(t)
				sim := simtest.NewServer(t, simtest.Options{NoPreferences: true})
				if err := test.make(sim.PreferencesPath()); err != nil {
					t.Fatal(err)
				}
				sd.unit("plexmediaserver.service", sim, `Environment="`+supportVariable+`=`+sim.SupportDir()+`"`)
				_, err := newServer(t, h, found(sim)).Inspect(t.Context())
				wantError(t, err, test.want)
				wantSays(t, err, sim.PreferencesPath(), test.says)
			})
		}
	})
}

func TestAnotherSystemIsNotSupported(t *testing.T) {
	eachShell(t, func(t *testing.T, h host.Host) {
		sd := newSystemd(t)
		sd.program("uname", "#!/bin/sh\necho SunOS\n")
		sim := simtest.NewServer(t, simtest.Options{})
		_, err := newServer(t, h, found(sim)).Inspect(t.Context())
		wantError(t, err, server.ErrUnsupported)
		wantSays(t, err, "SunOS", "Linux, FreeBSD, macOS and Windows")
	})
}

func TestAServerOfAUnitIsStoppedAndStartedByIt(t *testing.T) {
	eachShell(t, func(t *testing.T, h host.Host) {
		for _, limit := range [][]string{{"TimeoutStopUSec=infinity", "SendSIGKILL=yes"}, {"TimeoutStopUSec=1min 30s", "SendSIGKILL=no"}} {
			sd := newSystemd(t)
			sim := bound(t, nil)
			sd.unit("stand-in.service", sim)
			sd.write("units/system/stand-in.service/properties", strings.Join(append([]string{
				"LoadState=loaded", "MainPID=" + strconv.Itoa(sim.PID())}, limit...), "\n")+"\n")
			report := mustEdit(t, newServer(t, h, found(sim, func(o *server.Options) { o.Service.Name = "stand-in" })), unbind)
			if !report.Restarted || sim.StopCount() != 1 || sd.calls("stop") != 1 || sd.calls("start") != 1 || hasToken(t, sim.Preferences()) {
				t.Errorf("%v: %+v, %d stops", limit, report, sim.StopCount())
			}
			if sd.calls("daemon-reload") != 0 {
				t.Errorf("%v: a unit whose server is never killed was changed", limit)
			}
			wantClean(t, sim)
		}
	})
}

func TestAUnitThatMayNotBeStoppedIsLeftRunning(t *testing.T) {
	eachShell(t, func(t *testing.T, h host.Host) {
		sd := newSystemd(t)
		sim := bound(t, nil)
		before := sim.Preferences()
		sd.unit("stand-in.service", sim, "MainPID="+strconv.Itoa(sim.PID()))
		sd.write("units/system/stand-in.service/stop", "echo 'Failed to stop: Access denied' >&2; exit 4\n")
		_, err := newServer(t, h, found(sim, func(o *server.Options) { o.Service.Name = "stand-in" })).Edit(t.Context(), unbind)
		wantError(t, err, server.ErrStopFailed)
		wantSays(t, err, "Access denied", "status 4")
		wantUntouched(t, sim, before)
	})
}

func TestAUnitWhoseStartLimitIsUsedUpIsStartedAllTheSame(t *testing.T) {
	eachShell(t, func(t *testing.T, h host.Host) {
		sd := newSystemd(t)
		sim := bound(t, nil)
		sd.unit("stand-in.service", sim, "MainPID="+strconv.Itoa(sim.PID()))
		flag := filepath.Join(t.TempDir(), "refused")
		sd.write("units/system/stand-in.service/start",
			fmt.Sprintf("[ -e %[1]s ] || { touch %[1]s; exit 1; }\n%[2]s\n", flag, sim.Commands().Start))
		report := mustEdit(t, newServer(t, h, found(sim, func(o *server.Options) { o.Service.Name = "stand-in" })), unbind)
		if !report.Restarted || !sim.Running() || sd.calls("reset-failed") == 0 {
			t.Errorf("%+v, running %v", report, sim.Running())
		}
	})
}
