package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// icacls writes down whom it should let in, since Wine keeps no such list, and says
// so when it is asked.
func icacls(arguments []string) int {
	if len(arguments) == 0 {
		return fail(1, "ICACLS name [/grant[:r] Sid:perm[...]] [/inheritance:e|d|r]")
	}
	path, err := filepath.Abs(arguments[0])
	if err != nil {
		return fail(123, "%v", err)
	}
	if _, err := os.Stat(path); err != nil {
		return fail(2, "%s: The system cannot find the file specified.", arguments[0])
	}
	record := filepath.Join(os.Getenv("SystemDrive")+`\`, "icacls.log")
	if len(arguments) == 1 {
		return showRights(record, path)
	}
	for _, argument := range arguments[1:] {
		if strings.HasPrefix(argument, "/") && !knownRight(argument) {
			return fail(87, "Invalid parameter %q", argument)
		}
	}
	file, err := os.OpenFile(record, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fail(5, "%v", err)
	}
	_, err = fmt.Fprintf(file, "%s\t%s\n", path, strings.Join(arguments[1:], " "))
	if closing := file.Close(); err != nil || closing != nil {
		return fail(5, "%s: cannot be written", record)
	}
	if !quiet(arguments) {
		say("processed file: %s", arguments[0])
	}
	say("Successfully processed 1 files; Failed processing 0 files")
	return 0
}

func knownRight(argument string) bool {
	name, _, _ := strings.Cut(strings.ToLower(argument), ":")
	switch name {
	case "/grant", "/deny", "/remove", "/inheritance", "/setowner", "/reset", "/t", "/c", "/l", "/q":
		return true
	}
	return false
}

func quiet(arguments []string) bool {
	_, given := option(arguments, "q")
	return given
}

func showRights(record, path string) int {
	lines, err := os.ReadFile(record)
	if err != nil && !os.IsNotExist(err) {
		return fail(5, "%v", err)
	}
	for line := range strings.Lines(string(lines)) {
		if name, rights, _ := strings.Cut(strings.TrimSpace(line), "\t"); strings.EqualFold(name, path) {
			say("%s %s", path, rights)
		}
	}
	say("Successfully processed 1 files; Failed processing 0 files")
	return 0
}
