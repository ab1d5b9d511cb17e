package bench_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"

	"github.com/homelab-iac/terraform-provider-plex/test/figures"
)

const pollInterval = 2 * time.Millisecond

// TestDowntime compares an unbind with a bare stop-and-start.
func TestDowntime(t *testing.T) {
	wanted(t)
	fmt.Printf("\n## Downtime\n\nLast good answer to first good answer of `GET /identity`, polled every %v. Load average before: %s.\n\n", pollInterval, figures.Load())
	fmt.Print("| | median | p10 | p90 | n |\n|---|---|---|---|---|\n")
	compare(t, "at once", *fastRounds, func(*plexsim.Config) {}, 0)
	if os.Getuid() == 0 {
		compare(t, "at once, by root in the directory of another user", *fastRounds, func(*plexsim.Config) {}, 12345)
	}
	compare(t, "2 s to stop, 3 s to start", *slowRounds, func(c *plexsim.Config) {
		c.StopDelay, c.StartDelay = plexsim.Duration(2*time.Second), plexsim.Duration(3*time.Second)
	}, 0)
	fmt.Printf("\nLoad average after: %s.\n", figures.Load())
}

// compare measures on a server whose directories belong to owner, if that is not 0.
func compare(t *testing.T, name string, rounds int, configure func(*plexsim.Config), owner int) {
	t.Helper()
	s := newSubject(t, configure)
	if owner != 0 {
		s.give(t, owner)
	}
	if rounds <= 0 {
		return
	}
	var edits, bares, overheads, ratios sample
	for round := range rounds {
		proceed(t)
		var edit, bare time.Duration
		// Each comes first in every other round.
		if round%2 == 0 {
			edit, bare = s.measure(t, s.unbind), s.measure(t, s.restart)
		} else {
			bare, edit = s.measure(t, s.restart), s.measure(t, s.unbind)
		}
		edits, bares = append(edits, milliseconds(edit)), append(bares, milliseconds(bare))
		overheads = append(overheads, milliseconds(edit-bare))
		ratios = append(ratios, float64(edit)/float64(bare))
	}
	fmt.Printf("| %s: unbind, ms | %s |\n", name, edits.cells("%.1f"))
	fmt.Printf("| %s: bare stop and start, ms | %s |\n", name, bares.cells("%.1f"))
	fmt.Printf("| %s: overhead of each pair, ms | %s |\n", name, overheads.cells("%.1f"))
	fmt.Printf("| %s: ratio of each pair | %s |\n", name, ratios.cells("%.4f"))
	fmt.Printf("| **%s: medians** | **%+.1f ms** | **×%.4f** | | |\n", name,
		edits.median()-bares.median(), edits.median()/bares.median())
}

// subject is a server that is bound before each measurement.
type subject struct {
	*simtest.ServerProcess
	server *server.Server
	bound  []byte // its preferences
}

func newSubject(t *testing.T, configure func(*plexsim.Config)) *subject {
	t.Helper()
	s := &subject{ServerProcess: simtest.NewServer(t, simtest.Options{
		PlexTV: simtest.NewPlexTV(t), Account: &simtest.Owner, Configure: configure,
	})}
	s.bound = s.Preferences()
	var err error
	s.server, err = server.New(host.Local{}, server.Options{
		PreferencesPath: s.PreferencesPath(), URL: s.URL(), Commands: server.Commands(s.Commands()),
	})
	must(t, err)
	s.Start()
	return s
}

// give makes owner the owner of all that is the server's.
func (s *subject) give(t *testing.T, owner int) {
	t.Helper()
	for dir := filepath.Dir(s.SupportDir()); dir != filepath.Dir(os.TempDir()) && dir != os.TempDir(); dir = filepath.Dir(dir) {
		must(t, os.Chmod(dir, 0o755))
	}
	must(t, filepath.WalkDir(s.SupportDir(), func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, owner, owner)
	}))
}

// unbind is the edit that is measured.
func (s *subject) unbind(ctx context.Context) error {
	report, err := s.server.Edit(ctx, func(d prefs.Document) error { return d.Delete(prefs.BindingKeys()...) })
	if err == nil && (!report.Restarted || len(report.Warnings) > 0) {
		err = fmt.Errorf("restarted %t, warnings %q", report.Restarted, report.Warnings)
	}
	return err
}

// restart is what it is compared with. Not even Ctrl-C ends it half-way.
func (s *subject) restart(context.Context) error {
	c := s.Commands()
	cmd := exec.Command("/bin/sh", "-c", c.Stop+"; "+c.Start)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// bind gives the server its account back, without waiting for a clean stop.
func (s *subject) bind(t *testing.T) {
	t.Helper()
	if bytes.Contains(s.Preferences(), []byte(` PlexOnlineToken="`)) {
		return
	}
	s.Kill()
	_ = os.Remove(filepath.Join(s.DataDir(), "plexmediaserver.pid"))
	s.WritePreferences(s.bound)
	s.Start()
}

// measure is the downtime of one way to restart the server.
func (s *subject) measure(t *testing.T, restart func(context.Context) error) time.Duration {
	t.Helper()
	s.bind(t)
	s.WaitReady()
	ctx, cancel := context.WithTimeout(interrupted, time.Minute)
	defer cancel()
	gaps := make(chan time.Duration, 1)
	steady := make(chan struct{})
	go func() { gaps <- poll(ctx, s.URL(), steady) }()
	<-steady
	err := restart(ctx)
	if err != nil {
		cancel()
	}
	gap := <-gaps
	must(t, err)
	must(t, ctx.Err())
	return gap
}

// poll is the time from the last good answer to the first one after the server
// was away. steady is closed when it has answered for a while.
func poll(ctx context.Context, url string, steady chan struct{}) time.Duration {
	client := http.Client{
		Timeout: 250 * time.Millisecond,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext:       dialOnce,
		},
	}
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	last := time.Now()
	away := false
	for good := 0; ctx.Err() == nil; <-tick.C {
		if !answers(ctx, client, url+"/identity") {
			away = true
			continue
		}
		now := time.Now()
		if away && good >= 25 {
			return now.Sub(last)
		}
		last = now
		if good++; good == 25 {
			away = false
			close(steady)
		}
	}
	if last := ctx.Err(); last != nil {
		select {
		case <-steady:
		default:
			close(steady)
		}
	}
	return 0
}

// dialOnce connects to be reset at the end: the thousands of connections that
// polling leaves in TIME_WAIT would make the tables of the kernel, which an edit
// reads, longer than they are on any host.
func dialOnce(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if tcp, ok := conn.(*net.TCPConn); ok && err == nil {
		err = tcp.SetLinger(0)
	}
	return conn, err
}

func answers(ctx context.Context, client http.Client, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	response, err := client.Do(request)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, response.Body)
	return response.Body.Close() == nil && err == nil && response.StatusCode == http.StatusOK
}
