package server

import (
	"embed"
	"strings"
)

// The script comes in pieces, one topic each, and is one text when it runs. A
// shell reads all of it before it runs any of it, so that only what is not
// inside a function depends on the order: the first piece and the last.
//
//go:embed script/*.sh
var pieces embed.FS

var script = assemble("start", "talk", "environment", "processes",
	"manager", "manager_systemd", "manager_supervised", "manager_supervisord", "manager_scripts",
	"manager_macos", "service", "find", "macos", "owner", "lock", "files", "finish", "resume", "edit", "main")

// work is the piece that may run in a shell of its own, as another user.
var work = assemble("work")

// assemble joins the pieces, without comments, empty lines and indentation: the
// far shell reads its script byte by byte, and would read these for nothing.
// No piece has a string or a here-document to which they would matter.
func assemble(names ...string) string {
	var b strings.Builder
	for _, name := range names {
		text, err := pieces.ReadFile("script/" + name + ".sh")
		if err != nil {
			panic(err) // a name above that is not a file beside it
		}
		for line := range strings.Lines(string(text)) {
			line = strings.TrimLeft(line, " \t")
			if line != "\n" && !strings.HasPrefix(line, "#") {
				b.WriteString(line)
			}
		}
	}
	return b.String()
}
