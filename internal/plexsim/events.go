package plexsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Kinds of events. A process that gets SIGKILL writes none of the last ones.
const (
	EventStart      = "start"
	EventListening  = "listening"
	EventLoadFailed = "loadfailed"  // empty or broken preferences: alive, no port
	EventWedged     = "wedged"      // stale pid file: alive, no port
	EventRefused    = "refused"     // RefuseWithToken, RefuseWithoutToken: alive, no port
	EventIgnored    = "ignoredterm" // a SIGTERM that IgnoreTerm ignored
	EventStopping   = "stopping"
	EventStopped    = "stopped"
	EventClaimed    = "claimed"
	EventSignedOut  = "signedout"
	EventFilled     = "filled" // user name, mail and home came from plex.tv
	EventExit       = "exit"
)

// Event is one line of the events file.
type Event struct {
	Time  time.Time `json:"time"`
	PID   int       `json:"pid"`
	Event string    `json:"event"`
	// Code is the exit status; only "exit" has one.
	Code *int `json:"code,omitempty"`
}

// ReadEvents reads an events file. A file that does not exist holds no events.
func ReadEvents(path string) ([]Event, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var events []Event
	for line := range bytes.Lines(data) {
		var event Event
		if err := json.Unmarshal(line, &event); err != nil {
			return events, fmt.Errorf("%s: line %d: %w", path, len(events)+1, err)
		}
		events = append(events, event)
	}
	return events, nil
}

// Count is how many of the events are of a kind.
func Count(events []Event, kind string) int {
	count := 0
	for _, event := range events {
		if event.Event == kind {
			count++
		}
	}
	return count
}

// eventLog appends to an events file, one write per line, so that a reader never
// sees half an event and several processes can share a file.
type eventLog struct {
	path string
	mu   sync.Mutex
}

func (l *eventLog) add(kind string, code *int) error {
	if l.path == "" {
		return nil
	}
	return appendJSONLine(&l.mu, l.path, Event{Time: time.Now(), PID: os.Getpid(), Event: kind, Code: code})
}

func appendJSONLine(mu *sync.Mutex, path string, value any) error {
	line, err := json.Marshal(value)
	if err != nil {
		return err
	}
	mu.Lock()
	defer mu.Unlock()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	return errors.Join(err, file.Close())
}
