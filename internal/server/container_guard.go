package server

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
)

var guardScript = assemble("talk", "guard")

// guard is a shell on the machine that has the engine. It holds the lock, and
// starts the server again when this process is lost (script/guard.sh).
type guard struct {
	*session
	server *Server
}

// openGuard returns when the lock is had, and the guard can talk to the engine.
func (s *Server) openGuard(ctx context.Context, c *host.Container, info host.ContainerInfo, file string, nonce string) (*guard, error) {
	was := "stopped"
	if info.Status == statusRunning {
		was = "running"
	}
	o := s.options
	var b strings.Builder
	for _, v := range c.EngineEnvironment() {
		name, value, _ := strings.Cut(v, "=")
		fmt.Fprintf(&b, "export %s=%s\n", name, host.Quote(value))
	}
	for _, p := range []struct{ name, value string }{
		{"nonce", nonce}, {"holder", holder()}, {"engine", c.EngineAddress()}, {"id", info.ID}, {"was", was},
		{"file", file}, {"dir", path.Dir(file)},
		{"file_url", url.QueryEscape(file)}, {"dir_url", url.QueryEscape(path.Dir(file))},
		{"stop_limit", seconds(o.StopTimeout)}, {"command_limit", seconds(o.Limits.Command)},
		{"lock_limit", seconds(o.Limits.Lock)}, {"silence", seconds(o.Limits.Silence)},
		{"linger", seconds(o.Limits.Linger)},
	} {
		fmt.Fprintf(&b, "p_%s=%s\n", p.name, host.Quote(p.value))
	}
	shell, err := c.Machine().Shell(ctx, b.String()+guardScript)
	if err != nil {
		return nil, err
	}
	g := &guard{session: newSession(shell, nonce), server: s}
	if err := g.hear(ctx, "ready"); err != nil {
		g.close(0)
		return nil, err
	}
	return g, nil
}

// hear waits for one record. A failure of the guard is said as it is: the codes
// are those of the script.
func (g *guard) hear(ctx context.Context, name string) error {
	r, err := g.next(ctx)
	switch {
	case err != nil:
		return err
	case r.name == "failed":
		return &codedError{string(r.value)}
	case r.name != name:
		return fmt.Errorf("the guard said %s in place of %s", r.name, name)
	}
	return nil
}

// codedError is a failure in the words of a script: a code and a detail.
type codedError struct{ said string }

func (e *codedError) Error() string { return e.said }

// arm gives the guard what it needs to bring back a server that is lost.
func (g *guard) arm(ctx context.Context, id string, file host.File) error {
	content, err := host.Archive(file)
	if err != nil {
		return err
	}
	if err := g.say(fmt.Sprintf("arm %s %d", id, len(content)), content); err != nil {
		return err
	}
	return g.hear(ctx, "armed")
}

// stage says how far it is. The error is one of a guard that has taken over, or
// may have: what comes next must not be done.
func (g *guard) stage(name string) error {
	if err := g.say(name, nil); err != nil && !g.killed() {
		return err
	}
	return g.holds()
}

// killed tells a guard that was killed on its machine from one to which the way
// is lost: the first does nothing more, and nobody would finish if this process
// did not.
func (g *guard) killed() bool {
	limit := time.NewTimer(g.server.options.Limits.Silence)
	defer limit.Stop()
	select {
	case err := <-g.exited:
		g.exited <- err
		var ended *host.ExitError
		return errors.As(err, &ended)
	case <-limit.C:
		return false
	}
}

// wait tells the guard that somebody is still there. A guard that is not shows
// before the next step.
func (g *guard) wait() { _ = g.say("wait", nil) }

// present is an error when the guard has ended. Nothing is stopped then.
func (g *guard) present() error {
	select {
	case <-g.ended:
		return errors.New("it has ended")
	default:
		return nil
	}
}

var errRelieved = errors.New("the guard has taken over")

// holds is an error when the guard has ended, or has lost patience: it acts by
// itself then, and who comes late must not.
func (g *guard) holds() error {
	select {
	case <-g.records:
		return errRelieved
	case <-g.ended:
		if g.killed() {
			return nil
		}
		return errRelieved
	default:
		return nil
	}
}
