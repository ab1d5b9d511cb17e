package plexsim_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// forever is a delay that no test waits for.
const forever = plexsim.Duration(time.Hour)

// moment is a delay that a test does wait for.
const moment = plexsim.Duration(20 * time.Millisecond)

// den is an in-process server with preferences of its own.
type den struct {
	*plexsim.Server
	t      *testing.T
	config plexsim.Config
	id     simtest.Identity
}

// newDen makes a server that does not run yet, unclaimed unless a token is given.
func newDen(t *testing.T, token string, configure ...func(*plexsim.Config)) *den {
	t.Helper()
	d := &den{t: t, id: simtest.NewIdentity()}
	d.config = plexsim.Config{SupportDir: t.TempDir(), Addr: "127.0.0.1:0", PlexTVURL: "http://127.0.0.1:1", Events: "events"}
	for _, change := range configure {
		change(&d.config)
	}
	must(t, os.MkdirAll(d.config.DataDir(), 0o755))
	d.writeFile(simtest.Preferences(d.id, simtest.Owner, token))
	d.Server = plexsim.NewServer(d.config)
	t.Cleanup(d.Kill)
	return d
}

// at makes a server talk to a plex.tv.
func at(tv *simtest.PlexTV) func(*plexsim.Config) {
	return func(c *plexsim.Config) { c.PlexTVURL = tv.URL }
}

func (d *den) start() {
	d.t.Helper()
	must(d.t, d.startError())
}

func (d *den) startError() error {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 20*time.Second)
	defer cancel()
	return d.Start(ctx)
}

func (d *den) startWithoutPort() {
	d.t.Helper()
	if err := d.startError(); !errors.Is(err, plexsim.ErrNoPort) {
		d.t.Fatalf("start: got %v, want a server that is alive without a port", err)
	}
}

func (d *den) file() string {
	d.t.Helper()
	data, err := os.ReadFile(d.config.PreferencesPath())
	must(d.t, err)
	return string(data)
}

func (d *den) writeFile(content []byte) {
	d.t.Helper()
	must(d.t, os.WriteFile(d.config.PreferencesPath(), content, 0o600))
}

// attributes are the names and values of the file in their order.
func (d *den) attributes() []xml.Attr {
	d.t.Helper()
	var document struct {
		Attributes []xml.Attr `xml:",any,attr"`
	}
	must(d.t, xml.Unmarshal([]byte(d.file()), &document))
	return document.Attributes
}

// attribute is one value, and whether the attribute is there.
func (d *den) attribute(name string) (string, bool) {
	d.t.Helper()
	for _, a := range d.attributes() {
		if a.Name.Local == name {
			return a.Value, true
		}
	}
	return "", false
}

func (d *den) wantAttribute(name, want string) {
	d.t.Helper()
	if got, there := d.attribute(name); got != want || there != (want != "") {
		d.t.Errorf("attribute %s: got %q (there: %v), want %q", name, got, there, want)
	}
}

func (d *den) events(kind string) int {
	d.t.Helper()
	events, err := plexsim.ReadEvents(d.config.EventsPath())
	must(d.t, err)
	return plexsim.Count(events, kind)
}

func (d *den) waitEvent(kind string) {
	d.t.Helper()
	simtest.Eventually(d.t, "event "+kind, func() bool { return d.events(kind) > 0 })
}

// between is the time from the first event of one kind to the first of another.
func (d *den) between(from, to string) time.Duration {
	d.t.Helper()
	events, err := plexsim.ReadEvents(d.config.EventsPath())
	must(d.t, err)
	first := func(kind string) time.Time {
		for _, event := range events {
			if event.Event == kind {
				return event.Time
			}
		}
		d.t.Fatalf("no event %q in %v", kind, events)
		return time.Time{}
	}
	return first(to).Sub(first(from))
}

func (d *den) log() string {
	d.t.Helper()
	data, err := os.ReadFile(filepath.Join(d.config.DataDir(), "Logs", "Plex Media Server.log"))
	if !errors.Is(err, fs.ErrNotExist) {
		must(d.t, err)
	}
	return string(data)
}

func (d *den) hasPIDFile() bool {
	_, err := os.Lstat(d.config.PIDPath())
	return err == nil
}

func (d *den) removePIDFile() {
	d.t.Helper()
	must(d.t, os.Remove(d.config.PIDPath()))
}

func (d *den) alive() bool {
	select {
	case <-d.Done():
		return false
	default:
		return true
	}
}

// reply is what came back from a request.
type reply struct {
	status int
	header http.Header
	body   string
}

// call sends a request; headers are "Name: value".
func call(t *testing.T, method, url string, headers ...string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	must(t, err)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	return do(t, request)
}

// send sends a request with a body.
func send(t *testing.T, method, url, body string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	must(t, err)
	return do(t, request)
}

func do(t *testing.T, request *http.Request) reply {
	t.Helper()
	response, err := client.Do(request)
	must(t, err)
	body, err := io.ReadAll(response.Body)
	must(t, errors.Join(err, response.Body.Close()))
	return reply{response.StatusCode, response.Header, string(body)}
}

// client keeps no connections, so that none is found dead after a restart.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func (r reply) want(t *testing.T, status int, parts ...string) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status: got %d, want %d; body: %s", r.status, status, r.body)
	}
	for _, part := range parts {
		if !strings.Contains(r.body, part) {
			t.Errorf("body lacks %q: %s", part, r.body)
		}
	}
}

func portIsClosed(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return true
	}
	_ = conn.Close()
	return false
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
