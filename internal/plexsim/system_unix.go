//go:build unix

package plexsim

import (
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// envHome names the directory below which homeSupport is the support directory that
// a server has when it is given none.
const envHome = "HOME"

var homeSupport = filepath.Join("Library", "Application Support")

// systemStore is the store that the program uses when it is given none.
const systemStore = ""

// stopSignals ask the program to stop. NixOS sends SIGQUIT (facts 5.1).
var stopSignals = []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT}

// attend runs the server, and has it know when somebody wants it to stop.
func attend(run func(stop <-chan os.Signal) int) int {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, stopSignals...)
	return run(signals)
}
