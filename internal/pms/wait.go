package pms

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Between two questions: short at first, since these waits are downtime, then
// long enough not to burden a machine that is booting.
const (
	firstPause   = 5 * time.Millisecond
	longestPause = 250 * time.Millisecond
)

// WaitIdentity asks the server who it is until it answers with something that
// accept takes (nil takes anything), or until ctx ends, which is its only limit.
// No error ends it sooner: a server that restarts may refuse, hang up and answer
// nonsense in turn. Only ErrNoRoute, which no waiting mends, is returned at once.
//
// Its error matches the last cause (ErrRefused, ErrStarting, ErrUnreachable,
// ErrUnexpected, or ErrNotAccepted for an identity that accept does not take)
// and ctx's own.
func (c *Client) WaitIdentity(ctx context.Context, accept func(Identity) bool) (Identity, error) {
	var last error
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		identity, err := c.Identity(ctx)
		switch {
		case err == nil && (accept == nil || accept(identity)):
			return identity, nil
		case errors.Is(err, ErrNoRoute):
			return Identity{}, err
		case err == nil:
			last = c.failed(askIdentity, notAccepted(identity))
		case ctx.Err() == nil || last == nil:
			// What ctx cut short is not the cause, unless there is no other.
			last = err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return Identity{}, fmt.Errorf("waited for the server in vain: %w (%w)", last, ctx.Err())
		case <-timer.C:
		}
	}
}

func notAccepted(identity Identity) error {
	return fmt.Errorf("%w: it is %s, version %.40q, claimed: %s",
		ErrNotAccepted, identity.MachineIdentifier, identity.Version, identity.Claimed)
}
