//go:build linux

package faults_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// containerPlaces are those of a server in a container, where the steps do not
// stand before anything: the script runs inside, or there is none.
var containerPlaces = []string{random, random, random, "server stopping", "server stopped", "server starting", "server started"}

// ofTheEngine happen to containers alone.
var ofTheEngine = []fault{
	// With a restart policy, since an engine that ends stops all containers that have none for good.
	{name: "engine restarted", ends: true, ways: []string{"container"}, weight: 2, lasts: 30 * time.Second,
		before: func(tr *trial) {
			tr.command("docker", "-H", os.Getenv(simtest.EnvDocker), "update", "--restart=unless-stopped", tr.sim.Container())
		},
		strike: func(tr *trial) { tr.restartEngine() }},
	{name: "guard of the container SIGKILL", ways: []string{"container"}, places: []string{"server stopping"}, strike: func(tr *trial) {
		for _, pid := range below(tr.run.cmd.Process.Pid) {
			if nameOf(pid) == "sh" {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}},
}

// restartEngine ends the engine as its service manager does, and starts it again.
// Containers of other trials end with it: there must be none.
func (tr *trial) restartEngine() {
	tr.t.Helper()
	address := os.Getenv(simtest.EnvDocker)
	dir := filepath.Dir(strings.TrimPrefix(address, "unix://"))
	data, err := os.ReadFile(filepath.Join(dir, "docker.pid"))
	tr.must(err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(data)))
	tr.must(err)
	data, err = os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	tr.must(err)
	argv := strings.Split(strings.TrimRight(string(data), "\x00"), "\x00")
	tr.must(syscall.Kill(pid, syscall.SIGTERM))
	if !within(patience, func() bool { _, lives := parentOf(pid); return !lives }) {
		tr.t.Fatal("the engine does not end")
	}
	tr.unmountBelow(dir)
	program, err := exec.LookPath(argv[0])
	tr.must(err)
	log, err := os.OpenFile(filepath.Join(dir, "dockerd.log"), os.O_APPEND|os.O_WRONLY, 0)
	tr.must(err)
	defer func() { _ = log.Close() }()
	// It outlives the harness, as the one before it.
	process, err := os.StartProcess(program, argv, &os.ProcAttr{
		Env: os.Environ(), Files: []*os.File{nil, log, log}, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	tr.must(err)
	tr.must(process.Release())
	if !within(patience, func() bool { return command("docker", "-H", address, "version") == nil }) {
		tr.t.Fatal("the engine does not start")
	}
}

// drawn are the places from which one is drawn.
func drawn(f fault, way string) []string {
	if way == "container" && len(f.places) == 0 {
		return containerPlaces
	}
	return or(f.places, placed())
}

// unmountBelow unmounts what an engine has left mounted that had to end its
// containers in a hurry. The next one would lay its own directory over it.
func (tr *trial) unmountBelow(dir string) {
	tr.t.Helper()
	data, err := os.ReadFile("/proc/mounts")
	tr.must(err)
	mounts := slices.Collect(strings.Lines(string(data)))
	for _, line := range slices.Backward(mounts) {
		if at := strings.Fields(line)[1]; strings.HasPrefix(at, dir+"/") {
			tr.command("umount", at)
		}
	}
}
