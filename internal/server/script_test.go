package server

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
)

func TestEveryFailureOfTheScriptIsOneThatAPersonCanActOn(t *testing.T) {
	said := regexp.MustCompile(`(?m)(?:^|[ {;|&])fail ([a-z0-9-]+)`).FindAllStringSubmatch(script, -1)
	if len(said) < 20 {
		t.Fatalf("only %d found", len(said))
	}
	for _, code := range said {
		f, known := failures[code[1]]
		if !known || f.err == nil || f.doing == "" || f.state == "" || f.next == "" {
			t.Errorf("%s: %+v", code[1], f)
		}
	}
}

func TestAFailureThatThisVersionDoesNotKnowSaysWhatToDoAllTheSame(t *testing.T) {
	s, err := New(&scripted{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var e *Error
	if err := s.failed([]byte("on-fire the disk burns")); !errors.As(err, &e) || e.State == "" || e.Next == "" || !strings.Contains(err.Error(), "on-fire the disk burns") {
		t.Errorf("error is %v", err)
	}
}

// How long a host waits where nobody says otherwise (docs/design/limits.md).
func TestEveryHostIsToldTheLimitsInSeconds(t *testing.T) {
	s, err := New(&scripted{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	batched, err := s.batchProgram(modeEdit, "nonce")
	if err != nil {
		t.Fatal(err)
	}
	posix := s.program(modeEdit, "nonce")
	for name, limit := range map[string]int{"stop_limit": 90, "command_limit": 60, "silence": 30, "lock_limit": 120, "linger": 600} {
		if want := fmt.Sprintf("\np_%s='%d'\n", name, limit); !strings.Contains(posix, want) {
			t.Errorf("the script has no line %q", want)
		}
		if want := fmt.Sprintf("\nset p_%s=%d\r\n", name, limit); !strings.Contains(batched, want) {
			t.Errorf("the batch has no line %q", want)
		}
	}
}

func TestEveryManagerHasItsFunctions(t *testing.T) {
	for _, manager := range append(slices.Clone(managers), ManagerCommands, managerNone, managerOffline) {
		name := strings.ReplaceAll(manager, "-", "_")
		if manager == ManagerSystemdUser || manager == ManagerSnap {
			name = ManagerSystemd
		}
		verbs := []string{"state", "stop", "start", "present", "has"}
		switch manager {
		case ManagerCommands:
			verbs = verbs[:3]
		case managerNone, managerOffline:
			verbs = verbs[:1]
		}
		for _, verb := range verbs {
			if !strings.Contains(script, "\n"+name+"_"+verb+"() {") {
				t.Errorf("%s has no %s", manager, verb)
			}
		}
	}
}

func TestThePlatformsAreATable(t *testing.T) {
	for _, p := range platforms {
		if !slices.Contains(append(Managers(), managerNone), p.Manager) || len(p.Services) == 0 {
			t.Errorf("%+v", p)
		}
		for _, field := range slices.Concat([]string{p.Name}, p.Signs, p.Services, p.Directories) {
			if field == "" || strings.ContainsAny(field, "|;\n'\\") {
				t.Errorf("%s: %q", p.Name, field)
			}
		}
	}
	if !slices.IsSorted(Platforms()) || !slices.Contains(Platforms(), PlatformLinux) {
		t.Errorf("platforms: %v", Platforms())
	}
}

func TestOnlyTheRowsThatWereAskedForAreLookedAt(t *testing.T) {
	for _, test := range []struct {
		platform, manager string
		lines             int
	}{
		{"", "", len(platforms)}, {"qnap", "", 1}, {"freebsd", ManagerFreeBSD, 2}, {"", ManagerCommands, len(platforms)}, {"qnap", ManagerSystemd, 0},
	} {
		if got := strings.Count(rows(test.platform, test.manager), "\n"); got != test.lines {
			t.Errorf("%+v: %d lines", test, got)
		}
	}
}

// everyInterpreter runs test once with the words that run each shell of this machine; -c and a text follow.
func everyInterpreter(t *testing.T, test func(t *testing.T, shell []string)) {
	t.Helper()
	for _, shell := range [][]string{{"dash"}, {"bash", "--posix"}, {"busybox", "ash"}} {
		t.Run(shell[0], func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(shell[0]); err != nil {
				t.Skipf("NOT RUN: %v", err)
			}
			test(t, shell)
		})
	}
}

// run is what a shell says to that text.
func run(t *testing.T, shell []string, text string) string {
	t.Helper()
	out, err := exec.Command(shell[0], append(shell[1:], "-c", text)...).Output()
	if err != nil {
		t.Errorf("%v after %q", err, out)
	}
	return string(out)
}

// A host whose only clock is one that somebody may set, as macOS and FreeBSD.
func TestAWaitEndsInItsTimeWhateverTheClockJumpsTo(t *testing.T) {
	const hour = 3600
	for name, jump := range map[string]int{"none": 0, "forward": hour, "back": -hour} {
		t.Run(name, func(t *testing.T) {
			everyInterpreter(t, func(t *testing.T, shell []string) {
				clock := filepath.Join(t.TempDir(), "clock")
				got := run(t, shell, "set -u; kernel=freebsd p_stop_limit=90 p_command_limit=60\n"+assemble("talk")+fmt.Sprintf(`
date() { cat %[1]s; }
echo 1000000 >%[1]s
now
until=$((now + 5)) waited=0
while now; [ "$now" -lt "$until" ]; do
  waited=$((waited + 1)) passed=1
  if [ "$waited" -eq 2 ]; then passed=$((1 + %[2]d)); fi
  echo "$(($(date) + passed))" >%[1]s
  [ "$waited" -lt 100 ] || break
done
echo "$waited"
`, host.Quote(clock), jump))
				if got != "5\n" {
					t.Errorf("waited %q seconds", got)
				}
			})
		})
	}
}

// Neither is what was done taken for failed, nor is it ended early.
func TestASinkIsWaitedForWhateverInterruptsTheWait(t *testing.T) {
	const times = 20
	everyInterpreter(t, func(t *testing.T, shell []string) {
		got := run(t, shell, "set -u; kernel="+runtime.GOOS+"\n"+assemble("talk")+fmt.Sprintf(`
sink_head() { exec head -c 100; }
answer() { exec echo heard; }
trap : HUP
(trap - HUP; while kill -HUP $$; do :; done) >/dev/null 2>&1 &
storm=$!
(while kill -0 $$; do sleep 1; done) >/dev/null 2>&1 &
other=$!
count=0
while [ "$count" -lt %d ]; do
  limit_sink 5 sink_head answer || echo "status $?"
  count=$((count + 1))
done
kill "$storm" "$other"
`, times))
		if want := strings.Repeat("heard\n", times); got != want {
			t.Errorf("heard %q", got)
		}
	})
}

// bash runs the EXIT trap in a child that is told to end before it has begun: it would
// finish for a script that goes on, or for its subshell.
func TestOnlyWhoHasSetTheExitTrapFinishes(t *testing.T) {
	for name, script := range map[string]struct{ trap, work string }{
		"script":   {`trap 'on_exit finish' EXIT`, `work`},
		"subshell": {`own=$(own_pid); trap 'on_exit finish "$own"' EXIT`, `said=$(work); echo "$said"`},
	} {
		t.Run(name, func(t *testing.T) {
			everyInterpreter(t, func(t *testing.T, shell []string) {
				got := run(t, shell, "set -u; kernel="+runtime.GOOS+"\n"+assemble("talk")+`
finish() { echo finished; }
work() {
  `+script.trap+`
  count=0
  while [ "$count" -lt 200 ]; do
    limit 5 true
    count=$((count + 1))
  done
}
`+script.work)
				if got != "finished\n" {
					t.Errorf("it says %q", got)
				}
			})
		})
	}
}

// Who waits for the end of what a script says would wait for what the killed script has left behind: a
// command, its watchdog.
func TestWhatAKilledScriptHasStartedKeepsNoneOfItsOutputs(t *testing.T) {
	for name, test := range map[string]struct {
		text  string
		sleep int // so many of its children
	}{
		"reading": {assemble("talk") + `
read_line() { sleep; }
await 60`, 2},
		"a manager's command": {assemble("talk", "service") + `
stage_file=$1/stage
call() { sleep; }
tell_the_manager 60 stop`, 2},
		"lifting systemd's limit": {assemble("talk", "manager_systemd") + `
lift_late &
wait`, 1},
		"deleting a default": {assemble("talk", "macos") + `
p_command_limit=60
exec_defaults() { sleep; }
delete_names Name`, 2},
	} {
		t.Run(name, func(t *testing.T) {
			everyInterpreter(t, func(t *testing.T, shell []string) {
				script := start(t, shell, "exec 4>&3 3<&0 5<&0\n"+
					"sleep() { echo >&4; IFS= read -r line <&5; }\n"+ // until the far side has gone
					test.text)
				_, err := io.ReadFull(script.third, make([]byte, test.sleep))
				must(t, err)
				must(t, script.process.Kill())
				wantEnd(t, script.out, script.errOut)
			})
		})
	}
}

// Whether its sleep has begun, or just begins.
func TestTheSleepOfAWatchdogEndsWithIt(t *testing.T) {
	everyInterpreter(t, func(t *testing.T, shell []string) {
		script := start(t, shell, "at=$1; exec 4<&0 5>&3 3>&-\n"+assemble("talk")+`
wait_for_far_side() { IFS= read -r line <&4; }
sleep() { wait_for_far_side; }
count=0
while [ "$count" -lt 300 ]; do
  limit 60 true
  count=$((count + 1))
done
mkfifo "$at/begun"
sleep() { echo >"$at/begun"; wait_for_far_side; }
command() { IFS= read -r line <"$at/begun"; }
limit 60 command`)
		wantEnd(t, script.third) // that whatever it has started has open
	})
}

// started is a text that a shell runs; $1 is a directory.
type started struct {
	process            *os.Process
	out, errOut, third io.Reader // descriptors 1, 2 and 3
}

// start runs a text whose far side goes as the test ends.
func start(t *testing.T, shell []string, text string) started {
	t.Helper()
	command := exec.Command(shell[0], append(shell[1:], "-c", "set -u; kernel="+runtime.GOOS+"; "+text, shell[0], t.TempDir())...)
	farSide, err := command.StdinPipe()
	must(t, err)
	out, err := command.StdoutPipe()
	must(t, err)
	errOut, err := command.StderrPipe()
	must(t, err)
	third, theirs, err := os.Pipe()
	must(t, err)
	command.ExtraFiles = []*os.File{theirs}
	must(t, command.Start())
	t.Cleanup(func() { _, _, _ = farSide.Close(), third.Close(), command.Wait() })
	must(t, theirs.Close())
	return started{command.Process, out, errOut, third}
}

// wantEnd reads until nobody has the other ends of these pipes open.
func wantEnd(t *testing.T, pipes ...io.Reader) {
	t.Helper()
	ended := make(chan error, len(pipes))
	for _, pipe := range pipes {
		go func() {
			_, err := io.Copy(io.Discard, pipe)
			ended <- err
		}()
	}
	for range pipes {
		select {
		case err := <-ended:
			must(t, err)
		case <-time.After(20 * time.Second):
			t.Fatal("a pipe is still open")
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Somebody may hold up each reading for as long as it may take; ten of them would
// keep the lock for many times that.
func TestAReadingThatIsHeldUpIsNotRepeatedBeyondTheLimit(t *testing.T) {
	everyInterpreter(t, func(t *testing.T, shell []string) {
		at := host.Quote(filepath.Join(t.TempDir(), "before"))
		got := run(t, shell, "set -u; p_command_limit=60 before="+at+"\n"+assemble("files")+`
now=0
now() { now=$((now + 50)); }
nap() { :; }
read_prefs() { echo again >>"$before.readings"; cat "$before.readings"; } # each time another
copy_before || echo "$now $detail"
`)
		if got != "150 the preferences changed at every reading\n" {
			t.Errorf("it says %q", got)
		}
	})
}
