package prefs

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// regHives are the roots of the registry, and what people write instead.
var regHives = []struct{ name, short string }{
	{"HKEY_CURRENT_USER", "HKCU"}, {"HKEY_USERS", "HKU"}, {"HKEY_LOCAL_MACHINE", "HKLM"},
	{"HKEY_CLASSES_ROOT", "HKCR"}, {"HKEY_CURRENT_CONFIG", "HKCC"},
}

// RegistryKey returns the full name of a key, as exports have it: HKCU and the other short names of the roots written out. ErrValue: it is
// not the name of a key below a root.
func RegistryKey(name string) (string, error) {
	root, path, _ := strings.Cut(name, `\`)
	for _, hive := range regHives {
		if strings.EqualFold(root, hive.short) {
			name = hive.name + `\` + path
		}
	}
	if !isRegKey(name) || !utf8.ValidString(name) {
		return "", fmt.Errorf("%w: %.200q is not the name of a registry key", ErrValue, name)
	}
	return name, nil
}

// isRegKey reports whether name is a key below a root, with the root's name written out.
func isRegKey(name string) bool {
	parts := strings.Split(name, `\`)
	for _, hive := range regHives {
		if strings.EqualFold(parts[0], hive.name) {
			return len(parts) > 1 && !slices.Contains(parts, "") && !strings.ContainsAny(name, "\x00\r\n")
		}
	}
	return false
}
