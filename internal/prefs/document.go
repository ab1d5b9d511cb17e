package prefs

import (
	"maps"
	"slices"
)

// Document is the preferences of one server, in whatever format its platform stores them.
//
// Names are matched whole and by case: MachineIdentifier is not ProcessedMachineIdentifier, which ends in it (plex-facts.md section 4).
// Only a [Registry] matches them without case, as Windows does.
// A name that is there with an empty value is there; what emptiness means is the caller's to say, as [ReadBinding] does.
//
// An edit that returns an error has changed nothing. A Document is not safe for concurrent use.
type Document interface {
	// Get returns the decoded value of name, and whether name is there at all.
	Get(name string) (value string, ok bool)

	// Set gives name a value, in its place if it is there, else at the end.
	// ErrValue: the format cannot hold this name or this value, or not as the type that the name has there. ErrReadOnly: the format is one
	// that can only be read, which Delete says too. ErrTooLarge: the document would exceed MaxSize.
	// ErrUnproven: see Delete.
	Set(name, value string) error

	// Delete removes the names, all or none. A name that is not there is not an error.
	// ErrUnproven: the edited document does not read back as the old one without these names. That is a defect of this package, and an
	// error because the alternative is to hand a wrong file to a server that is stopped.
	Delete(names ...string) error

	// Names returns every name in document order.
	Names() []string

	// Bytes returns the encoded document, the same bytes that were parsed if nothing was changed. The caller owns the result.
	Bytes() []byte
}

// typed is a Document whose format gives each value a type. Two values of the same text and different types are not the same.
type typed interface{ kind(name string) string }

// Diff returns the names whose presence, value or type differs between two documents, sorted; none if the documents say the same.
// It compares what the documents say, not how: order, quoting and comments do not count. An empty value and an absent name differ.
func Diff(before, after Document) []string {
	differing := make(map[string]struct{})
	for _, name := range slices.Concat(before.Names(), after.Names()) {
		old, was := before.Get(name)
		now, is := after.Get(name)
		if was != is || old != now || retyped(before, after, name) {
			differing[name] = struct{}{}
		}
	}
	return slices.Sorted(maps.Keys(differing))
}

// retyped reports whether both documents give name a type, and not the same.
func retyped(before, after Document, name string) bool {
	old, ok := before.(typed)
	if !ok {
		return false
	}
	now, ok := after.(typed)
	return ok && old.kind(name) != now.kind(name)
}
