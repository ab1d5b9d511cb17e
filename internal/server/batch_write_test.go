package server

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// obedient is a batch that asks for more whatever it hears, and keeps that.
type obedient struct {
	io.Reader
	answers *io.PipeWriter
	heard   []string
}

func (o *obedient) Write(p []byte) (int, error) {
	line, end, _ := strings.Cut(string(p), "\r\n")
	if end != "" {
		return 0, errors.New("more than a line at a time")
	}
	o.heard = append(o.heard, line)
	if verb, _, _ := strings.Cut(line, " "); slices.Contains([]string{"file", "line", "native"}, verb) {
		go func() { _, _ = io.WriteString(o.answers, "more\r\n\r\n#:nonce\r\n") }()
	}
	return len(p), nil
}

func (o *obedient) Close() error { return o.answers.Close() }
func (o *obedient) Wait() error  { return nil }

func newObedient(t *testing.T) (*obedient, *session) {
	t.Helper()
	from, to := io.Pipe()
	o := &obedient{Reader: bufio.NewReader(from), answers: to}
	c := speak(o, dialectBatch, "#:nonce")
	t.Cleanup(func() { c.close(0); <-c.ended })
	return o, c
}

func registryOf(t *testing.T, lines string) *prefs.Registry {
	t.Helper()
	document, err := prefs.ParseRegistry([]byte("REGEDIT4\r\n\r\n[HKEY_CURRENT_USER\\Software\\Plex, Inc.\\Plex Media Server]\r\n" +
		"\"ProcessedMachineIdentifier\"=\"0123456789abcdef0123456789abcdef01234567\"\r\n" + lines + "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func TestABatchHearsOfAChangeALineAtATimeAndOnce(t *testing.T) {
	before := registryOf(t, "\"PlexOnlineHome\"=dword:00000001\r\n\"PlexOnlineToken\"=\"madeUpOld\"\r\n\"PlexOnlineMail\"=\"old@example.com\"\r\n")
	after := registryOf(t, "\"PlexOnlineToken\"=\"madeUpNew\"\r\n\"PlexOnlineUsername\"=\"a b\"\r\n")
	o, c := newObedient(t)
	if err := c.stage(t.Context(), before, after); err != nil {
		t.Fatal(err)
	}
	if err := c.write(t.Context(), "write", before, after); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"file changes ;", `line "PlexOnlineHome"=- ;`, `line "PlexOnlineMail"=- ;`, `line "PlexOnlineToken"="madeUpNew" ;`,
		`line "PlexOnlineUsername"=hex(1):61,00,20,00,62,00,00,00 ;`, "file undo ;", `line "PlexOnlineUsername"=- ;`, "write ;",
	}
	if !slices.Equal(o.heard, want) {
		t.Errorf("it heard\n%s\nwant\n%s", strings.Join(o.heard, "\n"), strings.Join(want, "\n"))
	}
}

func TestWhoRunsOnTheHostWritesWithoutTheBatch(t *testing.T) {
	before, after := registryOf(t, "\"PlexOnlineToken\"=\"madeUpOld\"\r\n"), registryOf(t, "")
	for _, fails := range []bool{false, true} {
		o, c := newObedient(t)
		wrote := 0
		c.native = func(_, _ *prefs.Registry) error {
			if wrote++; fails {
				return errors.New("no")
			}
			return nil
		}
		if err := c.write(t.Context(), "write", before, after); err != nil {
			t.Fatal(err)
		}
		want := map[bool]string{false: "wrote ;", true: "write ;"}[fails]
		if last := o.heard[len(o.heard)-2:]; wrote != 1 || !slices.Equal(last, []string{"native ;", want}) {
			t.Errorf("written %d times, then %q, want native and %q", wrote, last, want)
		}
	}
}

func TestALongValueComesInLinesThatSetTakes(t *testing.T) {
	before := registryOf(t, "")
	after := registryOf(t, `"Long"="`+strings.Repeat("long text ", 300)+"\"\r\n")
	changes, _, err := registryLines(before, after)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range changes {
		if len("line "+line+" ;") > 1020 {
			t.Errorf("a line of %d characters", len(line))
		}
	}
	file := "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\Software\\Plex, Inc.\\Plex Media Server]\r\n" + strings.Join(changes, "\r\n") + "\r\n"
	var wide strings.Builder
	wide.WriteString("\xff\xfe")
	for _, r := range file {
		wide.WriteString(string([]byte{byte(r), 0}))
	}
	read, err := prefs.ParseRegistry([]byte(wide.String()))
	if err != nil {
		t.Fatal(err)
	}
	want, _ := after.Get("Long")
	if got, _ := read.Get("Long"); got != want {
		t.Errorf("it reads as a text of %d, want %d", len(got), len(want))
	}
}
