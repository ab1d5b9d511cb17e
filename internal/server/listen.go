package server

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// portOf is the host name and the port of rawURL, the port 0 where there is none. pms.New has refused a URL without one already.
func portOf(rawURL string) (name string, number uint64) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return "", 0
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	number, err = strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", 0
	}
	return u.Hostname(), number
}

// listenPattern is an extended regular expression that matches the lines of
// /proc/net/tcp and tcp6 for a socket that listens where rawURL points: on that
// very address or on all addresses. Another server's socket on another address
// with the same port does not match.
func listenPattern(rawURL string) string {
	name, number := portOf(rawURL)
	if number == 0 {
		return "^$"
	}
	return fmt.Sprintf(": (%s):%04X [0-9A-F]+:0000 0A ", strings.Join(listenAddresses(name), "|"), number)
}

// listenAddresses are the forms in which the kernel prints the addresses that a
// listener for name can have: 32-bit words in the byte order of the machine,
// which is little-endian wherever Plex runs.
func listenAddresses(name string) []string {
	const any4, any6, mapped = "00000000", "00000000000000000000000000000000", "0000000000000000FFFF0000"
	addresses := []string{any4, any6, mapped + any4}
	var wanted []netip.Addr
	if name == "localhost" {
		wanted = []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()}
	} else if a, err := netip.ParseAddr(name); err == nil {
		wanted = []netip.Addr{a.Unmap().WithZone("")}
	} else {
		return []string{"[0-9A-F]+"} // a name that only the host can resolve
	}
	for _, a := range wanted {
		words := kernelWords(a)
		addresses = append(addresses, words)
		if a.Is4() {
			addresses = append(addresses, mapped+words)
		}
	}
	return addresses
}

func kernelWords(a netip.Addr) string {
	var b strings.Builder
	for word := range slices.Chunk(a.AsSlice(), 4) {
		slices.Reverse(word)
		fmt.Fprintf(&b, "%X", word)
	}
	return b.String()
}

// listenPatternBSD is the same for the lines of FreeBSD's sockstat -46l:
//
//	plex Plex_Media 1234 20 tcp46 *:32400 *:*
func listenPatternBSD(rawURL string) string {
	return listenPatternOf(rawURL, "[ \t]tcp[46]*[ \t]+(%s):%d[ \t]")
}

// listenPatternMac is the same for the lines of macOS's netstat -an -p tcp:
//
//	tcp46 0 0 *.32400 *.* LISTEN
func listenPatternMac(rawURL string) string {
	return listenPatternOf(rawURL, "^tcp[46]*[ \t]+[0-9]+[ \t]+[0-9]+[ \t]+(%s)[.]%d[ \t].*LISTEN")
}

// listenPatternOf puts what may listen and the port into a pattern for one tool's
// lines.
func listenPatternOf(rawURL, pattern string) string {
	name, number := portOf(rawURL)
	if number == 0 {
		return "^$"
	}
	addresses := []string{`\*`}
	switch a, err := netip.ParseAddr(name); {
	case name == "localhost":
		addresses = append(addresses, regexp.QuoteMeta("127.0.0.1"), "::1")
	case err == nil:
		addresses = append(addresses, regexp.QuoteMeta(a.Unmap().WithZone("").String()))
	default:
		addresses = []string{"[^ ]+"}
	}
	return fmt.Sprintf(pattern, strings.Join(addresses, "|"), number)
}
