package host

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// eachShell runs test under each shell that the bootstrap has to suit.
func eachShell(t *testing.T, test func(t *testing.T, l Local)) {
	t.Helper()
	ran := false
	for _, shell := range []struct {
		name string
		argv []string
	}{
		{"dash", []string{"dash"}}, {"bash", []string{"bash", "--posix"}}, {"ash", []string{"busybox", "ash"}},
	} {
		if _, err := exec.LookPath(shell.argv[0]); err != nil {
			t.Logf("NOT RUN under %s: it is not installed", shell.name)
			continue
		}
		ran = true
		t.Run(shell.name, func(t *testing.T) { test(t, Local{Interpreter: shell.argv}) })
	}
	if !ran {
		t.Run("sh", func(t *testing.T) { test(t, Local{}) })
	}
}

// run gives script its input and returns what it said and how it ended.
func run(t *testing.T, l Host, script, input string) (string, error) {
	t.Helper()
	s, err := l.Shell(t.Context(), script)
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan error, 1)
	go func() {
		_, err := io.WriteString(s, input)
		sent <- errors.Join(err, s.Close())
	}()
	out, err := io.ReadAll(s)
	if err := errors.Join(err, <-sent); err != nil {
		t.Errorf("talking to the script: %v", err)
	}
	return string(out), s.Wait()
}

// everyByte is a mebibyte of all bytes, with lines of the bootstrap's own in it.
func everyByte() string {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	block := string(every) + "\n" + scriptEnd + "\n"
	return strings.Repeat(block, 1<<20/len(block)+1)[:1<<20]
}

func TestTheScriptsInputArrivesByteExact(t *testing.T) {
	eachHost(t, func(t *testing.T, _ hostSpec, h Host) {
		for name, input := range map[string]string{
			"nothing": "", "a line": "one\n", "no newline": "one", "newlines": "\n\n\n", "NUL": "\x00", "backslashes": `\n\\` + "\n",
			"spaces": "  two  \n", "the end line": scriptEnd + "\n", "binary": everyByte(),
		} {
			got, err := run(t, h, "cat", input)
			if err != nil || got != input {
				t.Errorf("%s: got %d bytes, want %d; %v", name, len(got), len(input), err)
			}
		}
	})
}

func TestAScriptIsRunAsItIsWritten(t *testing.T) {
	eachHost(t, func(t *testing.T, _ hostSpec, h Host) {
		for _, test := range []struct{ script, input, want string }{
			{"", "", ""},
			{"printf one", "", "one"},
			{"printf '%s' 'a\nb'\n", "", "a\nb"},
			{"  printf '%s' '  spaces  '  # comment\n\n", "", "  spaces  "},
			{`printf '%s' 'back\slash'` + "\\\n' joined'", "", `back\slash joined`},
			{"cat <<'X'\n\t$HOME `id`\nX\n", "", "\t$HOME `id`\n"},
			{"IFS= read -r a\nprintf '%s|' \"$a\"\ncat", "first\nrest", "first|rest"},
			{"printf '%s' 'h\u00e9 \xff'", "", "h\u00e9 \xff"},
			{"x='" + scriptEnd + "'\nprintf '%s' \"$x\"", "", scriptEnd},
			{"# " + strings.Repeat(strings.Repeat("x", 79)+"\n#", 1<<9) + "\nprintf long", "", "long"},
		} {
			got, err := run(t, h, test.script, test.input)
			if err != nil || got != test.want {
				t.Errorf("%.60q: got %q, want %q; %v", test.script, got, test.want, err)
			}
		}
	})
}

func TestInputThatEndsBeforeTheScriptDoesRunsNothing(t *testing.T) {
	eachShell(t, func(t *testing.T, l Local) {
		whole, err := frame("echo started\n")
		if err != nil {
			t.Fatal(err)
		}
		for cut := range len(whole) {
			if cut > len(whole)-2 { // only the last line break is missing
				break
			}
			argv := append(l.Interpreter[:len(l.Interpreter):len(l.Interpreter)], "-c", bootstrap(len(whole)))
			cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
			cmd.Stdin = strings.NewReader(whole[:cut])
			out, err := cmd.CombinedOutput()
			if string(out) != shellReady+"\n" || err == nil || cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("after %d bytes: %q, %v", cut, out, err)
			}
		}
	})
}

func TestAScriptThatTheFrameCannotHoldIsRefused(t *testing.T) {
	for name, script := range map[string]string{
		"NUL": "echo \x00", "the end line": "echo\n" + scriptEnd + "\necho", "the end line alone": scriptEnd,
		"the end line first": scriptEnd + "\necho", "the end line last": "echo\n" + scriptEnd,
	} {
		if _, err := (Local{}).Shell(t.Context(), script); !errors.Is(err, ErrShell) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNoShellIsStartedForSomebodyWhoHasGone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (Local{}).Shell(ctx, "true"); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

func TestAShellThatIsNotThereIsSaidToBeMissing(t *testing.T) {
	_, err := Local{Interpreter: []string{"/nowhere/sh"}}.Shell(t.Context(), "true")
	if !errors.Is(err, ErrShell) || !strings.Contains(err.Error(), "/nowhere/sh") || !strings.Contains(err.Error(), "this machine") {
		t.Errorf("error is %v", err)
	}
}

func TestQuoteIsOneWordOfEveryShell(t *testing.T) {
	eachShell(t, func(t *testing.T, l Local) {
		rapid.Check(t, func(r *rapid.T) {
			words := rapid.SliceOfN(rapid.OneOf(
				rapid.StringMatching(`['"$\\!* \n\t~#;&|<>-]{0,12}`),
				rapid.String(),
			), 1, 8).Draw(r, "words")
			script, want := "printf '%s\\0'", ""
			for i, word := range words {
				words[i] = strings.ReplaceAll(word, "\x00", "")
				script += " " + Quote(words[i])
				want += words[i] + "\x00"
			}
			argv := append(l.Interpreter[:len(l.Interpreter):len(l.Interpreter)], "-c", script)
			got, err := exec.CommandContext(t.Context(), argv[0], argv[1:]...).Output()
			if err != nil || string(got) != want {
				r.Errorf("got %q, want %q; %v", got, want, err)
			}
		})
	})
}
