package simtest

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// Lookout collects what others on a Linux machine can see: the arguments and the
// environment of every process that is no older than the test, in containers of
// this machine too; all files below some directories that more than their owner
// can read; and what an editor's lock says, whoever can read it.
type Lookout struct {
	t    testing.TB
	dirs []string
	born uint64       // when the test was
	old  map[int]bool // processes that are older
	done chan struct{}
	wait sync.WaitGroup

	mu   sync.Mutex
	seen map[string]bool // what was seen, each once
}

// NewLookout looks when it is told to (Look).
func NewLookout(t testing.TB, dirs ...string) *Lookout {
	t.Helper()
	self, err := processOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	l := &Lookout{t: t, dirs: dirs, born: self.started, old: map[int]bool{}, done: make(chan struct{}), seen: map[string]bool{}}
	t.Cleanup(func() {
		l.End()
		l.mu.Lock()
		defer l.mu.Unlock()
		l.seen = nil // the memory of a test lasts as long as the test that it is a part of
	})
	return l
}

// LookOut looks in a tight loop until it is ended.
func LookOut(t testing.TB, dirs ...string) *Lookout {
	t.Helper()
	l := NewLookout(t, dirs...)
	for _, look := range []func(){l.processes, l.files} {
		l.wait.Go(func() {
			for {
				select {
				case <-l.done:
					return
				default:
					look()
				}
			}
		})
	}
	return l
}

// Look looks once.
func (l *Lookout) Look() {
	l.processes()
	l.files()
}

// End looks at the files a last time, and stops.
func (l *Lookout) End() {
	select {
	case <-l.done:
		return
	default:
		close(l.done)
	}
	l.wait.Wait()
	l.files()
}

// Note adds something that was seen elsewhere.
func (l *Lookout) Note(where string, text []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[where+"\n"+string(text)] = true
}

// Has tells whether something was seen with all of the parts.
func (l *Lookout) Has(parts ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for text := range l.seen {
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) }) {
			return true
		}
	}
	return false
}

// Sees waits until something with the parts was seen.
func (l *Lookout) Sees(what string, parts ...string) {
	l.t.Helper()
	Eventually(l.t, what, func() bool { return l.Has(parts...) })
}

// AddTo adds what was seen to places.
func (l *Lookout) AddTo(p Places) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for text := range l.seen {
		where, _, _ := strings.Cut(text, "\n")
		p[where] = append(p[where], text...)
	}
}

// processes looks once. A process that has gone meanwhile is not seen.
func (l *Lookout) processes() {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || l.old[pid] {
			continue
		}
		was, err := processOf(pid)
		if err != nil {
			continue
		}
		if was.started < l.born {
			l.old[pid] = true
			continue
		}
		for _, part := range []string{"cmdline", "environ"} {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, part))
			if err != nil {
				continue
			}
			// A process that has become another program meanwhile has its environment, under the name of the one before.
			if now, err := processOf(pid); err == nil && now == was {
				l.Note(part+" of a process "+strconv.Quote(was.name), text)
			}
		}
	}
}

// process is one that runs. started is in ticks since the machine was booted.
type process struct {
	name    string
	started uint64
}

func processOf(pid int) (process, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, err
	}
	// The name may hold spaces and parentheses. The 22nd field is the 20th behind it.
	opens, closes := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	fields := bytes.Fields(stat[closes+1:])
	if opens < 0 || closes < opens || len(fields) < 20 {
		return process{}, fmt.Errorf("process %d: its stat is %q", pid, stat)
	}
	started, err := strconv.ParseUint(string(fields[19]), 10, 64)
	return process{string(stat[opens+1 : closes]), started}, err
}

// files looks once. A file counts as wide when it was so after it was read.
func (l *Lookout) files() {
	for _, dir := range l.dirs {
		_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return nil // what has gone meanwhile is not seen
			}
			lock := strings.HasPrefix(e.Name(), lockName)
			if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 == 0 && !lock {
				return nil
			}
			file, err := os.Open(path)
			if err != nil {
				return nil
			}
			defer func() { _ = file.Close() }()
			var text bytes.Buffer
			_, err = text.ReadFrom(file)
			info, statErr := file.Stat()
			switch {
			case err != nil || statErr != nil:
			case lock:
				l.Note("the lock "+path, text.Bytes())
			case info.Mode().Perm()&0o077 != 0:
				l.Note("a file that others can read, "+path, text.Bytes())
			}
			return nil
		})
	}
}

// lockName begins the names of the files that are an editor's lock.
const lockName = ".terraform-provider-plex.lock"
