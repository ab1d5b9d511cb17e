package host

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// stdioScript carries one connection to the engine by the docker command. It
// says a line first, so that a refusal is seen as one.
const stdioScript = `unset DOCKER_HOST DOCKER_CONTEXT
version=$(docker -H %[1]s version -f '{{.Server.APIVersion}}') || exit
echo "$version"
exec docker -H %[1]s system dial-stdio
`

// dialStdio connects to the engine through a shell on its machine.
func dialStdio(ctx context.Context, on Host, address string) (net.Conn, error) {
	s, err := on.Shell(ctx, fmt.Sprintf(stdioScript, Quote(address)))
	if err != nil {
		return nil, err
	}
	c := &stdioConn{shell: s, in: bufio.NewReader(s)}
	ready := make(chan error, 1)
	go func() {
		_, err := c.in.ReadString('\n')
		if err != nil {
			if said := s.Wait(); said != nil {
				err = said
			}
		}
		ready <- err
	}()
	select {
	case err = <-ready:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// stdioConn is a shell as a connection. It has no deadlines: whoever waits gives
// up by closing it.
type stdioConn struct {
	shell Shell
	in    *bufio.Reader
	end   sync.Once
}

func (c *stdioConn) Read(p []byte) (int, error)  { return c.in.Read(p) }
func (c *stdioConn) Write(p []byte) (int, error) { return c.shell.Write(p) }

// CloseWrite ends what the other end reads, as an attached command's input ends.
func (c *stdioConn) CloseWrite() error { return c.shell.Close() }

func (c *stdioConn) Close() error {
	err := c.shell.Close()
	c.end.Do(func() {
		go func() {
			_, _ = io.Copy(io.Discard, c.shell)
			_ = c.shell.Wait()
		}()
	})
	return err
}

type stdioAddr struct{}

func (stdioAddr) Network() string { return "stdio" }
func (stdioAddr) String() string  { return "docker system dial-stdio" }

func (*stdioConn) LocalAddr() net.Addr              { return stdioAddr{} }
func (*stdioConn) RemoteAddr() net.Addr             { return stdioAddr{} }
func (*stdioConn) SetDeadline(time.Time) error      { return nil }
func (*stdioConn) SetReadDeadline(time.Time) error  { return nil }
func (*stdioConn) SetWriteDeadline(time.Time) error { return nil }
