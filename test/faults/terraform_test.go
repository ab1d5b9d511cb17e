//go:build linux

package faults_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var builtDir string

// built is the directory with the provider's program and the configuration that
// makes terraform use it; made once.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "faults-")
	if err != nil {
		return "", err
	}
	builtDir = dir
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "terraform-provider-plex"),
		"github.com/homelab-iac/terraform-provider-plex/test/faults/provider")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	overrides := fmt.Sprintf("provider_installation {\n dev_overrides {\n \"homelab-iac/plex\" = %q\n }\n direct {}\n}\n", dir)
	return dir, os.WriteFile(filepath.Join(dir, "terraform.rc"), []byte(overrides), 0o600)
})

func removeBuilt() {
	if builtDir != "" {
		_ = os.RemoveAll(builtDir)
	}
}

// terraform is one directory in which it is run.
type terraform struct {
	t      testing.TB
	dir    string
	path   string   // PATH of what it starts
	prefix []string // command that runs it
	runs   []*run   // all that were started
}

func newTerraform(t testing.TB, path string) *terraform {
	t.Helper()
	if _, err := built(); err != nil {
		t.Fatal(err)
	}
	return &terraform{t: t, dir: t.TempDir(), path: path}
}

// write replaces the configuration.
func (f *terraform) write(config string) {
	f.t.Helper()
	head := "terraform {\n required_providers {\n plex = {\n source = \"homelab-iac/plex\"\n }\n }\n}\n"
	if err := os.WriteFile(filepath.Join(f.dir, "main.tf"), []byte(head+config), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// run is one command of terraform, in a group of processes of its own, as a shell
// that has a terminal starts it.
type run struct {
	cmd   *exec.Cmd
	out   bytes.Buffer
	ended chan struct{}
	err   error // once ended
}

func (f *terraform) start(args ...string) *run {
	f.t.Helper()
	dir, err := built()
	if err != nil {
		f.t.Fatal(err)
	}
	argv := slices.Concat(f.prefix, []string{"terraform"}, args, []string{"-no-color"})
	r := &run{cmd: exec.Command(argv[0], argv[1:]...), ended: make(chan struct{})}
	r.cmd.Dir, r.cmd.Stdout, r.cmd.Stderr = f.dir, &r.out, &r.out
	r.cmd.Env = append(os.Environ(), "TF_CLI_CONFIG_FILE="+filepath.Join(dir, "terraform.rc"), "PATH="+f.path,
		"TF_LOG=TRACE", "TF_LOG_PATH="+filepath.Join(f.dir, logName))
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r.cmd.WaitDelay = time.Second // what a killed terraform has left may hold its output open
	if err := r.cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	f.runs = append(f.runs, r)
	go func() {
		r.err = r.cmd.Wait()
		close(r.ended)
	}()
	return r
}

// wait waits for the end, and ends what takes too long.
func (r *run) wait(limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-r.ended:
		return r.err
	case <-timer.C:
	case <-interrupted.Done():
	}
	_ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL)
	<-r.ended
	return fmt.Errorf("terraform had not ended after %v", limit)
}

func (r *run) hasEnded() bool {
	select {
	case <-r.ended:
		return true
	default:
		return false
	}
}

// interrupt is Ctrl-C: it goes to the whole group.
func (r *run) interrupt() { _ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGINT) }

// providers are the processes of the provider that the command has now.
func (r *run) providers() []int {
	var found []int
	for _, pid := range processes() {
		parent, _ := parentOf(pid)
		exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		if err == nil && parent == r.cmd.Process.Pid && filepath.Base(exe) == "terraform-provider-plex" {
			found = append(found, pid)
		}
	}
	return found
}

// do runs a command to its end.
func (f *terraform) do(args ...string) (string, error) {
	f.t.Helper()
	r := f.start(args...)
	err := r.wait(2 * time.Minute)
	return r.out.String(), err
}

// must is do, where only success is meant.
func (f *terraform) must(args ...string) {
	f.t.Helper()
	if out, err := f.do(args...); err != nil {
		f.t.Fatalf("terraform %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func (f *terraform) stateFile() string { return filepath.Join(f.dir, "terraform.tfstate") }

// stateIsWhole tells whether there is a state that terraform can read, or none.
func (f *terraform) stateIsWhole() bool {
	data, err := os.ReadFile(f.stateFile())
	if errors.Is(err, os.ErrNotExist) {
		return true
	}
	return err == nil && json.Valid(data)
}

// processes are the numbers of all processes.
func processes() []int {
	entries, _ := os.ReadDir("/proc")
	var found []int
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			found = append(found, pid)
		}
	}
	return found
}

// parentOf is a process's parent, and whether the process lives.
func parentOf(pid int) (parent int, lives bool) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, false
	}
	fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
	parent, _ = strconv.Atoi(fields[1])
	return parent, fields[0] != "Z"
}
