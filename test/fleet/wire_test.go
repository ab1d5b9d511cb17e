//go:build linux

package fleet_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// wire counts the TCP connections that this machine opens to the hosts, whatever
// they are for and whoever opens them: it watches the line between the two for
// the packets that open one. Neither the provider nor sshd is asked.
type wire struct {
	mu     sync.Mutex
	opened map[netip.Addr]map[string]bool // a packet that was sent again is the same connection
}

// watchWire watches until the test ends.
func watchWire(t *testing.T) *wire {
	t.Helper()
	line, err := net.InterfaceByName("plexlab0")
	must(t, err)
	const all = unix.ETH_P_ALL>>8 | unix.ETH_P_ALL<<8&0xff00 // in the order of the network
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	must(t, err)
	must(t, unix.SetsockoptSockFprog(socket, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(opening)), Filter: &opening[0]}))
	// The thread that reads must not wait for ever after the test.
	must(t, unix.SetsockoptTimeval(socket, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Usec: 100_000}))
	must(t, unix.Bind(socket, &unix.SockaddrLinklayer{Protocol: all, Ifindex: line.Index}))
	w := &wire{opened: map[netip.Addr]map[string]bool{}}
	ended, closed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(closed)
		packet := make([]byte, 128)
		for {
			n, _, err := unix.Recvfrom(socket, packet, 0)
			if err == nil {
				w.add(packet[:n])
			}
			select {
			case <-ended:
				_ = unix.Close(socket)
				return
			default:
			}
		}
	}()
	t.Cleanup(func() { close(ended); <-closed })
	return w
}

// opening lets through what opens a TCP connection over IPv4: SYN without ACK.
var opening = []unix.SockFilter{
	{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 0},
	{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: 0xf0},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 0x40, Jf: 7},
	{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 9},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.IPPROTO_TCP, Jf: 5},
	{Code: unix.BPF_LDX | unix.BPF_B | unix.BPF_MSH, K: 0},
	{Code: unix.BPF_LD | unix.BPF_B | unix.BPF_IND, K: 13},
	{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: 0x12},
	{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 0x02, Jf: 1},
	{Code: unix.BPF_RET | unix.BPF_K, K: 128},
	{Code: unix.BPF_RET | unix.BPF_K, K: 0},
}

func (w *wire) add(packet []byte) {
	head := int(packet[0]&0xf) * 4
	if len(packet) < head+4 {
		return
	}
	to, _ := netip.AddrFromSlice(packet[16:20])
	ports := packet[head : head+4]
	connection := fmt.Sprintf("%d to %d", binary.BigEndian.Uint16(ports), binary.BigEndian.Uint16(ports[2:]))
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.opened[to] == nil {
		w.opened[to] = map[string]bool{}
	}
	w.opened[to][connection] = true
}

// connections is how many connections to the host were opened since forget.
func (w *wire) connections(h labHost) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.opened[netip.MustParseAddr(h.address)])
}

func (w *wire) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.opened)
}
