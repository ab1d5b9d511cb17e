//go:build linux

// Command delay joins two TUN devices, and holds every packet back on its way
// from one to the other: a line with a round trip of twice that time, on kernels
// that lack netem. It makes the devices, says "ready", and runs until it is killed.
//
// usage: delay DEVICE DEVICE ONE-WAY-TIME
package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// waiting is how many packets may be under way in one direction.
const waiting = 1 << 14

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "delay:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 3 {
		return fmt.Errorf("usage: delay DEVICE DEVICE ONE-WAY-TIME")
	}
	late, err := time.ParseDuration(arguments[2])
	if err != nil {
		return err
	}
	a, err := open(arguments[0])
	if err != nil {
		return err
	}
	b, err := open(arguments[1])
	if err != nil {
		return err
	}
	fmt.Println("ready")
	broken := make(chan error, 2)
	go func() { broken <- carry(a, b, late) }()
	go func() { broken <- carry(b, a, late) }()
	return <-broken
}

// open makes a TUN device: packets as they are, without a head of the driver's.
func open(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("/dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq(name)
	if err != nil {
		return nil, err
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		return nil, fmt.Errorf("device %s: %w", name, err)
	}
	return os.NewFile(uintptr(fd), name), nil
}

type packet struct {
	due  time.Time
	data []byte
}

// carry keeps the order of the packets, as a line does. A line that is full
// drops them.
func carry(from, to *os.File, late time.Duration) error {
	line := make(chan packet, waiting)
	go func() {
		for p := range line {
			time.Sleep(time.Until(p.due))
			_, _ = to.Write(p.data) // a device that is down loses packets
		}
	}()
	defer close(line)
	buffer := make([]byte, 1<<16)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return err
		}
		select {
		case line <- packet{time.Now().Add(late), append([]byte(nil), buffer[:n]...)}:
		default:
		}
	}
}
