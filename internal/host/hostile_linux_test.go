package host

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// A host, or an engine, that says what it likes takes bounded memory
// (docs/design/limits.md). These do not run beside others, whose memory would count.

const (
	gigabyte = 1 << 30
	most     = 8 << 20 // bytes
)

// endless are commands that say a gigabyte.
var endless = map[string]struct {
	command string
	want    error // nil: whoever waits gives up
}{
	"a line":                  {"tr '\\0' x </dev/zero | head -c 1073741824", errGreeting},
	"lines":                   {"yes | head -c 1073741824", errGreeting},
	"nothing but NUL":         {"head -c 1073741824 /dev/zero", errGreeting},
	"lines beside its output": {"yes | head -c 268435456 >&2; exec sleep 20", nil},
}

func TestAShellThatTalksWithoutEndIsRefusedInBoundedMemory(t *testing.T) {
	for name, test := range endless {
		for way, begin := range map[string]func(t *testing.T) Host{
			"exec": func(*testing.T) Host { return Exec{Command: []string{"sh", "-c", test.command}} },
			"ssh": func(t *testing.T) Host {
				d := startSSHD(t, "ForceCommand "+test.command)
				return pool(t, d.settings()).Host(d.target(), Become{})
			},
		} {
			t.Run(way+" "+name, func(t *testing.T) {
				h := begin(t)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if test.want == nil {
					defer time.AfterFunc(2*time.Second, cancel).Stop() // enough for most of it
				}
				var err error
				took := simtest.PeakMemory(func() { _, err = h.Shell(ctx, "echo never") })
				if test.want != nil && !errors.Is(err, test.want) || test.want == nil && !errors.Is(err, context.Canceled) {
					t.Errorf("error is %.300v, want %v", err, test.want)
				}
				if test.want != nil && !strings.Contains(err.Error(), "65536 bytes") {
					t.Errorf("the limit is another: %v", err)
				}
				if took > most {
					t.Errorf("it took %d MiB", took>>20)
				}
			})
		}
	}
}

// cmdLike is a program that is called cmd, and speaks as cmd.exe does until it is
// to show the batch.
func cmdLike(t *testing.T, shows string) Exec {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cmd")
	text := `#!/bin/sh
IFS= read -r line
line=${line%?}
printf 'plex-batch-Windows_NT-%s\r\n' "${line##*-}"
while IFS= read -r line; do
  case $line in
    type*) ` + shows + ` ;;
    *) printf 'plex-batch-more\r\n' ;;
  esac
done
`
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	return Exec{Command: []string{path}}
}

func TestACmdThatTalksWithoutEndIsRefusedInBoundedMemory(t *testing.T) {
	for name, test := range map[string]struct{ shows, want string }{
		"a line":               {"tr '\\0' x </dev/zero | head -c 1073741824", "more was said than was sent"},
		"lines":                {"yes | head -c 1073741824", "more was said than was sent"},
		"another batch":        {`printf 'echo something else\r\nplex-batch-more\r\n'`, "did not arrive as it was sent"},
		"what ends in a line":  {"printf 'echo off'; exit", "EOF"},
		"nothing, and it ends": {"exit", "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			h := cmdLike(t, test.shows)
			var err error
			took := simtest.PeakMemory(func() { _, err = h.Batch(t.Context(), strings.Repeat("rem a line\r\n", 1000)) })
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %.300v, want one with %q", err, test.want)
			}
			if took > most {
				t.Errorf("it took %d MiB", took>>20)
			}
		})
	}
}

// An engine behind a shell is what the shell's first line says that it is.
func TestAnEnginesShellThatTalksWithoutEndIsRefusedInBoundedMemory(t *testing.T) {
	bin := t.TempDir()
	on := Exec{Command: []string{"env", "PATH=" + bin + ":" + os.Getenv("PATH"), "sh"}}
	// The shell keeps what a command says until it has ended, so it must end.
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte("#!/bin/sh\ntr '\\0' x </dev/zero | head -c 33554432\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	var err error
	took := simtest.PeakMemory(func() { _, err = dialStdio(t.Context(), on, "unix:///run/docker.sock") })
	if err == nil || !strings.Contains(err.Error(), "no version") {
		t.Errorf("error is %.300v", err)
	}
	if took > most {
		t.Errorf("it took %d MiB", took>>20)
	}
}

// fakeEngine is one that has a container, says what a command in it says, and has
// one file.
type fakeEngine struct {
	said func(net.Conn) // what the command says
	file []byte         // an archive
}

func (f fakeEngine) container(t *testing.T) *Container {
	t.Helper()
	routes := http.NewServeMux()
	routes.HandleFunc("/_ping", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Api-Version", "1.44") })
	says := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, text)
		}
	}
	routes.HandleFunc("/v1.44/containers/plex/json", says(`{"Id":"plex","Name":"/plex","Config":{},"HostConfig":{},"State":{"Status":"running","Running":true}}`))
	routes.HandleFunc("/v1.44/containers/plex/exec", says(`{"Id":"1"}`))
	routes.HandleFunc("/v1.44/exec/1/json", says(`{"ID":"1","Running":false,"ExitCode":0}`))
	routes.HandleFunc("/v1.44/exec/1/start", func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
		taken := make(chan struct{})
		go func() {
			defer close(taken)
			_, _ = io.Copy(io.Discard, conn) // or the end of the connection would be a reset
		}()
		f.said(conn)
		_ = conn.(*net.TCPConn).CloseWrite()
		<-taken
	})
	routes.HandleFunc("/v1.44/containers/plex/archive", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Docker-Container-Path-Stat", base64.StdEncoding.EncodeToString([]byte(`{"name":"f","size":1,"mode":420}`)))
		_, _ = w.Write(f.file)
	})
	listening := httptest.NewServer(routes)
	t.Cleanup(func() { listening.CloseClientConnections(); listening.Close() })
	return NewContainer(Local{}, ContainerTarget{Name: "plex", Engine: "tcp://" + strings.TrimPrefix(listening.URL, "http://")})
}

// frameHead is before each piece of what an engine sends.
func frameHead(which byte, length uint32) []byte {
	return []byte{which, 0, 0, 0, byte(length >> 24), byte(length >> 16), byte(length >> 8), byte(length)}
}

func TestAnEngineThatLiesOrTalksWithoutEndIsRefusedInBoundedMemory(t *testing.T) {
	block := bytes.Repeat([]byte("x"), 1<<15)
	endlessly := func(conn net.Conn, head []byte) {
		for n := 0; n < gigabyte; n += len(block) {
			if _, err := conn.Write(append(bytes.Clone(head), block...)); err != nil {
				return
			}
		}
	}
	for name, test := range map[string]struct {
		said func(net.Conn)
		want string
	}{
		"a frame that is shorter than it says": {func(c net.Conn) { _, _ = c.Write(append(frameHead(1, 0xFFFFFFF0), "little"...)) }, "unexpected EOF"},
		"a head that is cut off":               {func(c net.Conn) { _, _ = c.Write(frameHead(1, 5)[:6]) }, "unexpected EOF"},
		"a frame of 4 GiB":                     {func(c net.Conn) { _, _ = c.Write(frameHead(1, 0xFFFFFFFF)); endlessly(c, nil) }, errGreeting.Error()},
		"frames without end":                   {func(c net.Conn) { endlessly(c, frameHead(1, 1<<15)) }, errGreeting.Error()},
		"frames of nothing":                    {func(c net.Conn) { _, _ = c.Write(bytes.Repeat(frameHead(1, 0), 1<<16)) }, "ended at once"},
		"no frame":                             {func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 500 garbage\r\n\r\n") }, "does not send what a command says"},
		"an error of the engine's":             {func(c net.Conn) { _, _ = c.Write(append(frameHead(3, 4), "full"...)) }, "the engine says: full"},
		"an error without end":                 {func(c net.Conn) { _, _ = c.Write(frameHead(3, 1<<26)); endlessly(c, nil) }, "the engine says: xxx"},
	} {
		t.Run(name, func(t *testing.T) {
			c := fakeEngine{said: test.said}.container(t)
			var err error
			took := simtest.PeakMemory(func() { _, err = c.Shell(t.Context(), "echo never") })
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %.300v, want one with %q", err, test.want)
			}
			if took > most {
				t.Errorf("it took %d MiB", took>>20)
			}
		})
	}
}

func TestAFileOfAContainerIsAsLongAsItSaysAndNotTooLong(t *testing.T) {
	archive := func(size int64, data string) []byte {
		var b bytes.Buffer
		out := tar.NewWriter(&b)
		if err := out.WriteHeader(&tar.Header{Name: "f", Typeflag: tar.TypeReg, Mode: 0o600, Size: size}); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(out, data)
		return b.Bytes()
	}
	for name, test := range map[string]struct {
		file []byte
		want string
	}{
		"longer than is read":    {archive(maxFile+1, "x"), fmt.Sprintf("it has %d bytes", maxFile+1)},
		"shorter than it says":   {archive(1000, "x"), "unexpected EOF"},
		"shorter, and very long": {archive(maxFile, "x"), "unexpected EOF"},
		"no archive":             {[]byte(strings.Repeat("garbage ", 1000)), "invalid tar header"},
		"an archive of no file":  {make([]byte, 1024), "EOF"},
		"a head that is cut off": {archive(10, "x")[:300], "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			c := fakeEngine{file: test.file}.container(t)
			var err error
			took := simtest.PeakMemory(func() { _, err = c.Get(t.Context(), "/f") })
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error is %.300v, want one with %q", err, test.want)
			}
			if took > most {
				t.Errorf("it took %d MiB", took>>20)
			}
		})
	}
}
