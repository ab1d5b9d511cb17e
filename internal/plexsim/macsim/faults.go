//go:build unix

package macsim

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/macsim/cfprefs"
)

// Ways in which a Mac can be otherwise, each a file of its name in etc.
const (
	faultReplace   = "replace"   // see ImportReplaces
	faultForbidden = "forbidden" // see ForbidEvents
	faultLose      = "lose"      // see LoseAtImport
	faultStall     = "stall"     // see Stall
	faultCalls     = "calls"     // see LogCalls
)

func (m Mac) set(fault, content string) error {
	path := m.path("etc", fault)
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil { // every user's programs look
		return err
	}
	return os.Chmod(path, 0o666) // and the log is written by all
}

func (m Mac) is(fault string) bool {
	_, err := os.Stat(m.path("etc", fault))
	return err == nil
}

// ImportReplaces has "defaults import" remove the names that are not in what it is given. Else it keeps them: which of the two macOS does
// is not certain.
func (m Mac) ImportReplaces() error { return m.set(faultReplace, "") }

// ForbidEvents has macOS let nobody send an application an event: the permission "Automation".
func (m Mac) ForbidEvents() error { return m.set(faultForbidden, "") }

// LoseAtImport has the next "defaults import" lose a name and fail, or lose it and not say so.
func (m Mac) LoseAtImport(name string, silently bool) error {
	return m.set(faultLose, fmt.Sprintf("%s %t", name, silently))
}

func (m Mac) lossy(list cfprefs.Dict) (cfprefs.Dict, error) {
	data, err := os.ReadFile(m.path("etc", faultLose))
	if errors.Is(err, os.ErrNotExist) {
		return list, nil
	}
	// Emptied and not removed, since the directory is root's.
	name, silently, _ := strings.Cut(string(data), " ")
	if name == "" {
		return list, err
	}
	if err := os.Truncate(m.path("etc", faultLose), 0); err != nil {
		return nil, err
	}
	if silently == "false" {
		return nil, errors.New("could not write domain")
	}
	delete(list, name)
	return list, nil
}

// Stall has "defaults" wait when it is called so, such as "delete PlexOnlineToken", until Proceed is called.
func (m Mac) Stall(call string) error { return m.set(faultStall, call) }

// Stalled tells whether one waits.
func (m Mac) Stalled() bool {
	data, err := os.ReadFile(m.path("etc", faultStall))
	return err == nil && strings.HasSuffix(string(data), waits)
}

// waits is behind the call in the file, as long as one does.
const waits = "\n"

// Proceed ends that.
func (m Mac) Proceed() error { return remove(m.path("etc", faultStall)) }

func (m Mac) stall(call string) {
	for {
		data, err := os.ReadFile(m.path("etc", faultStall))
		if err != nil || strings.TrimSuffix(string(data), waits) != call {
			return
		}
		if string(data) == call {
			if file, err := os.OpenFile(m.path("etc", faultStall), os.O_WRONLY|os.O_APPEND, 0); err == nil {
				_, _ = file.WriteString(waits)
				_ = file.Close()
			}
		}
		time.Sleep(pollInterval)
	}
}

// LogCalls has all programs write down how they are called.
func (m Mac) LogCalls() error { return m.set(faultCalls, "") }

// Calls are those, one a line.
func (m Mac) Calls() (string, error) {
	data, err := os.ReadFile(m.path("etc", faultCalls))
	return string(data), err
}

func (c *call) log(name string) error {
	file, err := os.OpenFile(c.mac.path("etc", faultCalls), os.O_APPEND|os.O_WRONLY, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%s %s\n", name, strings.Join(c.args, " "))
	return errors.Join(err, file.Close())
}
