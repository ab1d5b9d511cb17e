package registry

import (
	"errors"
	"fmt"
	"strings"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	winreg "golang.org/x/sys/windows/registry"
)

// Read returns all values of a key, to the byte, as a document. Keys below it are not read. The key is a full name, such as
// HKEY_CURRENT_USER\Software\Plex, Inc.\Plex Media Server or the same below HKEY_USERS\<SID>; HKCU and HKU are understood too.
//
// An error for which errors.Is says [fs.ErrNotExist] means that there is no such key, [fs.ErrPermission] that this account may not read it.
// [prefs.ErrValue] and the other errors of [prefs.NewRegistry] are passed on.
func Read(name string) (*prefs.Registry, error) {
	name, err := prefs.RegistryKey(name)
	if err != nil {
		return nil, err
	}
	key, err := open(name, winreg.QUERY_VALUE)
	if err != nil {
		return nil, err
	}
	defer func() { _ = key.Close() }()
	values, err := readValues(key)
	if err != nil {
		return nil, fmt.Errorf("reading the values of %s: %w", name, err)
	}
	document, err := prefs.NewRegistry(name, values)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return document, nil
}

// open opens the key of a full name.
func open(name string, access uint32) (winreg.Key, error) {
	root, path, _ := strings.Cut(name, `\`)
	hive, ok := map[string]winreg.Key{"HKEY_CURRENT_USER": winreg.CURRENT_USER, "HKEY_USERS": winreg.USERS}[strings.ToUpper(root)]
	if !ok {
		return 0, fmt.Errorf("%s: only HKEY_CURRENT_USER and HKEY_USERS have preferences of users", name)
	}
	key, err := winreg.OpenKey(hive, path, access)
	if err != nil {
		return 0, fmt.Errorf("opening the registry key %s: %w", name, err)
	}
	return key, nil
}

func readValues(key winreg.Key) ([]prefs.RegistryValue, error) {
	names, err := key.ReadValueNames(0)
	if err != nil {
		return nil, err
	}
	values := make([]prefs.RegistryValue, len(names))
	for i, name := range names {
		if values[i], err = readValue(key, name); err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
	}
	return values, nil
}

// readValue asks again for as long as the value grows between the question how long it is and the one what it is.
func readValue(key winreg.Key, name string) (prefs.RegistryValue, error) {
	for data := make([]byte, 256); ; {
		n, kind, err := key.GetValue(name, data)
		if err == nil {
			return prefs.RegistryValue{Name: name, Type: kind, Data: data[:n]}, nil
		}
		if !errors.Is(err, winreg.ErrShortBuffer) {
			return prefs.RegistryValue{}, err
		}
		data = make([]byte, n)
	}
}
