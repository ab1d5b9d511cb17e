package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// stdioScript carries one connection to the engine by the docker command. It
// says a line first, so that a refusal is seen as one.
const stdioScript = `ulimit -S -c 0 2>/dev/null
unset DOCKER_HOST DOCKER_CONTEXT
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
	in := bufio.NewReader(s)
	ready := make(chan error, 1)
	go func() {
		_, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			err = errors.New("what it says first is no version")
		case err != nil:
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
		_ = s.Close()
		return nil, err
	}
	return newStdioConn(s, in), nil
}

// stdioConn is a shell as a connection. It has no deadlines: whoever waits gives
// up by closing it.
type stdioConn struct {
	*io.PipeReader
	shell Shell
}

// newStdioConn reads from the shell in one place, to its end, so that Close
// neither waits for who reads nor leaves a process that nobody waits for.
func newStdioConn(s Shell, in io.Reader) *stdioConn {
	out, fill := io.Pipe()
	go func() {
		_, err := io.Copy(fill, in)
		_ = fill.CloseWithError(err) // nil: io.EOF
		_, _ = io.Copy(io.Discard, in)
		_ = s.Wait()
	}()
	return &stdioConn{PipeReader: out, shell: s}
}

func (c *stdioConn) Write(p []byte) (int, error) { return c.shell.Write(p) }

// CloseWrite ends what the other end reads, as an attached command's input ends.
func (c *stdioConn) CloseWrite() error { return c.shell.Close() }

func (c *stdioConn) Close() error {
	_ = c.PipeReader.Close()
	return c.shell.Close()
}

type stdioAddr struct{}

func (stdioAddr) Network() string { return "stdio" }
func (stdioAddr) String() string  { return "docker system dial-stdio" }

func (*stdioConn) LocalAddr() net.Addr              { return stdioAddr{} }
func (*stdioConn) RemoteAddr() net.Addr             { return stdioAddr{} }
func (*stdioConn) SetDeadline(time.Time) error      { return nil }
func (*stdioConn) SetReadDeadline(time.Time) error  { return nil }
func (*stdioConn) SetWriteDeadline(time.Time) error { return nil }
