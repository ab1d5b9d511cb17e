package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/pms"
)

// askers are the programs that carry requests, and whether they keep the URL to
// themselves.
var askers = []struct {
	name, program string
	arguments     []string
	claims        bool
}{
	{"curl", "curl", nil, true},
	{"GNU wget", "wget", nil, true},
	{"BusyBox wget", "busybox", []string{"wget"}, false},
}

// only is a relay on a host whose PATH has the shell's own tools and one asker.
func only(t *testing.T, name, program string, arguments ...string) relay {
	t.Helper()
	bin := t.TempDir()
	for _, tool := range []string{"sh", "sed", "tail", "grep", "env", "sleep", "head"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(path, filepath.Join(bin, tool)); err != nil {
			t.Fatal(err)
		}
	}
	if program != "" {
		path, err := exec.LookPath(program)
		if err != nil {
			t.Skipf("NOT RUN: %s is not installed", program)
		}
		wrapper := fmt.Sprintf("#!/bin/sh\necho \"$@\" >>%s/arguments\nexec %s %s \"$@\"\n", bin, path, strings.Join(arguments, " "))
		if err := os.WriteFile(filepath.Join(bin, name), []byte(wrapper), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return relay{host: pathHost{host.Local{}, bin}}
}

// pathHost sets the PATH of every script.
type pathHost struct {
	host.Host
	path string
}

func (h pathHost) Shell(ctx context.Context, script string) (host.Shell, error) {
	return h.Host.Shell(ctx, "PATH="+host.Quote(h.path)+"\n"+script)
}

func (h pathHost) arguments(t *testing.T) string {
	t.Helper()
	said, err := os.ReadFile(filepath.Join(h.path, "arguments"))
	if err != nil {
		t.Fatal(err)
	}
	return string(said)
}

func program(name string) string { return name[strings.LastIndexByte(name, ' ')+1:] }

// asked serves one answer, and remembers who asked.
func asked(t *testing.T, status int, body string) (url string, requests func() []string) {
	t.Helper()
	var mu sync.Mutex
	var seen []string
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = append(seen, r.Method+" "+r.URL.String())
		mu.Unlock()
		w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(listening.Close)
	return listening.URL, func() []string { mu.Lock(); defer mu.Unlock(); return slices.Clone(seen) }
}

func carry(t *testing.T, r relay, method, url string) (int, string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := r.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body), nil
}

func TestTheHostsOwnProgramsCarryRequests(t *testing.T) {
	const document = "<?xml version=\"1.0\"?>\n<MediaContainer claimed=\"0\"\n  HTTP/1.1 999 x: y='status 1'/>\n\n"
	for _, asker := range askers {
		t.Run(asker.name, func(t *testing.T) {
			r := only(t, program(asker.name), asker.program, asker.arguments...)
			url, requests := asked(t, http.StatusOK, document)
			status, body, err := carry(t, r, http.MethodGet, url+"/identity")
			if err != nil || status != http.StatusOK || body != document {
				t.Errorf("%d %q, %v", status, body, err)
			}
			if got := requests(); !slices.Equal(got, []string{"GET /identity"}) {
				t.Errorf("asked %q", got)
			}
			for _, status := range []int{401, 403, 404, 500, 503, 302} {
				url, _ := asked(t, status, "no")
				got, _, err := carry(t, r, http.MethodGet, url)
				if err != nil || got != status {
					t.Errorf("%d: %d, %v", status, got, err)
				}
			}
		})
	}
}

func TestAClaimTokenIsNotAnArgumentOfTheProgramThatCarriesIt(t *testing.T) {
	for _, asker := range askers {
		t.Run(asker.name, func(t *testing.T) {
			r := only(t, program(asker.name), asker.program, asker.arguments...)
			url, requests := asked(t, http.StatusOK, "done")
			status, _, err := carry(t, r, http.MethodPost, url+"/myplex/claim?token=claim-planted")
			if !asker.claims {
				if !errors.Is(err, pms.ErrNoRoute) || len(requests()) != 0 {
					t.Errorf("%d, %v", status, err)
				}
				return
			}
			if err != nil || status != http.StatusOK || !slices.Equal(requests(), []string{"POST /myplex/claim?token=claim-planted"}) {
				t.Errorf("%d, %v, asked %q", status, err, requests())
			}
			if said := r.host.(pathHost).arguments(t); strings.Contains(said, "planted") {
				t.Errorf("arguments: %s", said)
			}
		})
	}
}

// Rule 9: who carries a claim token leaves no core dump.
func TestARelayDumpsNoCore(t *testing.T) {
	url, _ := asked(t, http.StatusOK, "")
	for _, way := range askers {
		t.Run(way.name, func(t *testing.T) {
			r := only(t, program(way.name), way.program, way.arguments...)
			bin := r.host.(pathHost).path
			wrapper := filepath.Join(bin, program(way.name))
			text, err := os.ReadFile(wrapper)
			if err != nil {
				t.Fatal(err)
			}
			said := filepath.Join(t.TempDir(), "limit")
			limited := strings.Replace(string(text), "\n", "\nulimit -S -c >"+said+"\n", 1)
			if err := os.WriteFile(wrapper, []byte(limited), 0o700); err != nil {
				t.Fatal(err)
			}
			r.host = host.Local{Interpreter: []string{"sh", "-c", `ulimit -S -c 1000 || exit; exec "$@"`, "sh", "sh"}}
			r.host = pathHost{r.host, bin}
			if _, _, err := carry(t, r, http.MethodGet, url); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(said); err != nil || strings.TrimSpace(string(got)) != "0" {
				t.Errorf("%s may dump core: its limit is %q, %v", way.name, got, err)
			}
		})
	}
}

// An answer is not cut short and used, whatever stands where it is cut.
func TestAnAnswerThatIsTooLongForTheRelayIsNone(t *testing.T) {
	for _, way := range askers {
		t.Run(way.name, func(t *testing.T) {
			r := only(t, program(way.name), way.program, way.arguments...)
			for length, want := range map[int]error{2<<20 - 1000: nil, 2<<20 + 1000: errRelay} {
				url, _ := asked(t, http.StatusOK, "xxx\n"+strings.Repeat("status 200\n", length/11)) // where it is cut there is a line like the last
				if _, body, err := carry(t, r, http.MethodGet, url); !errors.Is(err, want) {
					t.Errorf("of %d bytes %d were used: %v", length, len(body), err)
				}
			}
		})
	}
}

func TestARelayTellsARefusedConnectionFromABrokenOne(t *testing.T) {
	for _, asker := range askers {
		t.Run(asker.name, func(t *testing.T) {
			r := only(t, program(asker.name), asker.program, asker.arguments...)
			listening := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
			_, _, err := carry(t, r, http.MethodGet, listening.URL)
			if err == nil || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, pms.ErrNoRoute) {
				t.Errorf("a connection that breaks: %v", err)
			}
			listening.Close()
			if _, _, err := carry(t, r, http.MethodGet, listening.URL); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("nobody listens: %v", err)
			}
		})
	}
}

func TestAHostWithoutCurlAndWgetIsNoRoute(t *testing.T) {
	r := only(t, "", "")
	if _, _, err := carry(t, r, http.MethodGet, "http://127.0.0.1:1/identity"); !errors.Is(err, pms.ErrNoRoute) {
		t.Errorf("%v", err)
	}
}
