package prefs

import "fmt"

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
