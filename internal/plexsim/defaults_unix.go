//go:build unix

package plexsim

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/macsim/cfprefs"
)

// defaults are the user defaults of the user who runs the server. A name keeps the
// type that it was found with; what no preference of the server's own can be, such
// as a date or a list, is left as it is.
type defaults struct{ cfprefs.Domain }

func newDefaults(mac string, c Config) (store, error) {
	// The support directory is Library/Application Support of the user's home.
	home := filepath.Dir(filepath.Dir(c.SupportDir))
	return defaults{cfprefs.Domain{Mac: mac, UID: os.Getuid(), Home: home, Name: DefaultsDomain}}, nil
}

func (d defaults) load() (*preferences, error) {
	list, err := d.Load()
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fs.ErrNotExist // an empty domain is the same as none
	}
	return attributesOf(list), nil
}

// save changes nothing that another has changed meanwhile, but for what the server
// has in memory.
func (d defaults) save(pause func() ending, content func() *preferences) error {
	if pause() == killed {
		return context.Canceled
	}
	return d.Update(func(list cfprefs.Dict) (cfprefs.Dict, error) {
		prefs := content()
		if prefs == nil {
			return cfprefs.Dict{}, nil
		}
		return defaultsOf(prefs, list), nil
	})
}

// PreferencesOf is a list as Preferences.xml would have it, sorted by name.
func PreferencesOf(list cfprefs.Dict) []byte { return attributesOf(list).render() }

// attributesOf are the names of a list whose types a preference can have, sorted.
func attributesOf(list cfprefs.Dict) *preferences {
	p := &preferences{}
	for _, name := range slices.Sorted(maps.Keys(list)) {
		if text, ok := textOf(list[name]); ok {
			p.attributes = append(p.attributes, attribute{name, text})
		}
	}
	return p
}

func textOf(value any) (string, bool) {
	switch value := value.(type) {
	case string:
		return value, true
	case bool:
		if value {
			return "1", true
		}
		return "0", true
	case cfprefs.Scalar:
		return value.Text, value.Kind == "integer"
	}
	return "", false
}

// DefaultsOf is the list of a Preferences.xml, where was is the list before.
func DefaultsOf(xml []byte, was cfprefs.Dict) (cfprefs.Dict, error) {
	p, err := parsePreferences(xml)
	if err != nil {
		return nil, err
	}
	return defaultsOf(p, was), nil
}

func defaultsOf(p *preferences, was cfprefs.Dict) cfprefs.Dict {
	list := cfprefs.Dict{}
	for name, value := range was {
		if _, ok := textOf(value); !ok {
			list[name] = value
		}
	}
	for _, a := range p.attributes {
		list[a.name] = valueOf(a, was[a.name])
	}
	return list
}

// flags are the names that are booleans when they are new (facts 5.5).
var flags = []string{
	keyHome, "PublishServerOnPlexOnlineKey", "AcceptedEULA", "LanguageInCloud", "EnableIPv6", "GdmEnabled", "HardwareAcceleratedCodecs",
	"ManualPortMappingMode", "ButlerTaskBackupDatabase", "FSEventLibraryUpdatesEnabled",
}

// valueOf has the type that the name had, else the one that such a name has.
func valueOf(a attribute, was any) any {
	_, number := strconv.Atoi(a.value)
	scalar, wasScalar := was.(cfprefs.Scalar)
	_, wasString := was.(string)
	_, wasBool := was.(bool)
	switch {
	case wasString, slices.Contains([]string{keyToken, keyMail, keyUsername}, a.name):
		return a.value
	case wasBool, was == nil && slices.Contains(flags, a.name):
		return a.value == "1"
	case number == nil && (wasScalar && scalar.Kind == "integer" || was == nil):
		return cfprefs.Scalar{Kind: "integer", Text: a.value}
	}
	return a.value
}
