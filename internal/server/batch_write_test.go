package server

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

const testKey = `HKEY_CURRENT_USER\Software\Plex, Inc.\Plex Media Server`

func registryOf(t *testing.T, text string) *prefs.Registry {
	t.Helper()
	document, err := prefs.ParseRegistry([]byte("REGEDIT4\r\n\r\n[" + testKey + "]\r\n" + text + "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// talkingShell is a batch that asks for more after every line that it hears.
type talkingShell struct {
	net.Conn
	heard chan []string
}

func (talkingShell) Wait() error { return nil }

// talk answers until the shell is closed, and then tells what it has heard.
func talk(nonce string) talkingShell {
	ours, theirs := net.Pipe()
	s := talkingShell{ours, make(chan []string, 1)}
	go func() {
		var heard []string
		in := bufio.NewScanner(theirs)
		for in.Scan() {
			line := strings.TrimSuffix(strings.TrimSuffix(in.Text(), "\r"), " ;")
			heard = append(heard, line)
			if verb, _, _ := strings.Cut(line, " "); verb == "file" || verb == "line" || verb == "writing" {
				_, _ = io.WriteString(theirs, "more\r\n\r\n"+nonce+"\r\n")
			}
		}
		s.heard <- heard
	}()
	return s
}

var _ host.Shell = talkingShell{}

func TestPreferencesOfThisMachineAreWrittenByItself(t *testing.T) {
	before, after := registryOf(t, `"PlexOnlineToken"="old"`), registryOf(t, "")
	for name, c := range map[string]struct {
		command string
		native  writer
		want    []string // the end of what the batch hears
	}{
		"it can":            {"write", func(prefs.Document, prefs.Document) error { return nil }, []string{"writing", "wrote"}},
		"it cannot":         {"write", func(prefs.Document, prefs.Document) error { return errors.New("denied") }, []string{"writing", "write"}},
		"another machine":   {"write", nil, []string{"file undo", "write"}},
		"they were damaged": {"write-from-before", func(prefs.Document, prefs.Document) error { return nil }, []string{"file undo", "write-from-before"}},
	} {
		t.Run(name, func(t *testing.T) {
			shell := talk("#:nonce")
			session := speak(shell, dialectBatch, "#:nonce")
			session.native = c.native
			if err := session.write(t.Context(), c.command, before, after); err != nil {
				t.Fatal(err)
			}
			session.close(0)
			heard := <-shell.heard
			if len(heard) < 2 || strings.Join(heard[len(heard)-2:], ", ") != strings.Join(c.want, ", ") {
				t.Errorf("the batch heard %q, want %q at the end", heard, c.want)
			}
		})
	}
}
