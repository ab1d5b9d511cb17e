package host

import (
	"context"
	"net"
	"strings"
	"time"

	"github.com/Microsoft/go-winio"
)

// usualAgent is where OpenSSH's agent service listens.
const usualAgent = `\\.\pipe\openssh-ssh-agent`

func dialAgent(socket string) (net.Conn, error) {
	if strings.HasPrefix(socket, `\\.\pipe\`) {
		limit := 5 * time.Second
		return winio.DialPipe(socket, &limit)
	}
	var d net.Dialer
	return d.DialContext(context.Background(), "unix", socket)
}
