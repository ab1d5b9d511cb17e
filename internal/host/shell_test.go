package host_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
)

// everyShell runs test with each of this machine's shells.
func everyShell(t *testing.T, test func(t *testing.T, h host.Host)) {
	t.Helper()
	for name, argv := range map[string][]string{
		"sh": nil, "dash": {"dash"}, "bash": {"bash", "--posix"}, "ash": {"busybox", "ash"},
	} {
		if argv != nil {
			if _, err := exec.LookPath(argv[0]); err != nil {
				t.Logf("NOT RUN under %s: it is not installed", name)
				continue
			}
		}
		t.Run(name, func(t *testing.T) { test(t, host.Local{Interpreter: argv}) })
	}
}

func open(t *testing.T, h host.Host, script string) host.Shell {
	t.Helper()
	s, err := h.Shell(t.Context(), script)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// say runs script with input, and returns what it says.
func say(t *testing.T, h host.Host, script string, input []byte) (string, error) {
	t.Helper()
	s := open(t, h, script)
	go func() {
		_, _ = s.Write(input)
		_ = s.Close()
	}()
	out, err := io.ReadAll(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(out), s.Wait()
}

func TestWhatFollowsTheScriptIsItsInputByteForByte(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		input := make([]byte, 1<<20)
		if _, err := rand.Read(input); err != nil {
			t.Fatal(err)
		}
		got, err := say(t, h, "cat\n", input)
		if err != nil || got != string(input) {
			t.Errorf("%d bytes came through, of %d: %v", len(got), len(input), err)
		}
	})
}

func TestTheScriptIsNotInTheProcessList(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		got, err := say(t, h, "secret=planted-in-the-script\ntr '\\000' ' ' </proc/$$/cmdline\n", nil)
		if err != nil || strings.Contains(got, "planted-in-the-script") || !strings.Contains(got, "end-of-script") {
			t.Errorf("the command line is %q, %v", got, err)
		}
	})
}

func TestAScriptThatWasCutOffIsNotRun(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		// The line that would end a script may not be in one, so a script with it
		// is refused; a NUL no shell can hold.
		for _, script := range []string{"true\n#:end-of-script:#\nfalse\n", "echo a\x00b\n"} {
			if _, err := h.Shell(t.Context(), script); !errors.Is(err, host.ErrShell) {
				t.Errorf("%q: %v", script, err)
			}
		}
	})
}

func TestTheStatusAndTheLastWordsOfAScriptAreKept(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		_, err := say(t, h, "i=0; while [ $i -lt 2000 ]; do echo noise >&2; i=$((i+1)); done; echo the reason >&2; exit 7\n", nil)
		var exit *host.ExitError
		if !errors.As(err, &exit) || exit.Status != 7 || !strings.HasSuffix(exit.Stderr, "the reason") || len(exit.Stderr) > 4096 {
			t.Errorf("error is %v", err)
		}
	})
}

func TestOnlyWhatAScriptNeedsIsInItsEnvironment(t *testing.T) {
	t.Setenv("PLEX_TOKEN", "planted-account-token")
	t.Setenv("TF_VAR_account_token", "planted-account-token")
	t.Setenv("LC_MESSAGES", "C")
	everyShell(t, func(t *testing.T, h host.Host) {
		got, err := say(t, h, "env\n", nil)
		if err != nil || strings.Contains(got, "planted-account-token") {
			t.Errorf("environment: %s, %v", got, err)
		}
		for _, name := range []string{"PATH=" + os.Getenv("PATH"), "LC_MESSAGES=C"} {
			if !strings.Contains(got, name) {
				t.Errorf("%s is missing in %s", name, got)
			}
		}
	})
}

// Ctrl-C goes to the terminal's foreground group; a script must not be in it.
func TestAScriptHasASessionOfItsOwn(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		got, err := say(t, h, "read -r _ _ _ _ _ session _ </proc/$$/stat; [ \"$session\" = $$ ] && echo own\n", nil)
		if err != nil || strings.TrimSpace(got) != "own" {
			t.Errorf("said %q, %v", got, err)
		}
	})
}

func TestAScriptOutlivesItsContextAndSeesTheEndOfItsInput(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		ctx, cancel := context.WithCancel(t.Context())
		s, err := h.Shell(ctx, "read -r line; echo finished\n")
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		out, err := io.ReadAll(s)
		if err != nil || !bytes.Contains(out, []byte("finished")) {
			t.Errorf("said %q, %v", out, err)
		}
		if err := s.Wait(); err != nil {
			t.Error(err)
		}
	})
}

func TestAShellThatIsNotThereIsAnError(t *testing.T) {
	_, err := host.Local{Interpreter: []string{"/nonexistent/sh"}}.Shell(t.Context(), "true\n")
	if !errors.Is(err, host.ErrShell) || !strings.Contains(err.Error(), "this machine") {
		t.Errorf("error is %v", err)
	}
}

func TestAQuotedWordIsOneWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.StringOfN(rapid.RuneFrom([]rune("a '\"\\$`;\n*é")), 0, 20, -1).Draw(t, "word")
		out, err := exec.Command("sh", "-c", "printf %s "+host.Quote(word)).Output()
		if err != nil || string(out) != word {
			t.Fatalf("%q came back as %q, %v", word, out, err)
		}
	})
}
