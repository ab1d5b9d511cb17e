package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// containerFailures are what goes wrong only where the engine does the work.
var containerFailures = map[string]failure{
	"container-copies":     {ErrNoRoom, doingPlan, stateUntouched, "Make room for three copies of the preferences on the volume that holds the data directory, and mount it writable."},
	"container-attributes": {ErrNotRestored, doingPlan, stateUntouched, "Set server.commands to what stops and starts the container on its machine, and leave server.container out."},
	"no-guard":             {ErrNotGuarded, doingPlan, stateUntouched, "Let the user who logs in to the engine's machine run docker, or curl with its socket, and have sh there."},
}

func init() { maps.Copy(failures, containerFailures) }

// edit is the part from the word that the server may be stopped. Whatever ends
// it early leaves the guard without its last word, and the guard brings the
// server back; so nothing here waits without a limit.
func (p *process1Script) edit(ctx context.Context) error {
	if err := p.prepareCopies(ctx); err != nil {
		return err
	}
	if err := p.guard.arm(ctx, p.machineID, p.was); err != nil {
		return p.guardFailed(err)
	}
	if err := p.guard.present(); err != nil {
		return p.guardFailed(err)
	}
	// From here on the far side's end does not end this half-way.
	ctx = context.WithoutCancel(ctx)
	running := p.info.Status == statusRunning
	if running {
		if err := p.stop(ctx); err != nil {
			return err
		}
	} else if err := p.resting(ctx); err != nil {
		return err
	}
	written, err := p.change(ctx)
	if err != nil {
		return err
	}
	started := p.start(ctx, running, written)
	p.put("started", started)
	p.put("copy_before", p.before)
	p.put("copy_after", p.after)
	return p.verified(ctx, running, written)
}

// stop asks, and waits. A container that still runs at the limit is left alone;
// the guard waits for it longer.
func (p *process1Script) stop(ctx context.Context) error {
	if err := p.guard.stage("stopping"); err != nil {
		return p.guardFailed(err)
	}
	limited, cancel := context.WithTimeout(ctx, p.options.StopTimeout)
	defer cancel()
	err := p.container.Stop(limited)
	if err == nil {
		return p.guard.stage("stopped")
	}
	runs, asked := p.running(ctx)
	switch {
	case asked != nil:
		return errors.Join(err, asked)
	case !runs:
		return p.guard.stage("stopped")
	case limited.Err() != nil:
		return &codedError{"stop-timeout the engine says that it is running"}
	}
	_ = p.guard.say("done", nil)
	return p.coded("stop-failed", err)
}

func (p *process1Script) running(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, p.options.Limits.Command)
	defer cancel()
	return p.container.Running(ctx)
}

// resting sees that a container which did not run still does not.
func (p *process1Script) resting(ctx context.Context) error {
	if runs, err := p.running(ctx); err != nil || runs {
		return &codedError{"moving somebody has started it"}
	}
	return p.guard.stage("resting")
}

// change is what happens between stop and start. One answer of the far side
// decides; false: the preferences are those from before.
func (p *process1Script) change(ctx context.Context) (written bool, err error) {
	// The guard waits longer than this, and never acts at the same time.
	ctx, cancel := context.WithTimeout(ctx, 2*p.options.Limits.Silence)
	defer cancel()
	left, err := p.container.Get(ctx, p.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	p.left = left.Data
	if err := p.copyAfter(ctx); err != nil {
		p.put("warning", fmt.Sprintf("no copy could be made after the stop: %v", err))
	}
	p.putBytes("stopped", p.left)
	c, ok := p.await(p.options.Limits.Silence)
	if !ok || c.verb != "write" && c.verb != "write-from-before" {
		return false, p.keepWhole(ctx)
	}
	if err := p.guard.holds(); err != nil {
		return false, err
	}
	err = p.container.Replace(ctx, p.file, p.with(c.payload))
	if err == nil {
		return true, nil
	}
	p.put("note", fmt.Sprintf("the new preferences could not be put in place: %v", err))
	return false, p.keepWhole(ctx)
}

// with is a file with the preferences' owner and mode.
func (p *process1Script) with(data []byte) host.File {
	f := p.was
	f.Data, f.ModTime = data, time.Now()
	return f
}

func (p *process1Script) copyAfter(ctx context.Context) error {
	if bytes.Equal(p.left, p.was.Data) {
		return nil // it is there already
	}
	return p.container.Replace(ctx, p.after, copyOf(p.left))
}

// whole tells whether data are preferences of this server.
func (p *process1Script) whole(data []byte) bool {
	document, err := prefs.ParseXML(data)
	if err != nil {
		return false
	}
	id, _ := document.Get(prefs.KeyMachineIdentifier)
	return id == p.machineID
}

// keepWhole sees that the preferences are in order, and puts them back from a
// copy where they are not.
func (p *process1Script) keepWhole(ctx context.Context) error {
	if err := p.guard.holds(); err != nil {
		return err
	}
	now, err := p.container.Get(ctx, p.file)
	if err == nil && p.whole(now.Data) {
		return nil
	}
	return p.restore(ctx)
}

// restore puts back what the stopped server left, or what it had before where
// that is not in order.
func (p *process1Script) restore(ctx context.Context) error {
	data := p.was.Data
	if p.whole(p.left) {
		data = p.left
	}
	return p.container.Replace(ctx, p.file, p.with(data))
}

// start is how the start went, in the words of the protocol.
func (p *process1Script) start(ctx context.Context, running, written bool) string {
	switch {
	case !running && written:
		return "left"
	case !running:
		return "kept"
	}
	if err := p.startContainer(ctx); err != nil {
		return "failed " + err.Error()
	}
	if !written {
		return "kept"
	}
	return "yes"
}

func (p *process1Script) startContainer(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.options.Limits.Command)
	defer cancel()
	if err := p.container.Start(ctx); err != nil {
		return err
	}
	return p.guard.stage("started")
}

// verified answers until the far side has seen enough. One that goes away leaves
// the rest to the guard, as does one that is never content.
func (p *process1Script) verified(ctx context.Context, running, written bool) error {
	if !written {
		_ = p.guard.say("done", nil)
	}
	for {
		c, ok := p.await(p.options.Limits.Silence)
		if !ok {
			return nil
		}
		switch c.verb {
		case "wait":
			p.guard.wait()
		case "check":
			if err := p.check(ctx); err != nil {
				return err
			}
		case "revert":
			how := p.reverted(ctx, running)
			p.put("reverted", how)
			if how != "yes" {
				return nil // and the guard does what can be done
			}
			_ = p.guard.say("done", nil)
		case "done":
			_ = p.guard.say("done", nil)
			p.guard.close(p.options.Limits.Command)
			return nil
		default:
			return nil
		}
	}
}

// check sends the preferences as they are; none where they cannot be read at
// this moment, which the far side takes for a reading that caught the server
// writing.
func (p *process1Script) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.options.Limits.Command)
	defer cancel()
	now, err := p.container.Get(ctx, p.file)
	if err != nil && ctx.Err() != nil {
		return err
	}
	p.putBytes("preferences", now.Data)
	return nil
}

// reverted is how that went, in the words of the protocol.
func (p *process1Script) reverted(ctx context.Context, running bool) string {
	if err := p.revert(ctx, running); err != nil {
		return "no " + err.Error()
	}
	return "yes"
}

// revert puts back what was there, and starts the server with it.
func (p *process1Script) revert(ctx context.Context, running bool) error {
	if err := p.guard.stage("revert"); err != nil {
		return err
	}
	if running {
		if err := p.stop(ctx); err != nil {
			return err
		}
	}
	limited, cancel := context.WithTimeout(ctx, 2*p.options.Limits.Silence)
	defer cancel()
	if err := p.restore(limited); err != nil {
		return err
	}
	if !running {
		return nil
	}
	return p.startContainer(ctx)
}
