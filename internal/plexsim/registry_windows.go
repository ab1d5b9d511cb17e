package plexsim

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/windows/registry"
)

// defaultKey is the registry key of the real server (facts 5.4).
const defaultKey = `HKEY_CURRENT_USER\Software\Plex, Inc.\Plex Media Server`

// numbers are preferences that the registry has as REG_DWORD from the first; all
// others are REG_SZ (facts 5.4). A value that is there keeps the type it has.
var numbers = []string{keyHome, "AcceptedEULA", "FirstRun", "MetricsEpoch", "PublishServerOnPlexOnlineKey"}

// registryStore keeps preferences as the values of one key of the registry.
// Values of types that the server has no use for are neither seen nor touched.
type registryStore struct {
	root registry.Key
	key  string
	path string // root and key, for messages
}

var roots = map[string]registry.Key{
	"HKEY_CURRENT_USER":  registry.CURRENT_USER,
	"HKEY_LOCAL_MACHINE": registry.LOCAL_MACHINE,
	"HKEY_USERS":         registry.USERS,
}

func newRegistry(path string) (store, error) {
	root, key, err := splitKey(path)
	if err != nil {
		return nil, err
	}
	handle, known := roots[root]
	if !known {
		return nil, fmt.Errorf("%q is below no root that preferences can be in", path)
	}
	return registryStore{handle, key, path}, nil
}

// splitKey parts the path of a registry key into its root and the rest.
func splitKey(path string) (root, key string, err error) {
	root, key, found := strings.Cut(path, `\`)
	if !found || key == "" {
		return "", "", fmt.Errorf("%q names no registry key", path)
	}
	return root, key, nil
}

// load finds no preferences in a key without values, too.
func (r registryStore) load() (*preferences, error) {
	key, err := registry.OpenKey(r.root, r.key, registry.QUERY_VALUE)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.path, err) // registry.ErrNotExist is fs.ErrNotExist
	}
	defer func() { _ = key.Close() }()
	values, err := readValues(key)
	if err == nil && len(values) == 0 {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", r.path, err)
	}
	prefs := &preferences{}
	for _, v := range values {
		prefs.attributes = append(prefs.attributes, v.attribute)
	}
	return prefs, nil
}

// remove removes the key, which must have no keys below it.
func (r registryStore) remove() error {
	if err := registry.DeleteKey(r.root, r.key); err != nil && !errors.Is(err, registry.ErrNotExist) {
		return fmt.Errorf("%s: %w", r.path, err)
	}
	return nil
}

// value is one value of a key as the server sees it: a text, or a number in decimal.
type value struct {
	attribute
	kind uint32 // registry.SZ, EXPAND_SZ, DWORD or QWORD
}

func readValues(key registry.Key) ([]value, error) {
	names, err := key.ReadValueNames(-1)
	if err != nil {
		return nil, err
	}
	slices.Sort(names) // the registry has no order of its own
	var values []value
	for _, name := range names {
		_, kind, err := key.GetValue(name, nil)
		if errors.Is(err, registry.ErrNotExist) {
			continue // somebody has just deleted it
		}
		if err != nil {
			return nil, err
		}
		text := ""
		switch kind {
		case registry.SZ, registry.EXPAND_SZ:
			text, _, err = key.GetStringValue(name)
		case registry.DWORD, registry.QWORD:
			var number uint64
			number, _, err = key.GetIntegerValue(name)
			text = strconv.FormatUint(number, 10)
		default:
			continue
		}
		if err != nil {
			return nil, err
		}
		values = append(values, value{attribute{name, text}, kind})
	}
	return values, nil
}

// save writes value by value, and takes away what is not among the preferences.
func (r registryStore) save(pause func() ending, content func() *preferences) error {
	key, _, err := registry.CreateKey(r.root, r.key, registry.QUERY_VALUE|registry.SET_VALUE)
	if err != nil {
		return fmt.Errorf("%s: %w", r.path, err)
	}
	defer func() { _ = key.Close() }()
	if pause() == killed {
		return context.Canceled
	}
	prefs := content()
	if prefs == nil {
		prefs = &preferences{}
	}
	there, err := readValues(key)
	if err != nil {
		return fmt.Errorf("%s: %w", r.path, err)
	}
	kinds := map[string]uint32{}
	for _, v := range there {
		kinds[v.name] = v.kind
		if !prefs.has(v.name) {
			err = errors.Join(err, key.DeleteValue(v.name))
		}
	}
	for _, a := range prefs.attributes {
		err = errors.Join(err, setValue(key, a, kinds[a.name]))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.path, err)
	}
	return nil
}

// setValue gives a value the type that it has, or, where kind is 0, the one that
// the server gives it. What is no number is a text, whatever it was.
func setValue(key registry.Key, a attribute, kind uint32) error {
	if kind == 0 && slices.Contains(numbers, a.name) {
		kind = registry.DWORD
	}
	switch kind {
	case registry.DWORD:
		if number, err := strconv.ParseUint(a.value, 10, 32); err == nil {
			return key.SetDWordValue(a.name, uint32(number))
		}
	case registry.QWORD:
		if number, err := strconv.ParseUint(a.value, 10, 64); err == nil {
			return key.SetQWordValue(a.name, number)
		}
	case registry.EXPAND_SZ:
		return key.SetExpandStringValue(a.name, a.value)
	}
	return key.SetStringValue(a.name, a.value)
}
