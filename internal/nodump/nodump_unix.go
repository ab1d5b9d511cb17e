//go:build unix && !linux

package nodump

import "golang.org/x/sys/unix"

// Protect sees that no core dump is made of this process, nor of what it starts
// that does not ask for one: it is the soft limit.
func Protect() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &limit); err != nil {
		return err
	}
	limit.Cur = 0
	return unix.Setrlimit(unix.RLIMIT_CORE, &limit)
}
