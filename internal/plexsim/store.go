package plexsim

import (
	"context"
	"errors"
	"os"
	"strings"
)

// store is where a server keeps its preferences.
type store interface {
	// load reads them. The error is fs.ErrNotExist where there are none yet: only
	// then does a server make up new ones.
	load() (*preferences, error)
	// save replaces what is there. pause is what may happen in the middle of it;
	// content is asked after that, and nil leaves no preferences at all. The error is
	// context.Canceled if pause said that the process was killed.
	save(pause func() ending, content func() *preferences) error
}

// newStore is the store that the configuration names.
func newStore(c Config) (store, error) {
	if mac, ok := strings.CutPrefix(c.Store, defaultsPrefix); ok {
		return newDefaults(mac, c)
	}
	return xmlFile(c.PreferencesPath()), nil
}

// defaultsPrefix is that of a Store on an emulated Mac, before its directory: the
// user defaults of the user who runs the server (facts 5.5).
const defaultsPrefix = "defaults:"

// DefaultsDomain is the domain of those.
const DefaultsDomain = "com.plexapp.plexmediaserver"

// DefaultsStore is the Store of a server on the emulated Mac in a directory.
func DefaultsStore(mac string) string { return defaultsPrefix + mac }

// xmlFile is Preferences.xml, by its path.
type xmlFile string

func (f xmlFile) load() (*preferences, error) {
	data, err := os.ReadFile(string(f))
	if err != nil {
		return nil, err
	}
	return parsePreferences(data)
}

// save truncates first and writes afterwards, in place: a SIGKILL between the two
// leaves zero bytes (facts 4).
func (f xmlFile) save(pause func() ending, content func() *preferences) error {
	file, err := os.OpenFile(string(f), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if pause() == killed {
		return errors.Join(context.Canceled, file.Close())
	}
	if prefs := content(); prefs != nil {
		_, err = file.Write(prefs.render())
	}
	return errors.Join(err, file.Close())
}
