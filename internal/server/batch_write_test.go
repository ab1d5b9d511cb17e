package server

import (
	"bufio"
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// obedient is a batch that asks for more whatever it hears, and keeps that.
type obedient struct {
	io.Reader
	answers *io.PipeWriter
	heard   []string
	answer  string // in place of "more"
}

func (o *obedient) Write(p []byte) (int, error) {
	line, end, _ := strings.Cut(string(p), "\r\n")
	if end != "" {
		return 0, errors.New("more than a line at a time")
	}
	o.heard = append(o.heard, line)
	if verb, _, _ := strings.Cut(line, " "); slices.Contains([]string{"file", "line", "native"}, verb) {
		answer := cmp.Or(o.answer, "more")
		go func() { _, _ = io.WriteString(o.answers, answer+"\r\n\r\n#:nonce\r\n") }()
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

func TestWhatTheServerDamagedIsMendedByTheBatchAlone(t *testing.T) {
	before, after := registryOf(t, "\"PlexOnlineToken\"=\"madeUpOld\"\r\n"), registryOf(t, "")
	o, c := newObedient(t)
	c.native = func(_, _ *prefs.Registry) error { t.Error("it is written without the batch"); return nil }
	if err := c.write(t.Context(), "write-from-before", before, after); err != nil {
		t.Fatal(err)
	}
	if last := o.heard[len(o.heard)-1]; last != "write-from-before ;" {
		t.Errorf("it heard %q last", last)
	}
}

// What cannot be sent is refused before a line of it is.
func TestABatchIsToldNothingThatCmdWouldChange(t *testing.T) {
	before := registryOf(t, "")
	xml, err := prefs.ParseXML([]byte(`<Preferences ProcessedMachineIdentifier="0123456789abcdef0123456789abcdef01234567"/>`))
	if err != nil {
		t.Fatal(err)
	}
	for name, after := range map[string]prefs.Document{
		"a space":        registryOf(t, `"a b"="1"`+"\r\n"),
		"an exclamation": registryOf(t, `"a!b!"="1"`+"\r\n"),
		"a control":      registryOf(t, "\"a\tb\"=\"1\"\r\n"),
		"no registry":    xml,
	} {
		o, c := newObedient(t)
		if err := c.write(t.Context(), "write", before, after); !errors.Is(err, errors.ErrUnsupported) || len(o.heard) != 0 {
			t.Errorf("%s: it heard %q: %v", name, o.heard, err)
		}
	}
	o, c := newObedient(t)
	o.answer = "failed"
	if err := c.write(t.Context(), "write", before, registryOf(t, "\"a\"=\"1\"\r\n")); !errors.Is(err, ErrDisconnected) || len(o.heard) != 1 {
		t.Errorf("another answer: it heard %q: %v", o.heard, err)
	}
}

// What the batch has of a file of which not all has arrived is not known.
func TestABatchIsToldAgainWhatItMayNotHaveHeard(t *testing.T) {
	before, one, two := registryOf(t, ""), registryOf(t, "\"a\"=\"1\"\r\n"), registryOf(t, "\"a\"=\"2\"\r\n")
	o, c := newObedient(t)
	if err := c.stage(t.Context(), before, one); err != nil {
		t.Fatal(err)
	}
	o.answer = "failed"
	if err := c.stage(t.Context(), before, two); err == nil {
		t.Fatal("it was staged")
	}
	o.answer, o.heard = "", nil
	if err := c.stage(t.Context(), before, one); err != nil || !slices.Equal(o.heard, []string{"file changes ;", `line "a"="1" ;`}) {
		t.Errorf("it heard %q: %v", o.heard, err)
	}
}

// Only what a text as REG_SZ holds in plain letters is sent so.
func TestABatchIsToldTheDataOfAllOtherValuesInHexadecimal(t *testing.T) {
	for _, test := range []struct {
		kind uint32
		text string // of the data, with its NULs
		want string
	}{
		{1, "x_1@y.z+-\x00", `"a"="x_1@y.z+-"`}, {1, "\x00", `"a"=hex(1):00,00`}, {1, "%x\x00", `"a"=hex(1):25,00,78,00,00,00`},
		{1, "x!\x00", `"a"=hex(1):78,00,21,00,00,00`}, {1, "x^\x00", `"a"=hex(1):78,00,5e,00,00,00`}, {1, "\u00e4\x00", `"a"=hex(1):e4,00,00,00`},
		{1, "x", `"a"=hex(1):78,00`}, {1, "x\x00\x00", `"a"=hex(1):78,00,00,00,00,00`}, {2, "x\x00", `"a"=hex(2):78,00,00,00`},
		{4, "\x01\x00", `"a"=hex(4):01,00,00,00`},
	} {
		value := prefs.RegistryValue{Name: "a", Type: test.kind}
		for _, unit := range utf16.Encode([]rune(test.text)) {
			value.Data = append(value.Data, byte(unit), byte(unit>>8))
		}
		before := registryOf(t, "")
		after, err := prefs.NewRegistry(before.Key(), append(before.Values(), value))
		if err != nil {
			t.Fatal(err)
		}
		changes, _, err := registryLines(before, after)
		if err != nil || !slices.Equal(changes, []string{test.want}) {
			t.Errorf("%d %q: %q, %v, want %q", test.kind, test.text, changes, err, test.want)
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
