package simtest

import (
	"os"
	"strconv"
	"strings"
)

// Host is a lab host (docs/design/lab.md), seen from the machine that has booted it:
// a server of [Options] that names one is its plexmediaserver.service.
type Host struct {
	Root string                                    // its root directory, as the test has it
	Addr string                                    // where the server listens, there and, handed on, here
	Run  func(arguments ...string) (string, error) // a command in it, as root; what it prints
	PID  func() int                                // the server's process, as the test has it; 0: it does not run
}

const (
	hostUnit    = "plexmediaserver.service"
	hostSupport = "/var/lib/plexmediaserver/Library/Application Support"
)

// hosted is a server in a lab host. Its service is enabled: it starts when the host
// is booted.
type hosted struct {
	*Host
	uid, gid int
}

// onHost takes the server of a host that has just been booted: it does not run any
// more, and has no files.
func onHost(h *Host) (hosted, error) {
	k := hosted{Host: h}
	if err := k.kill(); err != nil {
		return k, err
	}
	for _, of := range []struct {
		flag string
		id   *int
	}{{"-u", &k.uid}, {"-g", &k.gid}} {
		out, err := h.Run("id", of.flag, "plex")
		if err != nil {
			return k, err
		}
		if *of.id, err = strconv.Atoi(strings.TrimSpace(out)); err != nil {
			return k, err
		}
	}
	_, err := h.Run("sh", "-ec", `rm -rf "$1"; install -d -o plex -g plex "$1" "$1/Plex Media Server" "$1/.plexsim"; echo "PLEXSIM_ADDR=$2" >/etc/default/plexmediaserver`,
		"sh", hostSupport, h.Addr)
	return k, err
}

func (k hosted) supportDir() string { return k.Root + hostSupport }

// inside is how the host has a path.
func (k hosted) inside(path string) string { return strings.TrimPrefix(path, k.Root) }

func (k hosted) systemctl(arguments ...string) error {
	_, err := k.Run(append([]string{"systemctl"}, arguments...)...)
	return err
}

func (k hosted) start() error {
	_ = k.systemctl("reset-failed", hostUnit) // as for a unit of this host
	return k.systemctl("start", hostUnit)
}

func (k hosted) stop() error { return k.systemctl("stop", hostUnit) }

func (k hosted) kill() error {
	if err := k.systemctl("stop", "--no-block", hostUnit); err != nil {
		return err
	}
	_ = k.systemctl("kill", "--signal=KILL", hostUnit)
	return k.stop()
}

// retire has nothing to do: the host goes with all that is in it.
func (k hosted) retire() error { return nil }

func (k hosted) pid() int              { return k.PID() }
func (k hosted) own(path string) error { return os.Lchown(path, k.uid, k.gid) }
func (k hosted) commands() Commands    { return systemd{}.commands(hostUnit) }
func (k hosted) manager() string       { return systemd{}.manager() }
func (k hosted) unit() string          { return hostUnit }
