package prefs

import (
	"fmt"
	"strings"
)

// RegistryDelta returns what makes the key of before that of after: the names to delete first, as before has them, and the values to set
// then. Values count as the same if they are so to the byte, type included. ErrValue: the documents are of two keys.
func RegistryDelta(before, after *Registry) (deleted []string, set []RegistryValue, err error) {
	if foldName(before.Key()) != foldName(after.Key()) {
		return nil, nil, fmt.Errorf("%w: a change from one registry key to another", ErrValue)
	}
	old := make(map[string]RegistryValue, len(before.index))
	for _, v := range before.Values() {
		if _, kept := after.Get(v.Name); !kept {
			deleted = append(deleted, v.Name)
		}
		old[foldName(v.Name)] = v
	}
	for _, v := range after.Values() {
		was, ok := old[foldName(v.Name)]
		was.Name = v.Name // Windows keeps the case of a name that is there
		if !ok || !was.equal(v) {
			set = append(set, v)
		}
	}
	return deleted, set, nil
}

// RegistryChanges returns a file, in version 5.00, that makes the key of before that of after when reg.exe imports it. It has only what
// differs, and nothing of the keys below. ErrValue: the documents are of two keys.
func RegistryChanges(before, after *Registry) ([]byte, error) {
	deleted, set, err := RegistryDelta(before, after)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString(regOpening(after.Key()))
	for _, name := range deleted {
		b.WriteString(regLeft(name) + "-" + regEOL)
	}
	for _, v := range set {
		b.WriteString(regLineOf(v, false, regEOL))
	}
	b.WriteString(regEOL)
	return version5(b.String()), nil
}
