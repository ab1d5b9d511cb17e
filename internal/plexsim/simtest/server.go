package simtest

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
)

// Options say what a new server finds when it first starts.
type Options struct {
	// PlexTV is the plex.tv that the server talks to. Without one it talks to a
	// port that nobody listens on.
	PlexTV *PlexTV
	// Account, with PlexTV, binds the server to an account that PlexTV knows. A
	// token is issued for it; see ServerProcess.Token.
	Account *plexsim.Account
	// Token, with or without Account, is put into the preferences as it is, and
	// plex.tv hears nothing of it.
	Token string
	// Preferences replace the generated Preferences.xml; NoPreferences leaves it out.
	Preferences   []byte
	NoPreferences bool
	// Configure changes the behaviour before the first start.
	Configure func(*plexsim.Config)
	// Manager runs the server, rather than plexsim or the lab host.
	Manager *Manager
	// Mac has the server.
	Mac *Mac
	// Host has the server.
	Host *Host
}

// ServerProcess is a server that runs as a program of its own, supervised by
// "plexsim start" and "plexsim stop".
type ServerProcess struct {
	Identity Identity
	Token    string // of the binding that the server was made with

	t      testing.TB
	system system
	keeper keeper
	config plexsim.Config
}

// Commands are what Terraform may run to control the server: lines for a shell of the server's system.
type Commands struct{ Stop, Start, Status string }

// NewServer makes a server that does not run yet. Whatever runs when the test ends
// is killed, and who starts it later (a watchdog, say) fails.
func NewServer(t testing.TB, options Options) *ServerProcess {
	t.Helper()
	s := &ServerProcess{Identity: NewIdentity(), Token: options.Token, t: t, system: systemOf(t)}
	s.config = plexsim.Config{
		PlexTVURL: "http://" + freeAddr(t),
		Events:    filepath.Join(".plexsim", "events"),
	}
	s.keep(options)
	s.must(os.MkdirAll(s.DataDir(), 0o755))
	var account plexsim.Account
	if options.PlexTV != nil {
		s.config.PlexTVURL = options.PlexTV.URL
	}
	if options.Account != nil {
		account = *options.Account
		s.bind(options.PlexTV, account)
	}
	if options.Configure == nil {
		options.Configure = func(*plexsim.Config) {}
	}
	s.Configure(options.Configure) // says where the preferences are
	if !options.NoPreferences {
		content := options.Preferences
		if content == nil {
			content = Preferences(s.Identity, account, s.Token)
		}
		s.WritePreferences(content)
	}
	t.Cleanup(s.retire)
	return s
}

func (s *ServerProcess) retire() {
	s.t.Helper()
	if err := s.keeper.retire(); !errors.Is(err, fs.ErrNotExist) { // the test may have removed it all
		s.must(err)
	}
}

func (s *ServerProcess) bind(plexTV *PlexTV, account plexsim.Account) {
	s.t.Helper()
	if plexTV == nil || s.Token != "" {
		return
	}
	device, err := plexTV.RegisterServer(account.Username, s.Identity.Processed, "Den")
	s.must(err)
	s.Token = device.Token
}

// Configure changes the behaviour from the next start on.
func (s *ServerProcess) Configure(change func(*plexsim.Config)) {
	s.t.Helper()
	change(&s.config)
	path := filepath.Join(s.config.SupportDir, plexsim.ConfigName)
	s.must(plexsim.WriteConfig(path, s.config))
	s.must(s.keeper.own(path))
}

// Own gives a file to the user who runs the server.
func (s *ServerProcess) Own(path string) {
	s.t.Helper()
	s.must(s.keeper.own(path))
}

// SupportDir is the directory that the commands of plexsim take.
func (s *ServerProcess) SupportDir() string { return s.config.SupportDir }

// DataDir is the directory that holds Preferences.xml.
func (s *ServerProcess) DataDir() string { return s.config.DataDir() }

// PreferencesPath is where the preferences are: the path of Preferences.xml, or a
// key of the registry.
func (s *ServerProcess) PreferencesPath() string {
	if _, ok := s.keeper.(elsewhere); !ok && s.config.Store != "" {
		return s.config.Store
	}
	return s.config.PreferencesPath()
}

// URL is the address of the server's API.
func (s *ServerProcess) URL() string { return "http://" + s.config.Addr }

// elsewhere is a keeper whose server has its preferences in no file. They are read
// and written as Preferences.xml would have them.
type elsewhere interface {
	preferences() ([]byte, error) // nil if there are none
	writePreferences(xml []byte) error
}

// Preferences is the content of Preferences.xml, or what it would be where they are
// kept otherwise; nil if there are none.
func (s *ServerProcess) Preferences() []byte {
	s.t.Helper()
	if e, ok := s.keeper.(elsewhere); ok {
		data, err := e.preferences()
		s.must(err)
		return data
	}
	if s.config.Store != "" {
		data, err := s.system.preferences(s.config.SupportDir)
		s.must(err)
		return data
	}
	data, err := os.ReadFile(s.PreferencesPath())
	if os.IsNotExist(err) {
		return nil
	}
	s.must(err)
	return data
}

// WritePreferences replaces them with those of a Preferences.xml. Under a running
// server they are lost.
func (s *ServerProcess) WritePreferences(content []byte) {
	s.t.Helper()
	if e, ok := s.keeper.(elsewhere); ok {
		s.must(e.writePreferences(content))
		return
	}
	if s.config.Store != "" {
		s.must(s.system.setPreferences(s.config.SupportDir, content))
		return
	}
	s.must(os.WriteFile(s.PreferencesPath(), content, 0o600))
	s.must(s.keeper.own(s.PreferencesPath()))
}

// Commands are the lines that control the server from a shell of its system.
func (s *ServerProcess) Commands() Commands { return s.keeper.commands() }

// Shell is a command that runs a line as the shell of the server's system does. Its
// standard output is not to be waited for: what is started may keep it open.
func (s *ServerProcess) Shell(line string) *exec.Cmd { return s.system.shell(line) }

// Manager is the service manager that runs the server, as server.Service names
// it; empty where plexsim does.
func (s *ServerProcess) Manager() string { return s.keeper.manager() }

// Unit is the service that runs the server; empty where plexsim does.
func (s *ServerProcess) Unit() string { return s.keeper.unit() }

// Container is the name of the container that has the server; empty without one.
func (s *ServerProcess) Container() string {
	if c, ok := s.keeper.(*container); ok {
		return c.name
	}
	return ""
}

// HostPath is how the server's own host has a path that the test has.
func (s *ServerProcess) HostPath(path string) string {
	if c, ok := s.keeper.(*container); ok {
		return c.inside(path)
	}
	if h, ok := s.keeper.(hosted); ok {
		return h.inside(path)
	}
	if path == s.config.Store {
		return path
	}
	return s.system.path(path)
}

// Start starts the server and waits for its port.
func (s *ServerProcess) Start() {
	s.t.Helper()
	s.Launch()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.WaitListening(ctx); err != nil {
		s.t.Fatalf("%v; process: %d; events: %v; log:\n%s", err, s.PID(), s.Events(), s.Log())
	}
}

// Launch starts the server and does not wait for its port.
func (s *ServerProcess) Launch() {
	s.t.Helper()
	s.must(s.keeper.start())
}

// Stop stops the server and waits until it is gone.
func (s *ServerProcess) Stop() {
	s.t.Helper()
	s.must(s.keeper.stop())
}

// Kill sends SIGKILL and waits until the server is gone.
func (s *ServerProcess) Kill() {
	s.t.Helper()
	s.must(s.keeper.kill())
}

// Running says whether the server's process lives.
func (s *ServerProcess) Running() bool {
	s.t.Helper()
	return s.PID() != 0
}

// PID is the server's process, or 0.
func (s *ServerProcess) PID() int {
	s.t.Helper()
	return s.keeper.pid()
}

// Events are all events of all processes of the server so far.
func (s *ServerProcess) Events() []plexsim.Event {
	s.t.Helper()
	events, err := plexsim.ReadEvents(s.config.EventsPath())
	s.must(err)
	return events
}

// StopCount is how often the server was asked to stop, and obeyed.
func (s *ServerProcess) StopCount() int {
	s.t.Helper()
	return plexsim.Count(s.Events(), plexsim.EventStopping)
}

// StartCount is how often a process of the server started.
func (s *ServerProcess) StartCount() int {
	s.t.Helper()
	return plexsim.Count(s.Events(), plexsim.EventStart)
}

// Log is what the server's processes have logged.
func (s *ServerProcess) Log() string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.DataDir(), "Logs", "Plex Media Server.log"))
	if err != nil && !os.IsNotExist(err) {
		s.must(err)
	}
	return string(data)
}

func (s *ServerProcess) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// quote makes one word of a POSIX shell: Plex's own paths hold spaces.
func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }
