package provider_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// secrets are the tokens of a test.
type secrets struct {
	mu     sync.Mutex
	tokens map[secret]bool
}

// secret is a token, and what it is. One token may be several things.
type secret struct{ what, token string }

func (s *secrets) add(what, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if token != "" {
		s.tokens[secret{what, token}] = true
	}
}

// in are the secrets that stand in a text. None is named by its value.
func (s *secrets) in(text []byte) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []string
	for known := range s.tokens {
		if bytes.Contains(text, []byte(known.token)) {
			found = append(found, known.what)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// count is how many secrets are something.
func (s *secrets) count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := 0
	for known := range s.tokens {
		if known.what == what {
			count++
		}
	}
	return count
}

// tap makes plex.tv be reached through a place that learns every token that
// travels: those of accounts and servers, and claim tokens.
func (s *secrets) tap(w *world) {
	through := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, r *http.Request) {
		s.add("token in a header", r.Header.Get("X-Plex-Token"))
		s.add("claim token in a query", r.URL.Query().Get("token"))
		w.tv.ServeHTTP(answer, r)
	}))
	w.Cleanup(func() { through.CloseClientConnections(); through.Close() })
	w.tv.URL = through.URL
}

// places are texts in which no secret may be, by where they were found.
type places map[string][]byte

// leaks are the places with secrets, and which.
func (p places) leaks(s *secrets) []string {
	var found []string
	for where, text := range p {
		if in := s.in(text); len(in) > 0 {
			found = append(found, fmt.Sprintf("%s: %s", where, strings.Join(in, ", ")))
		}
	}
	slices.Sort(found)
	return found
}

// lookout collects what others on the machine can see: the arguments and the
// environment of every process below the test, and of every shell and server,
// and all files below some directories that more than their owner can read.
type lookout struct {
	t    *testing.T
	dirs []string
	done chan struct{}
	wait sync.WaitGroup

	mu   sync.Mutex
	seen map[string]bool // what was seen, each once
}

// lookOut looks in a tight loop until it is ended.
func lookOut(t *testing.T, dirs ...string) *lookout {
	l := &lookout{t: t, dirs: dirs, done: make(chan struct{}), seen: map[string]bool{}}
	t.Cleanup(l.end)
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

func (l *lookout) note(where string, text []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[where+"\n"+string(text)] = true
}

// has tells whether something was seen with all of the parts.
func (l *lookout) has(parts ...string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for text := range l.seen {
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(text, part) }) {
			return true
		}
	}
	return false
}

func (l *lookout) addTo(p places) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for text := range l.seen {
		where, _, _ := strings.Cut(text, "\n")
		p[where] = append(p[where], text...)
	}
}

// processes looks once. A process that has gone meanwhile is not seen.
func (l *lookout) processes() {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return
	}
	parents, names := map[int]int{}, map[int]string{}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			names[pid], parents[pid] = nameAndParent(pid)
		}
	}
	for pid, name := range names {
		below := false
		for p := parents[pid]; p > 1 && !below; p = parents[p] {
			below = p == os.Getpid()
		}
		if !below && !strings.HasSuffix(name, "sh") && !strings.HasPrefix(strings.ToLower(name), "plex") {
			continue
		}
		for _, part := range []string{"cmdline", "environ"} {
			text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, part))
			// A process that has become another program meanwhile has its environment, under the name of the one before.
			if now, _ := nameAndParent(pid); err == nil && now == name {
				l.note(part+" of a process "+strconv.Quote(name), text)
			}
		}
	}
}

// nameAndParent are empty and 0 for a process that has gone.
func nameAndParent(pid int) (name string, parent int) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	opens, closes := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	if err != nil || opens < 0 || closes < opens {
		return "", 0
	}
	if fields := bytes.Fields(stat[closes+1:]); len(fields) > 1 {
		parent, _ = strconv.Atoi(string(fields[1]))
	}
	return string(stat[opens+1 : closes]), parent
}

// files looks once. A file counts as wide when it was so after it was read.
func (l *lookout) files() {
	for _, dir := range l.dirs {
		_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return nil // what has gone meanwhile is not seen
			}
			if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 == 0 {
				return nil
			}
			file, err := os.Open(path)
			if err != nil {
				return nil
			}
			defer func() { _ = file.Close() }()
			var text bytes.Buffer
			_, err = text.ReadFrom(file)
			if info, statErr := file.Stat(); err == nil && statErr == nil && info.Mode().Perm()&0o077 != 0 {
				l.note("a file that others can read, "+path, text.Bytes())
			}
			return nil
		})
	}
}

// end looks a last time, and stops.
func (l *lookout) end() {
	select {
	case <-l.done:
	default:
		close(l.done)
	}
	l.wait.Wait()
	l.files()
}

// sees waits until something with the parts was seen.
func (l *lookout) sees(what string, parts ...string) {
	l.t.Helper()
	simtest.Eventually(l.t, what, func() bool { return l.has(parts...) })
}
