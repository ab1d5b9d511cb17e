package main

import (
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/windows"
)

// timeout refuses, as the real one does, to wait when its input is not a console.
func timeout(arguments []string) int {
	text, given := option(arguments, "t")
	if !given && len(arguments) > 0 {
		text = arguments[0]
	}
	seconds, err := strconv.Atoi(text)
	if err != nil || seconds < -1 || seconds > 99999 {
		return fail(1, "ERROR: Invalid value for timeout specified. Valid range is -1 to 99999 seconds.")
	}
	var mode uint32
	if windows.GetConsoleMode(windows.Handle(os.Stdin.Fd()), &mode) != nil {
		return fail(1, "ERROR: Input redirection is not supported, exiting the process immediately.")
	}
	time.Sleep(time.Duration(seconds) * time.Second)
	return 0
}
