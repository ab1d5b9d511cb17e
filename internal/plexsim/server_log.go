package plexsim

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// serverLog is the log file in the data directory, which is where a person looks
// for "Failed to load preferences", and the writer that the configuration names.
// No token is ever given to it.
type serverLog struct {
	path string
	also io.Writer
	mu   *sync.Mutex
}

func newServerLog(config Config) serverLog {
	return serverLog{
		path: filepath.Join(config.DataDir(), "Logs", "Plex Media Server.log"),
		also: config.Log,
		mu:   new(sync.Mutex),
	}
}

// printf drops what cannot be written: a full or read-only disk must not stop the
// server, and there is nowhere left to say so.
func (l serverLog) printf(format string, args ...any) {
	line := time.Now().Format("Jan 02, 2006 15:04:05.000 ") + fmt.Sprintf(format, args...) + "\n"
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.also != nil {
		_, _ = io.WriteString(l.also, line)
	}
	if os.MkdirAll(filepath.Dir(l.path), 0o755) != nil {
		return
	}
	file, err := os.OpenFile(l.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	_, _ = io.WriteString(file, line)
	_ = file.Close()
}
