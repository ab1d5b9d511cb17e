package prefs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Set implements [Document]. A value that is there keeps its type, its name and its place; one that is already the same is left as it is
// written. A new one follows the last one: as REG_SZ, but PlexOnlineHome as REG_DWORD (plex-facts.md section 5.4).
//
// ErrValue is also the error for a value that its type cannot hold: a REG_DWORD or REG_QWORD holds a decimal number without leading zeros,
// and types other than these, REG_SZ and REG_EXPAND_SZ are never set. REGEDIT4 holds nothing but ASCII.
func (r *Registry) Set(name, value string) error {
	if err := checkRegName(name, r.source.ansi); err != nil {
		return err
	}
	if old, ok := r.Get(name); ok && old == value {
		return nil
	}
	next := RegistryValue{Name: name, Type: regSZ}
	if foldName(name) == foldName(KeyHome) {
		next.Type = regDWORD
	}
	i, there := r.index[foldName(name)]
	if there {
		next.Name, next.Type = r.layout.entries[i].Name, r.layout.entries[i].Type
	}
	var ok bool
	if next.Data, ok = regData(next.Type, value); !ok || r.source.ansi && !isASCII(value) {
		return fmt.Errorf("%w: the value for %.80q, as %s", ErrValue, name, regKind(next.Type))
	}
	if there {
		return r.replace(i, next)
	}
	return r.add(next)
}

// replace writes the right side of one line anew.
func (r *Registry) replace(i int, next RegistryValue) error {
	entry := r.layout.entries[i]
	column := 0
	for at := entry.rightFrom; at > 0 && !isBreak(r.source.units[at-1]); at-- {
		column++
	}
	want := r.Values()
	want[i] = next
	right := regRight(next, r.source.ansi, column, r.layout.eol)
	return r.become(r.source.splice(entry.rightFrom, entry.rightTo, right), want)
}

// add writes one line more.
func (r *Registry) add(next RegistryValue) error {
	at := r.layout.appendAt
	line := regLineOf(next, r.source.ansi, r.layout.eol)
	return r.become(r.source.splice(at, at, line), append(r.Values(), next))
}

// Delete implements [Document]. The lines of each value go, with their ends, and no others do.
func (r *Registry) Delete(names ...string) error {
	doomed := make(map[string]bool, len(names))
	for _, name := range names {
		if _, ok := r.index[foldName(name)]; ok {
			doomed[foldName(name)] = true
		}
	}
	if len(doomed) == 0 {
		return nil
	}

	edited := make([]uint16, 0, len(r.source.units))
	kept := 0
	for _, entry := range r.layout.entries {
		if doomed[foldName(entry.Name)] {
			edited = append(edited, r.source.units[kept:entry.from]...)
			kept = entry.to
		}
	}
	edited = append(edited, r.source.units[kept:]...)

	want := slices.DeleteFunc(r.Values(), func(v RegistryValue) bool { return doomed[foldName(v.Name)] })
	return r.become(regText{edited, r.source.ansi}, want)
}

// become makes r the edited document if that is proven to have the wanted values and nothing else new, else leaves r alone. See [XML] for why the
// proof is made here.
func (r *Registry) become(edited regText, want []RegistryValue) error {
	next, err := ParseRegistry(edited.bytes())
	if errors.Is(err, ErrTooLarge) {
		return err
	}
	if err != nil {
		// Not wrapped: the sentinel is about the edit, and a caller must not take it for a fault of the server's registry.
		return fmt.Errorf("%w: %s", ErrUnproven, err.Error())
	}
	if err := proveRegEdit(r.second, next.second, want); err != nil {
		return err
	}
	*r = *next
	return nil
}

// splice returns the text with units[from:to] replaced, in memory of its own. In REGEDIT4 the replacement must be ASCII.
func (t regText) splice(from, to int, replacement string) regText {
	return regText{slices.Concat(t.units[:from], encodeUTF16(replacement), t.units[to:]), t.ansi}
}

// version5 is a text of our own in the encoding of version 5.00.
func version5(text string) []byte { return utf16ToBytes(encodeUTF16("\ufeff" + text)) }

// regEOL ends the lines of texts of our own.
const regEOL = "\r\n"

// regOpening is the header and the key.
func regOpening(key string) string {
	return strings.Join([]string{regHeader5, "", "[" + key + "]", ""}, regEOL)
}
