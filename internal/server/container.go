package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
)

// process1 is what the script says where nothing manages the server: it is the
// first process of its container, or a child of the one that only reaps.
const process1 = "process-1"

// openContainer starts the way that fits (docs/design/containers.md): the script
// inside, where a supervisor is there to stop and start the service, else a
// session that does through the engine what the script would do.
func (s *Server) openContainer(ctx context.Context, c *host.Container, mode string) (*session, error) {
	info, err := c.Info(ctx)
	if err != nil {
		return nil, s.unreached("Asking the container's engine", err)
	}
	look := containerLook{Server: s, info: info, mode: mode}
	if err := look.usable(); err != nil {
		return nil, err
	}
	// Among the processes of another, nothing can be told from inside.
	if (info.Status != statusRunning || info.SharesPIDs) && !s.managedInside() {
		return s.openProcess1(ctx, c, look, "")
	}
	inside, err := s.openShell(ctx, mode)
	if errors.Is(err, host.ErrNoInterpreter) && !s.managedInside() {
		return s.openProcess1(ctx, c, look, "")
	}
	if err != nil {
		return nil, err
	}
	found, is1 := inside.peek(ctx)
	if is1 {
		inside.close(0)
		return s.openProcess1(ctx, c, look, found)
	}
	inside.warnings = look.warnings(found, false)
	return inside, nil
}

// managedInside tells whether the user has said how the server is stopped, which
// happens inside the container.
func (s *Server) managedInside() bool {
	return s.options.Service != Service{} || s.options.Commands != Commands{}
}

// peek reads ahead to where the script has said whether it can manage the
// server; what it reads is read again. It returns the path of the preferences,
// if they were found, and whether the server is process 1.
func (c *session) peek(ctx context.Context) (found string, is1 bool) {
	var ahead []record
	defer func() { c.ahead = ahead }()
	for {
		r, err := c.next(ctx)
		if err != nil {
			return found, false // whoever reads next sees it too
		}
		ahead = append(ahead, r)
		switch r.name {
		case "hello", "platform", "manager", "unit":
		case "preferences_path":
			found = string(r.value)
		case "failed":
			code, _, _ := bytes.Cut(r.value, []byte(" "))
			return found, string(code) == process1
		default:
			return found, false
		}
	}
}

// openProcess1 opens a session whose other end is in this process.
func (s *Server) openProcess1(ctx context.Context, c *host.Container, look containerLook, found string) (*session, error) {
	p := &process1Script{Server: s, container: c, info: look.info, mode: look.mode, nonce: "#:" + rand.Text()}
	if err := p.find(ctx, found); err != nil {
		return nil, err
	}
	if look.mode == modeEdit {
		if err := look.stoppable(p.file); err != nil {
			return nil, err
		}
	}
	opened := newSession(p.open(), p.nonce)
	opened.warnings = look.warnings(p.file, true)
	return opened, nil
}
