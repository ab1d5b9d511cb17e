package plexsim

import (
	"errors"
	"os"
	"syscall"
)

// The supervisor does not run on Windows, where the real server keeps its
// preferences in the registry anyway (facts 5.1). The server itself, and plex.tv,
// do.

var stopSignals = []os.Signal{os.Interrupt}

func lookUp(int) (found processInfo, exists bool) { return processInfo{}, false }

func terminateProcess(int) error { return errors.ErrUnsupported }

func killProcess(int) error { return errors.ErrUnsupported }

func ownSession() *syscall.SysProcAttr { return nil }

func closeInherited() {}

func lockFile(string) (unlock func(), err error) { return nil, errors.ErrUnsupported }
