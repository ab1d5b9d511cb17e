package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

var tools = map[string]func(arguments []string) int{
	"certutil": certutil,
	"icacls":   icacls,
	"login":    login,
	"sc":       sc,
	"schtasks": schtasks,
	"tasklist": tasklist,
	"timeout":  timeout,
	"whoami":   whoami,
	"wmic":     wmic,
}

func main() {
	name := strings.TrimSuffix(strings.ToLower(filepath.Base(os.Args[0])), ".exe")
	tool, known := tools[name]
	if !known {
		os.Exit(fail(1, "there is no stand-in for %s", name))
	}
	os.Exit(tool(os.Args[1:]))
}

func say(format string, arguments ...any) { fmt.Printf(format+"\r\n", arguments...) }

// option is the argument that follows /name, and whether /name is there at all.
func option(arguments []string, name string) (value string, given bool) {
	for i, argument := range arguments {
		if strings.EqualFold(argument, "/"+name) {
			if i+1 < len(arguments) {
				value = arguments[i+1]
			}
			return value, true
		}
	}
	return "", false
}
