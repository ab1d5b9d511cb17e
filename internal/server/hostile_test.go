package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// A host that says what it likes. The memory that it takes is bounded, and so
// is the time (docs/design/limits.md).

// maxMemory is the bound for one look at a hostile host, in bytes: what parsing
// the largest preferences takes.
const maxMemory = 256 << 20

func TestAHostThatNeverStopsTalkingIsRefusedInBoundedMemory(t *testing.T) {
	block := strings.Repeat("x", 1<<15)
	for name, test := range map[string]struct {
		begin string
		piece func(nonce string) string
		most  uint64
	}{
		"a name":                       {"", func(string) string { return block }, 4 << 20},
		"a line":                       {"note\n", func(string) string { return block }, 4 << 20},
		"a document":                   {"preferences\n", func(string) string { return block }, 65 << 20},
		"a document of lines":          {"stopped\n", func(string) string { return strings.Repeat("x\n", 1<<14) }, 65 << 20},
		"records that nobody knows":    {"", func(nonce string) string { return "new\n" + block + "\n" + nonce + "\n" }, 16 << 20},
		"records that are empty":       {"", func(nonce string) string { return strings.Repeat("\n\n"+nonce+"\n", 1<<10) }, 16 << 20},
		"what the server's unit is":    {"", func(nonce string) string { return "unit\n" + block + "\n" + nonce + "\n" }, 16 << 20},
		"preferences again and again":  {"", func(nonce string) string { return "preferences\n<Preferences/>\n" + nonce + "\n" }, 16 << 20},
		"a nonce that never ends":      {"hello\n", func(nonce string) string { return nonce }, 4 << 20},
		"no more than NUL":             {"", func(string) string { return strings.Repeat("\x00", 1<<15) }, 4 << 20},
		"the end of a record, at once": {"", func(nonce string) string { return strings.Repeat(nonce+"\n", 1<<10) }, 16 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			h := &scripted{say: func(nonce string, out io.Writer, closed <-chan struct{}) error {
				says(out, nonce, "hello", "1")
				_, _ = io.WriteString(out, test.begin)
				piece := test.piece(nonce)
				repeats(out, piece, closed)
				return nil
			}}
			var err error
			before := runtime.NumGoroutine()
			took := simtest.PeakMemory(func() { _, err = inspect(t.Context(), t, h) })
			// What still reads would be counted as the next one's.
			simtest.Eventually(t, "the end of the reading", func() bool { return runtime.NumGoroutine() <= before })
			if !errors.Is(err, ErrDisconnected) || !errors.Is(err, errTooMuch) || !strings.Contains(err.Error(), "nas.example.com") {
				t.Errorf("error is %.500v", err)
			}
			if len(err.Error()) > 4096 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			if name == "a name" && !strings.Contains(err.Error(), "more than 4096 bytes") {
				t.Errorf("a part of a name passed for one: %v", err)
			}
			if took > test.most {
				t.Errorf("it took %d MiB, want at most %d", took>>20, test.most>>20)
			}
		})
	}
}

// repeats says a piece again and again, a gigabyte of it, until nobody listens.
func repeats(out io.Writer, piece string, closed <-chan struct{}) {
	for said := 0; said < 1<<30; said += len(piece) {
		select {
		case <-closed:
			return
		default:
			_, _ = io.WriteString(out, piece)
		}
	}
	<-closed
}

// The batch of Windows speaks in the same records, with other ends of lines, and
// sends preferences in base64.
func TestABatchThatNeverStopsTalkingIsRefusedInBoundedMemory(t *testing.T) {
	block := strings.Repeat("x", 1<<15)
	encoded := strings.Repeat(strings.Repeat("QUFB", 16)+"\r\n", 1<<9)
	for name, test := range map[string]struct {
		begin string
		piece func(nonce string) string
		most  uint64
	}{
		"a name":                      {"", func(string) string { return block }, 4 << 20},
		"a line":                      {"note\r\n", func(string) string { return block }, 4 << 20},
		"a document":                  {"preferences\r\n-----BEGIN CERTIFICATE-----\r\n", func(string) string { return encoded }, 65 << 20},
		"lines that end as elsewhere": {"state\r\n", func(nonce string) string { return "running\n" + nonce + "\n" }, 4 << 20},
		"records that nobody knows":   {"", func(nonce string) string { return "new\r\n" + block + "\r\n" + nonce + "\r\n" }, 16 << 20},
		"documents again and again": {"", func(nonce string) string {
			return "preferences\r\n-----BEGIN CERTIFICATE-----\r\nQUFB\r\n-----END CERTIFICATE-----\r\n" + nonce + "\r\n"
		}, 16 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			h := &scripted{say: func(nonce string, out io.Writer, closed <-chan struct{}) error {
				_, _ = io.WriteString(out, test.begin)
				piece := test.piece(nonce)
				piece = strings.Repeat(piece, 1+1<<13/len(piece))
				repeats(out, piece, closed)
				return nil
			}}
			s, err := New(h, Options{Platform: PlatformWindows})
			if err != nil {
				t.Fatal(err)
			}
			took := simtest.PeakMemory(func() { _, err = s.Inspect(t.Context()) })
			if !errors.Is(err, ErrDisconnected) || !errors.Is(err, errTooMuch) {
				t.Errorf("error is %.500v", err)
			}
			if took > test.most {
				t.Errorf("it took %d MiB, want at most %d", took>>20, test.most>>20)
			}
		})
	}
}

func TestWhatABatchSendsInBase64IsWholeOrRefused(t *testing.T) {
	pemOf := func(text string) string {
		return "-----BEGIN CERTIFICATE-----\r\n" + text + "\r\n-----END CERTIFICATE-----\r\n"
	}
	for name, sent := range map[string]string{
		"nothing":       "",
		"garbage":       "\x00\xff garbage",
		"no end":        "-----BEGIN CERTIFICATE-----\r\nQUFB\r\n",
		"not base64":    pemOf("****"),
		"cut off":       pemOf("QUFBQ"),
		"no registry":   pemOf("QUFB"),
		"two documents": pemOf("QUFB") + pemOf("QUFB"),
	} {
		t.Run(name, func(t *testing.T) {
			h := &scripted{say: func(nonce string, out io.Writer, closed <-chan struct{}) error {
				for range readings {
					for _, r := range [][2]string{{"state", "stopped"}, {"preferences", sent}, {"ready", ""}} {
						_, _ = fmt.Fprintf(out, "%s\r\n%s\r\n%s\r\n", r[0], r[1], nonce)
					}
				}
				<-closed
				return nil
			}}
			synctest.Test(t, func(t *testing.T) { // between readings time passes
				s, err := New(h, Options{Platform: PlatformWindows})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				if _, err := s.Inspect(ctx); !errors.Is(err, ErrBadPreferences) {
					t.Errorf("error is %.500v", err)
				}
			})
		})
	}
}

func TestTheLargestPreferencesAreReadInBoundedMemory(t *testing.T) {
	for name, document := range map[string]string{
		"240,000 attributes": manyAttributes(240_000, 50),
		"100,000 attributes": manyAttributes(100_000, 140),
		"one value":          `<Preferences a="` + strings.Repeat("x", prefs.MaxSize-40) + `"/>`,
		"nothing but depth":  strings.Repeat("<Preferences>", prefs.MaxSize/13),
		"entities":           `<!DOCTYPE p [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><Preferences a="` + strings.Repeat("&b;", 1<<20) + `"/>`,
		"control characters": "<Preferences a=\"" + strings.Repeat("\x01", 1<<20) + `"/>`,
	} {
		t.Run(name, func(t *testing.T) {
			h := &scripted{say: func(nonce string, out io.Writer, closed <-chan struct{}) error {
				says(out, nonce, "hello", "1")
				says(out, nonce, "state", "stopped")
				says(out, nonce, "preferences", document)
				says(out, nonce, "ready", "")
				<-closed
				return nil
			}}
			var err error
			took := simtest.PeakMemory(func() { _, err = inspect(t.Context(), t, h) })
			if !errors.Is(err, ErrBadPreferences) {
				t.Errorf("error is %.500v", err)
			}
			if err != nil && len(err.Error()) > 4096 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			if took > maxMemory {
				t.Errorf("it took %d MiB, want at most %d", took>>20, maxMemory>>20)
			}
			t.Logf("%d MiB of preferences: %d MiB", len(document)>>20, took>>20)
		})
	}
}

// manyAttributes has no machine identifier, so that it is refused in the end.
func manyAttributes(count, value int) string {
	var b strings.Builder
	b.WriteString("<Preferences")
	for i := range count {
		fmt.Fprintf(&b, ` n%06d="%s"`, i, strings.Repeat("v", value))
	}
	return b.String() + "/>"
}

func TestWhatAHostSaysByTheWayIsCutForThePersonWhoReadsIt(t *testing.T) {
	e := &edit{}
	for range 100 {
		e.report.warn([]byte(strings.Repeat("\xff", 1<<16)))
	}
	if n := len(strings.Join(e.report.Warnings, "")); len(e.report.Warnings) != 20 || n > 20*3000 {
		t.Errorf("%d warnings of %d bytes", len(e.report.Warnings), n)
	}
}
