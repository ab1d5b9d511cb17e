//go:build unix

package host

import (
	"context"
	"net"
)

// usualAgent is where an agent listens that nothing names.
const usualAgent = ""

func dialAgent(socket string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(context.Background(), "unix", socket)
}
