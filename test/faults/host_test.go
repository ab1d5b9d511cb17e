//go:build linux

package faults_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// lab is the script that boots the lab's hosts.
const lab = "../lab/host.sh"

// labHost is a lab host of one trial: a real systemd, on a disk of its own that
// loses at a power cut what was not written. It shares the harness's temporary
// directory. Its network is a loopback: the harness hands on connections.
type labHost struct {
	t        testing.TB
	name     string
	server   simtest.Host
	plexTV   string // host:port, there and here
	process1 atomic.Int64
	out, in  net.Listener // to the server; from the host to plex.tv
	serving  sync.WaitGroup
}

var bootedHosts atomic.Int64

func bootHost(t testing.TB, plexTV string) *labHost {
	t.Helper()
	h := &labHost{
		t: t, plexTV: strings.TrimPrefix(plexTV, "http://"),
		name: fmt.Sprintf("faults-%d-%d", os.Getpid(), bootedHosts.Add(1)),
	}
	h.server = simtest.Host{
		Root: filepath.Join(os.Getenv("LAB"), "hosts", h.name, "root"),
		Run:  func(arguments ...string) (string, error) { return h.sh("run", arguments...) },
		PID:  h.serverProcess,
	}
	t.Cleanup(h.remove)
	var err error
	if h.out, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	h.server.Addr = h.out.Addr().String()
	h.handOn(h.out, func() (conn net.Conn, err error) {
		err = inNetwork(int(h.process1.Load()), func() error {
			conn, err = net.Dial("tcp", h.server.Addr)
			return err
		})
		return conn, err
	})
	h.boot()
	// What a stale pid file does to a server, those who package it prevent.
	h.must("run", "sh", "-ec", `dir=/etc/systemd/system/plexmediaserver.service.d; mkdir -p $dir; printf '[Service]\nExecStartPre=/bin/rm -f "%s/Plex Media Server/plexmediaserver.pid"\n' "$1" >$dir/faults.conf; systemctl daemon-reload`,
		"sh", "/var/lib/plexmediaserver/Library/Application Support")
	return h
}

// sh is one command of the lab for this host.
func (h *labHost) sh(command string, arguments ...string) (string, error) {
	argv := append([]string{command, h.name}, arguments...)
	cmd := exec.Command(lab, argv...)
	cmd.Env = append(os.Environ(), "LAB_DISK=200M", "LAB_SHARE="+os.TempDir(), fmt.Sprintf("LAB_OWNER=%d", os.Getpid()))
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s %s: %w: %s", lab, strings.Join(argv, " "), err, out)
	}
	return string(out), err
}

func (h *labHost) must(command string, arguments ...string) string {
	h.t.Helper()
	out, err := h.sh(command, arguments...)
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// boot returns when the host has started all that it starts.
func (h *labHost) boot() {
	h.t.Helper()
	h.must("up")
	var pid int64
	if _, err := fmt.Sscan(h.must("pid"), &pid); err != nil {
		h.t.Fatal(err)
	}
	h.process1.Store(pid)
	err := inNetwork(int(pid), func() (err error) {
		h.in, err = net.Listen("tcp", h.plexTV)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.handOn(h.in, func() (net.Conn, error) { return net.Dial("tcp", h.plexTV) })
}

// cut takes the power away.
func (h *labHost) cut() {
	h.t.Helper()
	_ = h.in.Close()
	h.must("kill")
}

// written has all on the disk that was written before the operation.
func (h *labHost) written() { h.must("run", "sync", "-f", "/") }

// events is a file that the server writes to, and that outlives the host.
func (h *labHost) events() string {
	h.t.Helper()
	dir, err := os.MkdirTemp("", "events-")
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "events")
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(path, nil, 0o600), os.Chmod(path, 0o666)); err != nil {
		h.t.Fatal(err)
	}
	return path
}

func (h *labHost) remove() {
	for _, l := range []net.Listener{h.out, h.in} {
		if l != nil {
			_ = l.Close()
		}
	}
	_, kill := h.sh("kill")
	_, down := h.sh("down")
	if err := errors.Join(kill, down); err != nil {
		h.t.Error(err)
	}
	h.serving.Wait()
}

// has tells whether a process of this machine is one of the host's.
func (h *labHost) has(pid int) bool {
	ours, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", h.process1.Load()))
	theirs, _ := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid))
	return err == nil && ours == theirs
}

func (h *labHost) serverProcess() int {
	for _, pid := range processes() {
		if nameOf(pid) == "Plex Media Serv" && h.has(pid) {
			if _, lives := parentOf(pid); lives {
				return pid
			}
		}
	}
	return 0
}

// handOn gives each connection to a listener one of its own at the other end.
func (h *labHost) handOn(l net.Listener, dial func() (net.Conn, error)) {
	h.serving.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := dial()
			if err != nil {
				_ = near.Close()
				continue
			}
			for _, pair := range [][2]net.Conn{{near, far}, {far, near}} {
				h.serving.Go(func() {
					_, _ = io.Copy(pair[0], pair[1])
					_, _ = near.Close(), far.Close()
				})
			}
		}
	})
}

// inNetwork runs f in the network of a process; what it opens stays there.
func inNetwork(pid int, f func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this
		space, err := os.Open(fmt.Sprintf("/proc/%d/ns/net", pid))
		if err != nil {
			done <- err
			return
		}
		err = unix.Setns(int(space.Fd()), unix.CLONE_NEWNET)
		if err = errors.Join(err, space.Close()); err == nil {
			err = f()
		}
		done <- err
	}()
	return <-done
}
