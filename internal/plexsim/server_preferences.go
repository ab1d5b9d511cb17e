package plexsim

import (
	"context"
	"errors"
	"io/fs"
	"time"
)

// load reads the preferences into memory, where they stay: what is edited in the
// store from now on is lost. Only preferences that do not exist are replaced, and
// then with a new identity; an empty file is an error (facts 4).
func (p *process) load() error {
	store, err := newStore(p.config)
	if err != nil {
		return err
	}
	p.store = store
	prefs, err := store.load()
	if errors.Is(err, fs.ErrNotExist) {
		p.keep(newPreferences(p.config.Version))
		return p.write()
	}
	if err != nil {
		return err
	}
	if prefs.get(keyProcessed) == "" {
		// The image scripts can leave one of the two out; the server makes up what
		// is missing, and is another server from then on (facts 3.1).
		prefs.set(keyProcessed, newHex(20))
	}
	p.keep(prefs)
	return nil
}

func (p *process) keep(prefs *preferences) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.prefs = prefs
}

// value is one preference as the server has it in memory.
func (p *process) value(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.prefs == nil {
		return ""
	}
	return p.prefs.get(name)
}

// snapshot is a copy of all preferences.
func (p *process) snapshot() *preferences {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.prefs.clone()
}

// change alters the preferences in memory and writes them.
func (p *process) change(alter func(*preferences)) error {
	p.mu.Lock()
	alter(p.prefs)
	p.mu.Unlock()
	return p.write()
}

// write writes the preferences from memory.
func (p *process) write() error {
	p.file.Lock()
	defer p.file.Unlock()
	return p.writeLocked(p.snapshot)
}

// writeLocked returns context.Canceled if it was cut off by the process's end.
func (p *process) writeLocked(content func() *preferences) error {
	if p.dead || p.life.Err() != nil {
		return context.Canceled
	}
	return p.store.save(func() ending { return p.sleepDeaf(p.config.TruncatePause) }, content)
}

// lastWrite is the write of a clean stop; nothing is written after it. A process
// that never loaded its preferences has nothing to write.
func (p *process) lastWrite() error {
	p.file.Lock()
	defer p.file.Unlock()
	defer func() { p.dead = true }()
	p.mu.Lock()
	loaded := p.prefs != nil
	p.mu.Unlock()
	if !loaded {
		return nil
	}
	return p.writeLocked(func() *preferences {
		if p.config.EmptyAtStop {
			return nil
		}
		prefs := p.snapshot()
		for name, value := range p.config.SetAtStop {
			prefs.set(name, value)
		}
		if p.config.IdentityAtStop != "" {
			prefs.set(keyProcessed, p.config.IdentityAtStop)
			prefs.set(keyMachine, newUUID())
		}
		return prefs
	})
}

// rewrite writes the preferences at intervals, changed or not.
func (p *process) rewrite(ctx context.Context) {
	if p.config.WriteInterval <= 0 {
		return
	}
	tick := time.NewTicker(p.config.WriteInterval.D())
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := p.write(); err != nil && !errors.Is(err, context.Canceled) {
				p.log.printf("Could not write the preferences: %v", err)
			}
		}
	}
}
