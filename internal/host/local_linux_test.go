package host

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

func TestTheScriptIsNotInTheProcessList(t *testing.T) {
	eachHost(t, func(t *testing.T, _ hostSpec, h Host) {
		s, err := h.Shell(t.Context(), "secret=planted-token-0001\necho $$\nread -r end")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Wait() }()
		defer func() { _ = s.Close() }()
		pid := readPID(t, s)
		cmdline, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(cmdline), "end-of-script") {
			t.Fatalf("this is not the shell: %q", cmdline)
		}
		if strings.Contains(string(cmdline), "planted") || strings.Contains(string(cmdline), "secret") {
			t.Errorf("arguments are %q", cmdline)
		}
		environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(environ), "planted") {
			t.Errorf("environment is %q", environ)
		}
	})
}

func readPID(t *testing.T, r io.Reader) int {
	t.Helper()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func TestTheScriptHasASessionOfItsOwn(t *testing.T) {
	eachShell(t, func(t *testing.T, l Local) {
		s, err := l.Shell(t.Context(), "echo $$\nread -r end")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = s.Wait() }()
		defer func() { _ = s.Close() }()
		pid := readPID(t, s)
		if sid := session(t, pid); sid != pid || sid == session(t, os.Getpid()) {
			t.Errorf("process %d has session %d", pid, sid)
		}
		if group, err := syscall.Getpgid(pid); err != nil || group != pid {
			t.Errorf("process %d has group %d, %v", pid, group, err)
		}
	})
}

func session(t *testing.T, pid int) int {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndex(string(stat), ")")+1:]))
	sid, err := strconv.Atoi(fields[3])
	if err != nil {
		t.Fatal(err)
	}
	return sid
}

func TestTheScriptInheritsOnlyWhatItNeeds(t *testing.T) {
	planted := map[string]string{"PLEX_TOKEN": "planted-1", "TF_VAR_x": "planted-2", "TF_LOG": "planted-3",
		"AWS_SECRET_ACCESS_KEY": "planted-4", "PATHOLOGY": "planted-5", "LCX": "planted-6"}
	for name, value := range planted {
		t.Setenv(name, value)
	}
	kept := map[string]string{"HOME": "/home/somebody", "TZ": "Europe/Berlin", "LC_MESSAGES": "C", "LANG": "C.UTF-8",
		"XDG_RUNTIME_DIR": "/run/user/4711", "TMPDIR": "/var/tmp", "PATH": os.Getenv("PATH")}
	for name, value := range kept {
		t.Setenv(name, value)
	}
	eachShell(t, func(t *testing.T, l Local) {
		out, err := run(t, l, "env", "")
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out, "planted") {
			t.Errorf("the script inherited a secret:\n%s", out)
		}
		for name, value := range kept {
			if !strings.Contains("\n"+out, "\n"+name+"="+value+"\n") {
				t.Errorf("the script did not inherit %s", name)
			}
		}
	})
}

func TestAScriptThatFailsSaysHowAndWhy(t *testing.T) {
	eachHost(t, func(t *testing.T, _ hostSpec, h Host) {
		for _, test := range []struct {
			script, stderr string
			status         int
		}{
			{"exit 7", "", 7},
			{"echo '  no room  ' >&2; exit 1", "no room", 1},
			{"i=0; while [ $i -lt 2000 ]; do echo line $i of many; i=$((i+1)); done >&2; exit 3", "line 1999 of many", 3},
			{"echo last words >&2; kill -KILL $$", "last words", -1},
			{"printf '\\377' >&2; exit 2", "\uFFFD", 2},
		} {
			_, err := run(t, h, test.script, "")
			var exit *ExitError
			if !errors.As(err, &exit) || exit.Status != test.status || !strings.HasSuffix(exit.Stderr, test.stderr) || len(exit.Stderr) > 4096 {
				t.Errorf("%s: %v", test.script, err)
				continue
			}
			if !strings.Contains(err.Error(), fmt.Sprint("status ", test.status)) || !strings.HasSuffix(err.Error(), test.stderr) {
				t.Errorf("%s: it says %q", test.script, err)
			}
		}
	})
}

func TestWhatTheScriptLeavesRunningIsNotWaitedFor(t *testing.T) {
	eachHostAs(t, asRoot[:1], func(t *testing.T, _ hostSpec, h Host) {
		// It keeps standard error; its end is the test's.
		fifo := filepath.Join(t.TempDir(), "end")
		if err := syscall.Mkfifo(fifo, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := run(t, h, "cat "+Quote(fifo)+" >/dev/null </dev/null &", ""); err != nil {
			t.Errorf("Wait: %v", err)
		}
		f, err := os.OpenFile(fifo, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatalf("what the script started is gone: %v", err)
		}
		_ = f.Close()
	})
}

func TestAScriptThatNobodyReadsEndsWhenItIsWaitedFor(t *testing.T) {
	eachHost(t, func(t *testing.T, _ hostSpec, h Host) {
		done := filepath.Join(t.TempDir(), "done")
		s, err := h.Shell(t.Context(), "head -c 1000000 /dev/zero; touch "+Quote(done))
		if err != nil {
			t.Fatal(err)
		}
		_ = s.Close()
		if err := s.Wait(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(done); err != nil {
			t.Error(err)
		}
	})
}

const envCaller = "PLEX_TEST_CALLER"

// An engine's connection is closed by whoever reads it and by whoever writes to it.
func TestAShellIsClosedByManyAtOnce(t *testing.T) {
	eachHost(t, func(t *testing.T, _ hostSpec, h Host) {
		s, err := h.Shell(t.Context(), "cat")
		if err != nil {
			t.Fatal(err)
		}
		var closers sync.WaitGroup
		for range 4 {
			closers.Go(func() { _ = s.Close() })
		}
		closers.Wait()
		if err := s.Wait(); err != nil {
			t.Error(err)
		}
	})
}

// TestMain lets this program be the caller that goes away.
func TestMain(m *testing.M) {
	script := os.Getenv(envCaller)
	if script == "" {
		os.Exit(m.Run())
	}
	var spec hostSpec
	if err := json.Unmarshal([]byte(os.Getenv(envCaller+"_HOST")), &spec); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s, err := spec.host().Shell(context.Background(), script)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_, _ = io.CopyN(os.Stdout, s, 6) // "ready\n"
	select {}
}

func TestAScriptGoesOnWhenItsCallerIsKilled(t *testing.T) {
	eachHost(t, func(t *testing.T, spec hostSpec, _ Host) {
		for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
			done := filepath.Join(t.TempDir(), "done")
			script := "trap : PIPE\necho ready\nIFS= read -r order\necho nobody reads this\nprintf %s finished >" + Quote(done+".new") +
				"\nmv " + Quote(done+".new") + " " + Quote(done)
			caller := exec.CommandContext(t.Context(), os.Args[0])
			host, err := json.Marshal(spec)
			if err != nil {
				t.Fatal(err)
			}
			caller.Env = append(os.Environ(), envCaller+"="+script, envCaller+"_HOST="+string(host))
			caller.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			out, err := caller.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := caller.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			if err != nil || line != "ready\n" {
				t.Errorf("the script said %q, %v", line, err)
			}
			// As Ctrl-C does: the whole foreground group.
			if err := syscall.Kill(-caller.Process.Pid, signal); err != nil {
				t.Error(err)
			}
			_ = caller.Wait()
			simtest.Eventually(t, "the script to finish", func() bool {
				_, err := os.Stat(done)
				return err == nil
			})
		}
	})
}

func TestDialReachesThisMachine(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	conn, err := Local{}.Dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
}
