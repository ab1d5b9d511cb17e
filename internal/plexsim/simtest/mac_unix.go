//go:build unix

package simtest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/macsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/macsim/cfprefs"
)

// Environment variables of tests on an emulated Mac.
const (
	EnvMac     = "PLEX_LAB_MAC_ROOT" // its directory, with PLEX_LAB=macos; its bin is to come first in PATH
	EnvMacKind = "PLEX_LAB_MAC"      // what runs the servers: "app", the default, or "launchd"
)

// Mac is an emulated Mac. Each server on it has a user of its own.
type Mac struct {
	macsim.Mac
	// Launchd, when it is not nil, is the job that runs the next servers, rather than that the application is opened. Its label and its
	// file are given here.
	Launchd *macsim.Job
}

// DefaultLabel is the label of Plex's own job.
const DefaultLabel = "com.plexapp.mediaserver"

// NewMac makes a Mac for one test.
func NewMac(t testing.TB) *Mac {
	t.Helper()
	if lab := os.Getenv(EnvLab); lab != "" && lab != "macos" {
		t.Skip("NOT RUN: a Mac is made of this machine; make test does that, and so does test/lab/macos.sh")
	}
	program, err := macProgram()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "mac-") //nolint:usetesting // other users cannot enter a test's own directory
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	mac, err := macsim.Make(dir, program, Program(t))
	if err != nil {
		t.Fatal(err)
	}
	return &Mac{Mac: mac}
}

var macProgram = sync.OnceValues(func() (string, error) { return build(runtime.GOOS, "macsim") })

// labMac is the Mac of all tests.
func labMac(t testing.TB) *Mac {
	t.Helper()
	m := &Mac{Mac: macsim.Mac(os.Getenv(EnvMac))}
	switch kind := os.Getenv(EnvMacKind); kind {
	case "", "app":
	case "launchd":
		m.Launchd = &macsim.Job{KeepAlive: true, RunAtLoad: true}
	default:
		t.Fatalf("%s is %q", EnvMacKind, kind)
	}
	if m.Mac == "" {
		t.Fatalf("%s names no emulated Mac", EnvMac)
	}
	return m
}

// onMac is a server of one of its users.
type onMac struct {
	*Mac
	user macsim.User
	job  *macsim.Job
	file string // of the job
}

// adopt makes a user for s.
func (m *Mac) adopt(s *ServerProcess) keeper {
	s.t.Helper()
	user, err := m.AddUser()
	s.must(err)
	s.config.SupportDir = filepath.Join(user.Home, "Library", "Application Support")
	s.config.Store = plexsim.DefaultsStore(string(m.Mac))
	k := onMac{Mac: m, user: user}
	for _, dir := range []string{s.DataDir(), filepath.Join(s.config.SupportDir, ".plexsim")} {
		s.must(os.MkdirAll(dir, 0o755))
		s.must(k.own(dir))
	}
	if m.Launchd != nil {
		job := *m.Launchd
		if job.Label == "" {
			job.Label = DefaultLabel
		}
		k.job, k.file = &job, filepath.Join(user.Home, "Library", "LaunchAgents", job.Label+".plist")
		s.must(m.WriteJob(k.file, job))
	}
	return k
}

// User is who runs s.
func (m *Mac) User(s *ServerProcess) macsim.User {
	s.t.Helper()
	k, ok := s.keeper.(onMac)
	if !ok {
		s.t.Fatal("the server is on no Mac")
	}
	return k.user
}

// Defaults are the user defaults that s has.
func (m *Mac) Defaults(s *ServerProcess) cfprefs.Domain {
	return m.Domain(m.User(s), plexsim.DefaultsDomain)
}

func (k onMac) own(path string) error { return os.Chown(path, k.user.UID, k.user.Group()) }

func (k onMac) manager() string {
	if k.job != nil {
		return "launchd"
	}
	return "macos-app"
}

func (k onMac) unit() string {
	if k.job != nil {
		return k.job.Label
	}
	return k.App()
}

func (k onMac) domain() string { return fmt.Sprintf("gui/%d", k.user.UID) }
func (k onMac) target() string { return k.domain() + "/" + k.job.Label }

func (k onMac) pid() int {
	return pidFile(filepath.Join(k.user.Home, "Library", "Application Support"))
}

// run runs one of the Mac's programs as the user.
func (k onMac) run(program string, arguments ...string) error {
	command := exec.Command(filepath.Join(k.Bin(), program), arguments...)
	command.Env = []string{"HOME=" + k.user.Home, "PATH=" + k.Bin() + ":" + os.Getenv("PATH")}
	command.Dir = k.user.Home
	if os.Getuid() == 0 {
		command.SysProcAttr = &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: uint32(k.user.UID), Gid: uint32(k.user.Group())}, // numbers of accounts
		}
	}
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %q: %w\n%s", program, arguments, err, out)
	}
	return nil
}

func (k onMac) start() error {
	if k.job == nil {
		return k.run("open", "-a", macsim.AppName)
	}
	if k.run("launchctl", "print", k.target()) == nil {
		return k.run("launchctl", "kickstart", k.target())
	}
	// One that is not run at load is started by the second.
	return errors.Join(k.run("launchctl", "bootstrap", k.domain(), k.file), k.run("launchctl", "kickstart", k.target()))
}

func (k onMac) stop() error {
	if k.job == nil {
		return k.run("osascript", "-e", `tell application "`+macsim.AppName+`" to quit`)
	}
	if k.run("launchctl", "print", k.target()) == nil {
		if err := k.run("launchctl", "bootout", k.target()); err != nil {
			return err
		}
	}
	return k.gone()
}

func (k onMac) kill() error {
	if k.job != nil {
		k.Abandon(k.target())
	}
	return k.gone()
}

// gone sees to it that nothing is left of it.
func (k onMac) gone() error {
	for _, pid := range k.Servers(k.user) {
		if err := kill(pid); err != nil {
			return err
		}
	}
	return nil
}

func (k onMac) retire() error { return errors.Join(k.kill(), k.RemoveUser(k.user)) }

func (k onMac) commands() Commands {
	as := fmt.Sprintf("launchctl asuser %d sudo -n -H -u %s -- ", k.user.UID, k.user.Name)
	c := Commands{
		Stop:   as + `osascript -e 'tell application "` + macsim.AppName + `" to quit'`,
		Start:  as + "open -a '" + macsim.AppName + "'",
		Status: "pid=$(cat " + quote(filepath.Join(k.user.Home, "Library", "Application Support", plexName, "plexmediaserver.pid")) + `) && kill -0 "$pid"`,
	}
	if k.job != nil {
		c.Stop, c.Start = "launchctl bootout "+k.target(), "launchctl bootstrap "+k.domain()+" "+quote(k.file)
	}
	return c
}

// odd are defaults of types that no other preference has.
var odd = cfprefs.Dict{
	"SULastCheckTime": cfprefs.Scalar{Kind: "date", Text: "2026-01-02T03:04:05Z"},
	"SUUpdateGroup":   cfprefs.Scalar{Kind: "real", Text: "0.25"},
	"BookmarkData":    cfprefs.Scalar{Kind: "data", Text: "Ym9va21hcms="},
	"Windows":         cfprefs.Dict{"main": []any{"left", cfprefs.Scalar{Kind: "integer", Text: "-3"}, true}},
}

func (k onMac) preferences() ([]byte, error) {
	list, err := k.Domain(k.user, plexsim.DefaultsDomain).Load()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return plexsim.PreferencesOf(list), err
}

// writePreferences of something broken leaves no defaults at all, since cfprefsd
// keeps no broken ones.
func (k onMac) writePreferences(xml []byte) error {
	domain := k.Domain(k.user, plexsim.DefaultsDomain)
	return domain.Update(func(was cfprefs.Dict) (cfprefs.Dict, error) {
		if was == nil {
			was = odd
		}
		list, err := plexsim.DefaultsOf(xml, was)
		if err != nil {
			return cfprefs.Dict{}, nil //nolint:nilerr // see above
		}
		return list, nil
	})
}
