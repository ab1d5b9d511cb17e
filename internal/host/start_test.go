package host

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

type nowhere struct{ io.Writer }

func (nowhere) Close() error { return nil }

// A host that lets somebody in, and then says nothing, or nothing of the script's
// arrival, is waited for no longer than a minute.
func TestAShellThatSaysNothingIsGivenUpAfterAMinute(t *testing.T) {
	for name, said := range map[string]string{"nothing": "", "a greeting": "Welcome\n", "all but the arrival": shellReady + "\n"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out, in := io.Pipe()
				go func() { _, _ = io.WriteString(in, said) }()
				s := &shell{
					process: &process{stdin: nowhere{io.Discard}, stdout: out, stderr: newTail(1), wait: func() error { return nil }},
					stdout:  bufio.NewReader(out),
				}
				began := time.Now()
				err := s.begin(t.Context(), Become{}, "a script")
				if err == nil || !strings.Contains(err.Error(), "does not start within 1m0s") || time.Since(began) != time.Minute {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
				_ = in.Close()
			})
		})
	}
}
