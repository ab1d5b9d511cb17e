package server

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Lines of /proc/net/tcp and /proc/net/tcp6, as a kernel on x86-64 prints them.
const (
	tcpHead     = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
	tcp6Head    = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
	loopback    = "   0: 0100007F:7E90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   997        0 31337 1 0000000000000000 100 0 0 10 0"
	loopback2   = "   1: 0200007F:7E90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   997        0 31338 1 0000000000000000 100 0 0 10 0"
	any4Line    = "  12: 00000000:7E90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   997        0 31339 1 0000000000000000 100 0 0 10 0"
	lanLine     = "  13: 0A0200C0:7E90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   997        0 31340 1 0000000000000000 100 0 0 10 0"
	nextPort    = "   2: 0100007F:7E91 00000000:0000 0A 00000000:00000000 00:00000000 00000000   997        0 31341 1 0000000000000000 100 0 0 10 0"
	established = "   3: 0100007F:7E90 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000   997        0 31342 1 0000000000000000 20 4 30 10 -1"
	timeWait    = "   4: 0100007F:7E90 0100007F:D2F2 06 00000000:00000000 03:00000F6C 00000000     0        0 0 3 0000000000000000"
	client      = "   5: 0100007F:D2F0 0100007F:7E90 01 00000000:00000000 00:00000000 00000000   997        0 31343 1 0000000000000000 20 4 30 10 -1"
	any6Line    = "   0: 00000000000000000000000000000000:7E90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000   997        0 31344 1 0000000000000000 100 0 0 10 0"
	loopback6   = "   1: 00000000000000000000000001000000:7E90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000   997        0 31345 1 0000000000000000 100 0 0 10 0"
	mapped4     = "   2: 0000000000000000FFFF00000100007F:7E90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000   997        0 31346 1 0000000000000000 100 0 0 10 0"
	mappedOther = "   3: 0000000000000000FFFF00000200007F:7E90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000   997        0 31347 1 0000000000000000 100 0 0 10 0"
	mappedAny   = "   4: 0000000000000000FFFF000000000000:7E90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000   997        0 31348 1 0000000000000000 100 0 0 10 0"
	lan6        = "   5: B80D0120000000000000000001000000:7E90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000   997        0 31349 1 0000000000000000 100 0 0 10 0"
)

var procLines = map[string]string{
	"header": tcpHead, "header of tcp6": tcp6Head, "127.0.0.1": loopback, "127.0.0.2": loopback2, "0.0.0.0": any4Line,
	"192.0.2.10": lanLine, "next port": nextPort, "established": established, "time-wait": timeWait, "client": client,
	"::": any6Line, "::1": loopback6, "mapped 127.0.0.1": mapped4, "mapped 127.0.0.2": mappedOther,
	"mapped 0.0.0.0": mappedAny, "2001:db8::1": lan6,
}

func TestListenPatternMatchesSocketsThatListenWhereTheURLPoints(t *testing.T) {
	everywhere := []string{"0.0.0.0", "::", "mapped 0.0.0.0"}
	for _, test := range []struct {
		url  string
		also []string // beside those that listen on all addresses
	}{
		{"http://127.0.0.1:32400", []string{"127.0.0.1", "mapped 127.0.0.1"}},
		{"http://127.0.0.1:32400/", []string{"127.0.0.1", "mapped 127.0.0.1"}},
		{"https://127.0.0.1:32400", []string{"127.0.0.1", "mapped 127.0.0.1"}},
		{"http://127.0.0.2:32400", []string{"127.0.0.2", "mapped 127.0.0.2"}},
		{"http://192.0.2.10:32400", []string{"192.0.2.10"}},
		{"http://[::1]:32400", []string{"::1"}},
		{"http://[2001:db8::1]:32400", []string{"2001:db8::1"}},
		{"http://[::ffff:127.0.0.1]:32400", []string{"127.0.0.1", "mapped 127.0.0.1"}},
		{"http://localhost:32400", []string{"127.0.0.1", "mapped 127.0.0.1", "::1"}},
		{"http://plex.example.com:32400", []string{"127.0.0.1", "127.0.0.2", "192.0.2.10", "::1", "mapped 127.0.0.1", "mapped 127.0.0.2", "2001:db8::1"}},
	} {
		want := map[string]bool{}
		for _, name := range append(test.also, everywhere...) {
			want[name] = true
		}
		pattern := regexp.MustCompilePOSIX(listenPattern(test.url))
		for name, line := range procLines {
			if got := pattern.MatchString(line); got != want[name] {
				t.Errorf("%s: the line of %s matches: %v, want %v", test.url, name, got, want[name])
			}
		}
	}
}

func TestListenPatternTakesThePortFromTheScheme(t *testing.T) {
	for url, port := range map[string]string{"http://127.0.0.1": "0050", "https://127.0.0.1": "01BB", "http://127.0.0.1:1": "0001"} {
		line := strings.Replace(loopback, ":7E90", ":"+port, 1)
		pattern := regexp.MustCompilePOSIX(listenPattern(url))
		if !pattern.MatchString(line) || pattern.MatchString(loopback) {
			t.Errorf("%s: %s", url, pattern)
		}
	}
}

func TestListenPatternOfNoURLMatchesNoSocket(t *testing.T) {
	for _, url := range []string{"http://[::1", "http://127.0.0.1:99999", "unix:///run/plex", "http://127.0.0.1:http"} {
		pattern := regexp.MustCompilePOSIX(listenPattern(url))
		for name, line := range procLines {
			if pattern.MatchString(line) {
				t.Errorf("%s: the line of %s matches", url, name)
			}
		}
	}
}

func TestListenPatternFindsARealListenerUntilItCloses(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("NOT RUN: there is no /proc/net/tcp")
	}
	for _, address := range []string{"127.0.0.1:0", "127.0.0.9:0", "0.0.0.0:0", "[::]:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			l, err := net.Listen("tcp", address)
			if err != nil {
				t.Skipf("NOT RUN: %v", err)
			}
			defer func() { _ = l.Close() }()
			asked, _, err := net.SplitHostPort(address)
			if err != nil {
				t.Fatal(err)
			}
			if asked == "0.0.0.0" || asked == "::" {
				asked = "127.0.0.1" // who listens everywhere listens here
			}
			_, port, err := net.SplitHostPort(l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			at := func(host string) *regexp.Regexp {
				return regexp.MustCompilePOSIX(listenPattern(fmt.Sprintf("http://%s", net.JoinHostPort(host, port))))
			}
			if !at(asked).MatchString(sockets(t)) {
				t.Errorf("%s is not found in\n%s", at(asked), sockets(t))
			}
			if strings.HasPrefix(address, "127.") && at("127.0.0.77").MatchString(sockets(t)) {
				t.Error("a listener on another address is taken for it")
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			if at(asked).MatchString(sockets(t)) {
				t.Error("it is still found when it has closed")
			}
		})
	}
}

func sockets(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, path := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, err := os.ReadFile(path)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		all.Write(data)
	}
	return all.String()
}

func TestListenPatternOfFreeBSDMatchesSocketsThatListenWhereTheURLPoints(t *testing.T) {
	line := func(proto, local string) string {
		return fmt.Sprintf("plex     Plex_Media 4242  20  %-6s %-21s *:*", proto, local)
	}
	lines := map[string]string{
		"loopback": line("tcp4", "127.0.0.1:32400"), "loopback2": line("tcp4", "127.0.0.2:32400"), "any": line("tcp46", "*:32400"),
		"next": line("tcp4", "127.0.0.1:32401"), "longer": line("tcp4", "127.0.0.1:324000"), "udp": line("udp4", "*:32400"),
		"loopback6": line("tcp6", "::1:32400"), "dots": line("tcp4", "127x0y0z1:32400"),
	}
	for url, want := range map[string]string{
		"http://127.0.0.1:32400": "loopback any", "http://127.0.0.2:32400": "loopback2 any",
		"http://localhost:32400": "loopback any loopback6", "http://[::1]:32400": "any loopback6", "http://[::1": "",
	} {
		pattern := regexp.MustCompilePOSIX(listenPatternBSD(url))
		for name, line := range lines {
			if got := pattern.MatchString(line); got != slices.Contains(strings.Fields(want), name) {
				t.Errorf("%s: the line of %s matches: %v", url, name, got)
			}
		}
	}
}

func TestListenPatternOfMacOSMatchesSocketsThatListenWhereTheURLPoints(t *testing.T) {
	line := func(proto, local, state string) string {
		return fmt.Sprintf("%-5s      0      0  %-22s %-22s %-11s", proto, local, "*.*", state)
	}
	lines := map[string]string{
		"loopback": line("tcp4", "127.0.0.1.32400", "LISTEN"), "loopback2": line("tcp4", "127.0.0.2.32400", "LISTEN"), "any": line("tcp46", "*.32400", "LISTEN"),
		"next": line("tcp4", "127.0.0.1.32401", "LISTEN"), "longer": line("tcp4", "127.0.0.1.324000", "LISTEN"), "connected": line("tcp4", "127.0.0.1.32400", "ESTABLISHED"),
		"loopback6": line("tcp6", "::1.32400", "LISTEN"), "dots": line("tcp4", "127x0y0z1.32400", "LISTEN"),
	}
	for url, want := range map[string]string{
		"http://127.0.0.1:32400": "loopback any", "http://127.0.0.2:32400": "loopback2 any",
		"http://localhost:32400": "loopback any loopback6", "http://[::1]:32400": "any loopback6", "http://[::1": "",
	} {
		pattern := regexp.MustCompilePOSIX(listenPatternMac(url))
		for name, line := range lines {
			if got := pattern.MatchString(line); got != slices.Contains(strings.Fields(want), name) {
				t.Errorf("%s: the line of %s matches: %v", url, name, got)
			}
		}
	}
}
