package simtest

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Secrets are the tokens and passwords that a test has planted, or has seen.
type Secrets struct {
	mu    sync.Mutex
	known map[secret]bool
}

// secret is a token, and what it is. One token may be several things.
type secret struct{ what, token string }

// NewSecrets are none yet.
func NewSecrets() *Secrets { return &Secrets{known: map[secret]bool{}} }

// Add adds a token, unless it is empty.
func (s *Secrets) Add(what, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if token != "" {
		s.known[secret{what, token}] = true
	}
}

// In are the secrets that stand in a text. None is named by its value.
func (s *Secrets) In(text []byte) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []string
	for k := range s.known {
		if bytes.Contains(text, []byte(k.token)) {
			found = append(found, k.what)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// Count is how many secrets are something.
func (s *Secrets) Count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := 0
	for k := range s.known {
		if k.what == what {
			count++
		}
	}
	return count
}

// Places are texts in which no secret may be, by where they were found.
type Places map[string][]byte

// Leaks are the places with secrets, and which.
func (p Places) Leaks(s *Secrets) []string {
	var found []string
	for where, text := range p {
		if in := s.In(text); len(in) > 0 {
			found = append(found, fmt.Sprintf("%s: %s", where, strings.Join(in, ", ")))
		}
	}
	slices.Sort(found)
	return found
}
