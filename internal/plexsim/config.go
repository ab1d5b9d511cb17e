package plexsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Environment variables that the program reads. The first is Plex's own
// (facts 5.1); the others override what the configuration file says.
const (
	EnvSupportDir = "PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR"
	EnvConfig     = "PLEXSIM_CONFIG"
	EnvAddr       = "PLEXSIM_ADDR"
	EnvPlexTVURL  = "PLEXSIM_PLEXTV_URL"
	EnvEvents     = "PLEXSIM_EVENTS"
)

// ConfigName is the configuration file that the program looks for in its support
// directory when PLEXSIM_CONFIG does not name one.
const ConfigName = "plexsim.json"

const (
	defaultAddr    = "127.0.0.1:32400"
	defaultPlexTV  = "https://plex.tv"
	defaultVersion = "1.43.3.10861-0a1b2c3d4"
)

// Config is how one server behaves. The zero value of every field is a server in
// good health that starts and stops at once.
type Config struct {
	// SupportDir is the directory that holds "Plex Media Server", the data
	// directory. The program takes it from its environment.
	SupportDir string `json:"-"`
	// Log gets what the server logs, beside the log file in its data directory.
	Log io.Writer `json:"-"`

	Addr      string `json:"addr,omitempty"`       // where it listens; default 127.0.0.1:32400
	PlexTVURL string `json:"plextv_url,omitempty"` // default https://plex.tv
	Events    string `json:"events,omitempty"`     // JSON-lines file, relative to SupportDir; none by default
	Version   string `json:"version,omitempty"`
	// Store is where the preferences are; default Preferences.xml in the data
	// directory. [DefaultsStore] is the user defaults of an emulated Mac.
	Store string `json:"store,omitempty"`

	// StartDelay passes between reading the preferences and opening the port.
	StartDelay Duration `json:"start_delay,omitempty"`
	// Maintenance is how long every request is answered with 503 after the port
	// has opened (facts 2.4).
	Maintenance Duration `json:"maintenance,omitempty"`
	// StopDelay passes between closing the port and the last write.
	StopDelay Duration `json:"stop_delay,omitempty"`
	// WriteInterval is how often the preferences are rewritten from memory. Zero:
	// only when they change and as the server stops.
	WriteInterval Duration `json:"write_interval,omitempty"`
	// TruncatePause passes between emptying Preferences.xml and writing it.
	TruncatePause Duration `json:"truncate_pause,omitempty"`
	// TermDelay passes between SIGTERM and the server's first reaction to it.
	TermDelay Duration `json:"term_delay,omitempty"`
	// DieAfter is how long after its start the server crashes with status 1,
	// leaving what a SIGKILL leaves. Zero: never.
	DieAfter Duration `json:"die_after,omitempty"`

	IgnoreTerm bool `json:"ignore_term,omitempty"` // SIGTERM does nothing
	NeverStart bool `json:"never_start,omitempty"` // exits with status 1 at once

	// EmptyAtStop leaves zero bytes of preferences at a clean stop.
	EmptyAtStop bool `json:"empty_at_stop,omitempty"`
	// IdentityAtStop is the ProcessedMachineIdentifier that the last write puts in
	// place of the server's own.
	IdentityAtStop string `json:"identity_at_stop,omitempty"`
	// SetAtStop are attributes that only the last write brings, as the real server
	// does with its counters (facts 4, runtime-mutated): an edit of a copy that was
	// made before the stop loses them.
	SetAtStop map[string]string `json:"set_at_stop,omitempty"`

	// Identity is the machineIdentifier that HTTP shows in place of the one in the
	// preferences.
	Identity string `json:"identity,omitempty"`
	// RefuseWithToken and RefuseWithoutToken keep the port closed when the
	// preferences hold a token, or hold none.
	RefuseWithToken    bool `json:"refuse_with_token,omitempty"`
	RefuseWithoutToken bool `json:"refuse_without_token,omitempty"`
	// RefuseClaim is the policy of macOS and Windows: an unclaimed server lets
	// nobody in, and cannot be claimed through its own API, unless its preferences
	// say enableLocalSecurity="0" (facts 1, 2.7).
	RefuseClaim bool `json:"refuse_claim,omitempty"`
	// NoClaimedAttribute leaves "claimed" out of /identity, as old servers do.
	NoClaimedAttribute bool `json:"no_claimed_attribute,omitempty"`
	// BlankAtSignOut leaves PlexOnlineToken="" after a sign-out, where the default
	// is to remove all four keys (facts 3.2 report both).
	BlankAtSignOut bool `json:"blank_at_sign_out,omitempty"`
}

// DataDir is the directory of Preferences.xml.
func (c Config) DataDir() string { return filepath.Join(c.SupportDir, ServerName) }

// PreferencesPath is the file that the server keeps its preferences in.
func (c Config) PreferencesPath() string {
	if strings.HasPrefix(c.Store, defaultsPrefix) {
		return filepath.Join(filepath.Dir(c.SupportDir), "Preferences", DefaultsDomain+".plist")
	}
	return filepath.Join(c.DataDir(), "Preferences.xml")
}

// PIDPath is the server's own pid file.
func (c Config) PIDPath() string { return filepath.Join(c.DataDir(), "plexmediaserver.pid") }

// EventsPath is where events are written, or "".
func (c Config) EventsPath() string {
	if c.Events == "" || filepath.IsAbs(c.Events) {
		return c.Events
	}
	return filepath.Join(c.SupportDir, c.Events)
}

func (c Config) withDefaults() Config {
	c.Addr = firstOf(c.Addr, defaultAddr)
	c.PlexTVURL = firstOf(c.PlexTVURL, defaultPlexTV)
	c.Version = firstOf(c.Version, defaultVersion)
	return c
}

// LoadConfig reads the configuration anew, as the program does at each start, so
// that a test can change the behaviour between two starts. getenv is os.Getenv
// outside of tests.
func LoadConfig(getenv func(string) string) (Config, error) {
	var c Config
	support, err := supportDir(getenv)
	if err != nil {
		return c, err
	}
	if path := getenv(EnvConfig); path != "" {
		c, err = ReadConfig(path)
	} else if c, err = ReadConfig(filepath.Join(support, ConfigName)); errors.Is(err, fs.ErrNotExist) {
		err = nil // a server needs no configuration
	}
	if err != nil {
		return c, err
	}
	c.SupportDir = support
	c.Addr = firstOf(getenv(EnvAddr), c.Addr)
	c.PlexTVURL = firstOf(getenv(EnvPlexTVURL), c.PlexTVURL)
	c.Events = firstOf(getenv(EnvEvents), c.Events)
	return c, nil
}

// ReadConfig reads one configuration file. A field that it does not know is an
// error: a misspelt fault would make a test pass for no reason.
func ReadConfig(path string) (Config, error) {
	var c Config
	data, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// WriteConfig replaces a configuration file in one step.
func WriteConfig(path string, c Config) error {
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return err
	}
	next := path + ".new"
	if err := os.WriteFile(next, append(data, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}

func supportDir(getenv func(string) string) (string, error) {
	if dir := getenv(EnvSupportDir); dir != "" {
		return filepath.Abs(dir)
	}
	home := getenv("HOME")
	if home == "" {
		return "", fmt.Errorf("neither %s nor HOME is set", EnvSupportDir)
	}
	return filepath.Join(home, "Library", "Application Support"), nil
}

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
