package nodump

import "golang.org/x/sys/unix"

// Protect sees that no core dump is made of this process, nor its memory read by
// other processes of the same user. Programs that it starts are not concerned:
// one may be a media server, whose limits are its own.
func Protect() error { return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) }
