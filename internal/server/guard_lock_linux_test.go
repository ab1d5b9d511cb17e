package server

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
)

// The guard's lock is in a directory in which everybody can make files.

// startGuard runs guard.sh, with that program for docker, up to where it says ready, or
// why not, and returns that. It goes on until the test ends.
func startGuard(t *testing.T, shell []string, id, docker string) string {
	t.Helper()
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "docker"), []byte("#!/bin/sh\n"+docker+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	c := exec.CommandContext(ctx, shell[0], append(shell[1:], "-c", strings.Join([]string{
		"p_nonce=N", "p_holder='Ann on den, process 4711'", "p_engine=unix:///none", "p_id=" + id, "p_was=stopped", "p_file=f", "p_dir=d", "p_file_url=f", "p_dir_url=d",
		"p_stop_limit=1", "p_command_limit=2", "p_lock_limit=1", "p_silence=30", "p_linger=1", guardScript,
	}, "\n"))...)
	c.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH")}
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = c.Wait() // what it has found is what counts
		cancel()
	})
	said := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "N" {
			return said
		}
		said += lines.Text() + "\n"
	}
	t.Fatalf("it ends with %q", said)
	return ""
}

// guardLock is the lock file for id, which nobody else uses.
func guardLock(t *testing.T, id string) string {
	t.Helper()
	path := "/tmp/terraform-provider-plex-" + id + ".lock"
	for _, dir := range []string{"/var/lock", "/run/lock"} {
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm() == 0o777 && info.Mode()&os.ModeSticky != 0 {
			path = filepath.Join(dir, filepath.Base(path))
		}
	}
	t.Cleanup(func() {
		for _, name := range []string{path, fmt.Sprintf("%s.%d", path, os.Getuid()), path + ".0"} {
			_ = os.RemoveAll(name)
		}
	})
	return path
}

func TestTheLockOfAContainerFollowsNothingThatWasPlanted(t *testing.T) {
	everyInterpreter(t, func(t *testing.T, shell []string) {
		for what, plant := range map[string]func(path string) error{
			"FIFO":      func(path string) error { return syscall.Mkfifo(path, 0o666) },
			"link":      func(path string) error { return os.Symlink("/nowhere/new", path) },
			"directory": func(path string) error { return os.Mkdir(path, 0o777) },
		} {
			t.Run(what, func(t *testing.T) {
				t.Parallel()
				id := fmt.Sprintf("planted-%d-%s-%s", os.Getpid(), shell[0], what)
				lock := guardLock(t, id)
				if err := plant(lock); err != nil {
					t.Fatal(err)
				}
				if said := startGuard(t, shell, id, "echo true"); !strings.HasPrefix(said, "failed\nno-lock ") {
					t.Errorf("it says %q", said)
				}
			})
			t.Run(what+" as the holder", func(t *testing.T) {
				t.Parallel()
				id := fmt.Sprintf("held-%d-%s-%s", os.Getpid(), shell[0], what)
				lock := guardLock(t, id)
				// One of somebody else's, and one in the place of our own.
				for _, name := range []string{lock + ".other", fmt.Sprintf("%s.%d", lock, os.Getuid())} {
					if err := plant(name); err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { _ = os.RemoveAll(name) })
				}
				if said := startGuard(t, shell, id, "echo true"); !strings.HasPrefix(said, "ready\n") {
					t.Fatalf("it says %q", said)
				}
				said := startGuard(t, shell, id, "echo true")
				if !strings.HasPrefix(said, "failed\nlocked ") {
					t.Errorf("a second one says %q", said)
				}
				if what != "directory" && !strings.Contains(said, "Ann on den, process 4711") {
					t.Errorf("the holder is not named: %q", said)
				}
			})
		}
	})
}

func TestAGuardWaitsForADockerThatHangsNoLongerThanItsLimit(t *testing.T) {
	everyInterpreter(t, func(t *testing.T, shell []string) {
		id := fmt.Sprintf("hangs-%d-%s", os.Getpid(), shell[0])
		guardLock(t, id)
		said := startGuard(t, shell, id, "for _ in $(seq 100); do sleep 0.1; done; echo at last")
		if !strings.HasPrefix(said, "failed\nno-guard ") || strings.Contains(said, "at last") {
			t.Errorf("it says %q", said)
		}
	})
}

// Rule 9: a guard holds preferences, and a token in them.
func TestAGuardDumpsNoCore(t *testing.T) {
	everyInterpreter(t, func(t *testing.T, shell []string) {
		id := fmt.Sprintf("core-%d-%s", os.Getpid(), shell[0])
		guardLock(t, id)
		limited := filepath.Join(t.TempDir(), "limit")
		wrapped := append([]string{"sh", "-c", `ulimit -S -c 1000 || exit; exec "$@"`, "sh"}, shell...)
		if said := startGuard(t, wrapped, id, "ulimit -S -c >"+host.Quote(limited)+"; echo true"); !strings.HasPrefix(said, "ready\n") {
			t.Fatalf("it says %q", said)
		}
		if got, err := os.ReadFile(limited); err != nil || strings.TrimSpace(string(got)) != "0" {
			t.Errorf("its limit is %q, %v", got, err)
		}
	})
}
