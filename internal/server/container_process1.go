package server

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// ManagerContainer is the engine itself, where the server is the first process
// of its container.
const ManagerContainer = "container"

// process1Script does through the engine what the script does on a host, and
// speaks the same records and commands: who edits does not see the difference.
type process1Script struct {
	*Server
	container *host.Container
	info      host.ContainerInfo
	mode      string
	nonce     string
	file      string // Preferences.xml, as the container sees it

	out      io.Writer
	commands chan command
	guard    *guard

	was           host.File // the preferences as they were last seen in order
	machineID     string
	before, after string // the copies
	left          []byte // what the stopped server left
}

// command is one line of the far side, with what follows it.
type command struct {
	verb, argument string
	payload        []byte
}

// find sets the path of the preferences. seen is where the script inside has
// found them, if it has.
func (p *process1Script) find(ctx context.Context, seen string) error {
	candidates := p.usualPlaces(seen)
	var found []string
	for _, file := range candidates {
		got, err := p.container.Get(ctx, file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case errors.Is(err, host.ErrEngine) || ctx.Err() != nil:
			return p.unreached(doingFind, err)
		case err != nil: // The server may be writing it; whether it is in order comes later.
		case got.Typeflag != tar.TypeReg:
			return p.failed([]byte("not-regular " + file))
		}
		found = append(found, file)
	}
	switch len(found) {
	case 0:
		return p.failed([]byte("no-preferences looked for " + strings.Join(candidates, ", ")))
	case 1:
		p.file = found[0]
		return nil
	}
	return p.failed([]byte("several-servers " + strings.Join(found, ", ")))
}

// usualPlaces are where it can be: where the user or the container's environment
// says, else where it was seen and where images keep it (plex-facts 5.1).
func (p *process1Script) usualPlaces(seen string) []string {
	if p.options.PreferencesPath != "" {
		return []string{path.Clean(p.options.PreferencesPath)}
	}
	if support := p.info.Getenv("PLEX_MEDIA_SERVER_APPLICATION_SUPPORT_DIR"); support != "" {
		return []string{path.Join(support, "Plex Media Server", "Preferences.xml")}
	}
	places := []string{
		"/config/Library/Application Support/Plex Media Server/Preferences.xml",
		"/config/Plex Media Server/Preferences.xml",
		"/config/Preferences.xml",
		"/var/lib/plexmediaserver/Library/Application Support/Plex Media Server/Preferences.xml",
	}
	if seen != "" && !slices.Contains(places, seen) {
		places = append(places, seen)
	}
	return places
}

// open starts it, and returns its other end.
func (p *process1Script) open() host.Shell {
	inRead, inWrite := io.Pipe()
	outRead, outWrite := io.Pipe()
	p.out, p.commands = outWrite, make(chan command)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	gone := make(chan struct{})
	go func() {
		defer cancel() // the far side has gone
		p.listen(inRead, gone)
	}()
	go func() {
		err := p.run(ctx)
		var coded *codedError
		if errors.As(err, &coded) {
			p.put("failed", coded.said)
			err = nil
		}
		close(gone)
		_ = inRead.Close()
		_ = outWrite.Close()
		done <- err
	}()
	return &pipeShell{PipeReader: outRead, in: inWrite, done: done}
}

// pipeShell is a host.Shell whose other end is a goroutine.
type pipeShell struct {
	*io.PipeReader
	in   *io.PipeWriter
	done chan error
}

func (s *pipeShell) Write(p []byte) (int, error) { return s.in.Write(p) }
func (s *pipeShell) Close() error                { return s.in.Close() }
func (s *pipeShell) Wait() error                 { return <-s.done }

// listen takes commands until there are no more, or nobody wants them.
func (p *process1Script) listen(in io.Reader, gone <-chan struct{}) {
	defer close(p.commands)
	for r := bufio.NewReader(in); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		var c command
		c.verb, c.argument, _ = strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if strings.HasPrefix(c.verb, "write") {
			n, err := strconv.Atoi(c.argument)
			if err != nil || n < 0 || n > prefs.MaxSize {
				return
			}
			c.payload = make([]byte, n)
			if _, err := io.ReadFull(r, c.payload); err != nil {
				return
			}
		}
		select {
		case p.commands <- c:
		case <-gone:
			return
		}
	}
}

// await is the next command; false when the far side has gone, or is silent for
// too long.
func (p *process1Script) await(limit time.Duration) (command, bool) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case c, ok := <-p.commands:
		return c, ok
	case <-timer.C:
		return command{}, false
	}
}

func (p *process1Script) put(name, value string) { p.putBytes(name, []byte(value)) }

func (p *process1Script) putBytes(name string, value []byte) {
	// Nobody listening shows in the commands that do not come.
	_, _ = fmt.Fprintf(p.out, "%s\n%s\n%s\n", name, value, p.nonce)
}

// coded is err as a failure that the far side knows.
func (p *process1Script) coded(code string, err error) error {
	return &codedError{code + " " + strings.ReplaceAll(err.Error(), "\n", " ")}
}

// run is the whole of it. ctx ends when the far side has gone.
func (p *process1Script) run(ctx context.Context) error {
	p.put("hello", "1")
	p.put("platform", "linux")
	p.put("manager", ManagerContainer)
	p.put("unit", p.info.Name)
	p.put("preferences_path", p.file)
	if p.mode == modeEdit {
		opened, err := p.openGuard(ctx, p.container, p.info, p.file, p.nonce)
		if err != nil {
			return p.guardFailed(err)
		}
		p.guard = opened
		defer p.guard.close(0)
	}
	state := Stopped
	if p.info.Status == statusRunning {
		state = Running
	}
	if err := p.read(ctx); err != nil {
		return err
	}
	p.put("user", "root")
	p.put("owner", fmt.Sprintf("%d:%d", p.was.Uid, p.was.Gid))
	p.put("state", string(state))
	p.put("state_detail", p.info.Status)
	p.putBytes("preferences", p.was.Data)
	p.put("ready", "")
	for {
		c, ok := p.await(p.options.Limits.Silence)
		switch {
		case !ok:
			return nil
		case c.verb == "wait":
			if p.guard != nil {
				p.guard.wait()
			}
		case c.verb == "again":
			if err := p.read(ctx); err != nil {
				return err
			}
			p.putBytes("preferences", p.was.Data)
			p.put("ready", "")
		case c.verb == "go" && p.mode == modeEdit:
			p.machineID = c.argument
			return p.edit(ctx)
		default:
			return nil
		}
	}
}

func (p *process1Script) guardFailed(err error) error {
	var coded *codedError
	if errors.As(err, &coded) {
		return err
	}
	return p.coded("no-guard", err)
}

// read sets p.was. Of a file that is being written the engine may send less than
// it has announced.
func (p *process1Script) read(ctx context.Context) error {
	for attempt := 1; ; attempt++ {
		got, err := p.container.Get(ctx, p.file)
		switch {
		case err == nil && got.Typeflag != tar.TypeReg:
			return &codedError{"not-regular " + p.file}
		case err == nil:
			p.was = got
			return nil
		case errors.Is(err, fs.ErrNotExist):
			return p.coded("no-preferences", err)
		case attempt == readings || ctx.Err() != nil || errors.Is(err, host.ErrEngine):
			return p.coded("unreadable", err)
		}
		_ = pause(ctx, attempt) // the next reading says what has ended it
	}
}
