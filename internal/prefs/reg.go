package prefs

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Registry is the export of the registry key that holds a server's preferences (plex-facts.md section 5.4), as reg.exe and regedit write
// it. The key's values are the settings; keys below it are kept and are not settings.
//
// It implements [Document] with one difference: names are matched without the case of ASCII letters, because Windows has one value for all
// of them. A name keeps the case that it has in the document.
//
// See reg_value.go for the text of each type, reg_edit.go for what an edit keeps, and reg_proof.go for how that is proven.
type Registry struct {
	source regText
	layout regLayout
	index  map[string]int // folded name to position in layout.entries
	second regReading
}

var (
	_ Document = (*Registry)(nil)
	_ typed    = (*Registry)(nil)
)

// ParseRegistry reads the export of one key, in either of two forms, of at most MaxSize bytes: "Windows Registry Editor Version 5.00", in
// UTF-16LE with a byte order mark, and REGEDIT4, in 8 bits. REGEDIT4 does not say in which code page it is, so the names and texts of the
// key itself must be ASCII in it; comments and subkeys are kept as they are.
//
// All else is refused with an error that wraps ErrEmpty, ErrTruncated, ErrNotRegistry, ErrNoKey, ErrDuplicate, ErrEncoding or ErrTooLarge,
// and says where the fault is but never what a value is. An export with a deletion in it ("name"=- or [-key]) is not one.
// The result does not share memory with data.
func ParseRegistry(data []byte) (*Registry, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%w: %d bytes, at most %d are read", ErrTooLarge, len(data), MaxSize)
	}
	source, err := readRegText(data)
	if err != nil {
		return nil, err
	}
	layout, err := scanReg(source)
	if err != nil {
		return nil, err
	}
	r := &Registry{source: source, layout: layout, index: make(map[string]int, len(layout.entries)), second: readReg(data)}
	for i, entry := range layout.entries {
		if first, twice := r.index[foldName(entry.Name)]; twice {
			return nil, fmt.Errorf("%w: value %d of the key has the name of value %d", ErrDuplicate, i+1, first+1)
		}
		r.index[foldName(entry.Name)] = i
	}
	if err := r.checkAgreement(); err != nil {
		return nil, err
	}
	return r, nil
}

// Key returns the full name of the key, such as HKEY_CURRENT_USER\Software\Plex, Inc.\Plex Media Server.
func (r *Registry) Key() string { return r.layout.key }

// Values returns every value of the key in document order. The caller owns the result.
func (r *Registry) Values() []RegistryValue {
	values := make([]RegistryValue, len(r.layout.entries))
	for i, entry := range r.layout.entries {
		values[i] = entry.RegistryValue
		values[i].Data = bytes.Clone(entry.Data)
	}
	return values
}

// Get implements [Document]. The value of a REG_SZ or REG_EXPAND_SZ is its text, that of a REG_DWORD or REG_QWORD is decimal, that of a
// REG_MULTI_SZ is a JSON array of its texts, and that of any other type, or of data that is not what its type promises, is hexadecimal.
func (r *Registry) Get(name string) (value string, ok bool) {
	i, ok := r.index[foldName(name)]
	if !ok {
		return "", false
	}
	return r.layout.entries[i].text(), true
}

// kind implements typed. A name that is not there has the type "".
func (r *Registry) kind(name string) string {
	i, ok := r.index[foldName(name)]
	if !ok {
		return ""
	}
	return r.layout.entries[i].kind()
}

// Names implements [Document]. The key's default value has the name "".
func (r *Registry) Names() []string {
	names := make([]string, len(r.layout.entries))
	for i, entry := range r.layout.entries {
		names[i] = entry.Name
	}
	return names
}

// Bytes implements [Document].
func (r *Registry) Bytes() []byte { return r.source.bytes() }

// Format implements [fmt.Formatter] for every verb, so that no log line or error that formats a document can show a value. Its receiver
// is not a pointer, so that it holds for a copy too.
func (r Registry) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, fmt.Sprintf("prefs.Registry{%d settings}", len(r.layout.entries)))
}

// NewRegistry returns the export, in version 5.00, of a key whose values were read from the registry itself. The key may begin with HKCU
// or another short name of a root. ErrValue: the name of the key or of a value cannot stand in an export. ErrDuplicate, ErrTooLarge: as
// [ParseRegistry].
func NewRegistry(key string, values []RegistryValue) (*Registry, error) {
	key, err := RegistryKey(key)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString(regOpening(key))
	for _, v := range values {
		if err := checkRegName(v.Name, false); err != nil {
			return nil, err
		}
		b.WriteString(regLineOf(v, false, regEOL))
	}
	b.WriteString(regEOL)
	r, err := ParseRegistry(version5(b.String()))
	if err != nil {
		return nil, err
	}
	if !slices.EqualFunc(r.Values(), values, RegistryValue.equal) {
		return nil, fmt.Errorf("%w: the export of the key does not have its values", ErrUnproven)
	}
	return r, nil
}
