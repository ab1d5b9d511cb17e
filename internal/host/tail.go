package host

import (
	"strings"
	"sync"
)

// tail keeps the last limit bytes that were written to it: a script that
// writes without end must not fill the provider's memory.
type tail struct {
	limit   int
	changed chan struct{} // holds a value after something was written

	mu   sync.Mutex
	kept []byte
}

func newTail(limit int) *tail { return &tail{limit: limit, changed: make(chan struct{}, 1)} }

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p[max(0, len(p)-t.limit):]...)
	t.kept = t.kept[max(0, len(t.kept)-t.limit):]
	select {
	case t.changed <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(strings.ToValidUTF8(string(t.kept), "\uFFFD"))
}
