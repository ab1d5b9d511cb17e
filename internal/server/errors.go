package server

import (
	"errors"
	"fmt"
	"strings"
)

// Conditions that callers act on; match them with errors.Is.
var (
	ErrUnsupported     = errors.New("this kind of system is not supported")
	ErrServiceNotFound = errors.New("no service was found that runs the server")
	ErrSeveralServers  = errors.New("there are several servers on this host")
	ErrNoPreferences   = errors.New("the preferences are not there")
	ErrNotLoggedOn     = errors.New("the user is not logged on")
	ErrUnreadable      = errors.New("the preferences cannot be read")
	ErrUnwritable      = errors.New("the data directory cannot be written")
	ErrNotRegular      = errors.New("the preferences are not a regular file")
	ErrBadPreferences  = errors.New("the preferences are not in order")
	ErrForeignOwner    = errors.New("the preferences are not their directory's owner's")
	ErrNotPrivate      = errors.New("others can change where the data directory is")
	ErrNoOwner         = errors.New("root cannot act as the owner of the data directory")
	ErrBackupDirectory = errors.New("the backup directory cannot be used")
	ErrNoRoom          = errors.New("the copies could not be written")
	ErrNoLock          = errors.New("the server cannot be locked")
	ErrLocked          = errors.New("somebody else is editing this server")
	ErrUnguarded       = errors.New("nobody would start the server again if this session were lost")
	ErrKillLimit       = errors.New("the service manager would kill the server")
	ErrNoSession       = errors.New("nobody is logged in who could run the application")
	ErrMoving          = errors.New("the server is neither running nor at rest")
	ErrRespawned       = errors.New("something started the server again at once")
	ErrNoCommands      = errors.New("nobody knows how to stop and start the server on this platform")
	ErrProcess1        = errors.New("the server has no service manager: it is the container itself")
	ErrNotAnswering    = errors.New("the server does not answer")
	ErrOtherServer     = errors.New("another server answers at this address")
	ErrStopFailed      = errors.New("the server could not be stopped")
	ErrStopTimeout     = errors.New("the server did not stop in time")
	ErrStartFailed     = errors.New("the server could not be started")
	ErrNotWritten      = errors.New("the new preferences could not be put in place")
	ErrReverted        = errors.New("the server did not come up as meant with its new preferences")
	ErrUnverified      = errors.New("the server was started, but not seen to be as meant")
	ErrDisconnected    = errors.New("the shell on the host ended early")
)

// States in which an error leaves the server, in words for the person who has
// to act.
const (
	stateUntouched = "Nothing was stopped and nothing was changed."
	stateUnknown   = "What the server does now is not known."
	stateRestored  = "The server runs again with the preferences that it had."
	stateAsItWas   = "The server is stopped, as it was, with the preferences that it had."
)

const nextLook = "Look at the server, then apply again: what is as it should be is left as it is."

// Error is a failure that a person has to act on.
type Error struct {
	Doing string // what was being done, for example "Stopping the server"
	Host  string // on which machine
	Err   error  // what came back; wraps one of the conditions above
	State string // what state the server is in now
	Next  string // what to do
}

func (e *Error) Error() string {
	parts := []string{fmt.Sprintf("%s on %s: %v.", e.Doing, e.Host, e.Err)}
	for _, p := range []string{e.State, e.Next} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, " ")
}

func (e *Error) Unwrap() error { return e.Err }

// failure is what a code of the script means.
type failure struct {
	err   error
	doing string
	state string
	next  string
}

const (
	doingFind = "Looking for the server"
	doingRead = "Reading the server's preferences"
	doingPlan = "Preparing the edit of the server's preferences"
	doingStop = "Stopping the server"
)

var failures = map[string]failure{
	"unsupported":       {ErrUnsupported, doingFind, stateUntouched, "This version manages servers on Linux, FreeBSD, macOS and Windows."},
	"service-not-found": {ErrServiceNotFound, doingFind, stateUntouched, "Set server.service.name, and server.service.manager, to the service that runs the server, or server.commands to the commands that stop it, start it and tell its status."},
	"several-servers":   {ErrSeveralServers, doingFind, stateUntouched, "Set server.service.name and server.service.manager, or server.preferences_path, to those of one of them."},
	"no-preferences":    {ErrNoPreferences, doingFind, stateUntouched, "Set server.preferences_path. A server that has never run has no preferences yet: start it once."},
	"not-logged-on":     {ErrNotLoggedOn, doingFind, stateUntouched, `The registry has a user's keys only while that user is logged on. Log the user on, or load the user's part of it: reg load HKU\SID C:\Users\NAME\NTUSER.DAT.`},
	"no-key":            {ErrUnreadable, doingRead, stateUntouched, "Log in as the user who runs the server, or as an administrator."},
	"unreadable":        {ErrUnreadable, doingRead, stateUntouched, "Run Terraform as root, or as the user who runs the server."},
	"not-regular":       {ErrNotRegular, doingRead, stateUntouched, "Set server.preferences_path to the file itself."},
	"unwritable":        {ErrUnwritable, doingPlan, stateUntouched, "Run Terraform as root, or as the user who runs the server; check that the file system is not mounted read-only."},
	"foreign-owner":     {ErrForeignOwner, doingRead, stateUntouched, "Give the preferences to the user who owns their directory (chown), who has to be the one who runs the server."},
	"not-private":       {ErrNotPrivate, doingFind, stateUntouched, "Root edits only where it is certain whose the files are. Let the server's own user own its data directory, and either that user or root each directory above it; what is root's may be written by root alone. Or log in as the server's user."},
	"no-owner":          {ErrNoOwner, doingPlan, stateUntouched, "The data directory belongs to the server's own user, and root does the work there as that user. Install setpriv (util-linux) or su, or log in as that user."},
	"backup-directory":  {ErrBackupDirectory, doingPlan, stateUntouched, "Copies hold the server's token, so they need a directory that nobody else can enter. Set backup.directory to one, or move the one that is there aside (mv): a new one is made, and the copies in the old one stay."},
	"no-room":           {ErrNoRoom, doingPlan, stateUntouched, "Make room for three copies of the preferences."},
	"no-lock":           {ErrNoLock, doingPlan, stateUntouched, "Install flock (util-linux or BusyBox)."},
	"locked":            {ErrLocked, doingPlan, stateUntouched, "Wait until that run has ended, then apply again."},
	"unguarded":         {ErrUnguarded, doingPlan, stateUntouched, "Log in as a user who may start processes through WMI (wmic process call create), or start programs in the background."},
	"kill-limit":        {ErrKillLimit, doingPlan, stateUntouched, "A server that is killed as it stops may leave empty preferences behind. Run Terraform as a user who may do what is said above, or change that setting, or set server.commands to commands that never kill."},
	"no-session":        {ErrNoSession, doingPlan, stateUntouched, "The application could be stopped, but not opened again. Log that user in, or set server.commands."},
	"no-commands":       {ErrNoCommands, doingPlan, stateUntouched, "Set server.commands to the commands that stop it, start it and tell its status."},
	"process-1":         {ErrProcess1, doingFind, stateUntouched, "It can only be stopped from outside, with its container. Set server.container, or server.commands on the container's host."},
	"respawned":         {ErrRespawned, doingStop, "The server has been restarted, and runs with the preferences that it had; nothing was changed.", "Set server.service to the service that restarts it, so that it is asked to stop, or server.commands."},
	"moving":            {ErrMoving, doingPlan, stateUntouched, "Wait until it has started or stopped, then apply again. A server that was started by hand has to be stopped by hand."},
	"stop-failed":       {ErrStopFailed, doingStop, "It was not stopped and nothing was changed.", "Run Terraform as a user who may stop the service."},
	"stop-timeout":      {ErrStopTimeout, doingStop, "It was asked to stop and still runs; nothing was changed and it was not killed. If it stops after all it is started again.", "Look at the server's log; raise server.stop_timeout if it needs longer."},
}

// failed is the Error for what the script said: a code and a detail.
func (s *Server) failed(said []byte) error {
	code, detail, _ := strings.Cut(string(said), " ")
	f, known := failures[code]
	if !known {
		f = failure{ErrDisconnected, doingFind, stateUnknown, nextLook}
		detail = string(said)
	}
	err := f.err
	if detail = strings.TrimSpace(strings.ToValidUTF8(detail, "\uFFFD")); detail != "" {
		err = fmt.Errorf("%w: %s", f.err, detail)
	}
	return &Error{Doing: f.doing, Host: s.Host(), Err: err, State: f.state, Next: f.next}
}
