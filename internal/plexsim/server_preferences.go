package plexsim

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

// load reads the preferences into memory, where they stay: what is edited in the
// file from now on is lost. Only a file that does not exist is replaced, and then
// with a new identity; an empty one is an error (facts 4).
func (p *process) load() error {
	data, err := os.ReadFile(p.config.PreferencesPath())
	if errors.Is(err, fs.ErrNotExist) {
		p.keep(newPreferences(p.config.Version))
		return p.write()
	}
	if err != nil {
		return err
	}
	prefs, err := parsePreferences(data)
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
	return p.writeLocked(func() []byte { return p.snapshot().render() })
}

// writeLocked truncates first and writes afterwards, in place: a SIGKILL between
// the two leaves zero bytes (facts 4). It returns context.Canceled if it was cut
// off there.
func (p *process) writeLocked(content func() []byte) error {
	if p.dead || p.life.Err() != nil {
		return context.Canceled
	}
	file, err := os.OpenFile(p.config.PreferencesPath(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if p.sleepDeaf(p.config.TruncatePause) == killed {
		return errors.Join(context.Canceled, file.Close())
	}
	_, err = file.Write(content())
	return errors.Join(err, file.Close())
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
	return p.writeLocked(func() []byte {
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
		return prefs.render()
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
