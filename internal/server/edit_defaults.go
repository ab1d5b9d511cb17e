package server

import (
	"fmt"
	"strings"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// Preferences that are no file, the user defaults of macOS, are altered name by
// name, and looked at before the server starts (docs/design/edit.md).

// alterations are commands for preferences that are no file: what has to be done to
// those that the stopped server left, which are nil if they are not in order, to
// have the new ones.
func (e *edit) alterations(left prefs.Document) (commands []string, err error) {
	if e.was.Format != prefs.FormatPropertyList {
		return nil, nil
	}
	if left == nil {
		return []string{"set"}, nil // all of them
	}
	for _, name := range prefs.Diff(left, e.next) {
		if strings.ContainsAny(name, "\r\n") {
			return nil, fmt.Errorf("the name %q cannot be altered", name)
		}
		_, was := left.Get(name)
		_, is := e.next.Get(name)
		switch {
		case !is:
			commands = append(commands, "forget "+name)
		case !was:
			commands = append(commands, "add "+name)
		default:
			commands = append(commands, "set "+name)
		}
	}
	return commands, nil
}

// accepts tells whether preferences that were written say what was meant.
func (e *edit) accepts(written []byte) bool {
	document, err := e.was.Format.Parse(written)
	if err != nil {
		return false
	}
	lost := prefs.Diff(e.next, document)
	if len(lost) > 0 {
		e.report.Warnings = append(e.report.Warnings, "Once written, these were other than meant: "+strings.Join(lost, ", ")+".")
	}
	return len(lost) == 0
}
