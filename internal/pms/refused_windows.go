package pms

import (
	"errors"
	"syscall"

	"golang.org/x/sys/windows"
)

// isRefused knows Windows' own number for it besides the portable one, which no
// socket there gives, but a Dialer that reaches another system may.
func isRefused(err error) bool {
	return errors.Is(err, windows.WSAECONNREFUSED) || errors.Is(err, syscall.ECONNREFUSED)
}
