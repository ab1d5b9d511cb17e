package simtest

import (
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// EnvDocker is the address of a container engine that has the lab's images;
// test/lab/docker.sh sets it. With it, PLEX_LAB names the image that servers run in.
const EnvDocker = "PLEX_LAB_DOCKER"

// image is one of the lab's, and how the server in it is kept.
type image struct {
	uid     int    // of the server
	service string // its s6 service directory; empty: the server is process 1
}

var images = map[string]image{
	"pms-docker":  {1000, "/var/run/s6/services/plex"},
	"linuxserver": {911, "/run/service/svc-plex"},
	"process-1":   {1000, ""},
}

// container is a server in a container, with its files in a volume that the test
// sees.
type container struct {
	image
	t      testing.TB
	called string // its image
	name   string
	volume string
}

// inContainer makes one that does not run yet.
func inContainer(t testing.TB, called string) *container {
	t.Helper()
	if os.Getenv(EnvDocker) == "" {
		t.Fatalf("%s is %q, and no container engine is given in %s", EnvLab, called, EnvDocker)
	}
	return &container{image: images[called], t: t, called: called, name: "plex-" + strings.ToLower(rand.Text()[:10]), volume: t.TempDir()}
}

func (c *container) supportDir() string {
	return filepath.Join(c.volume, "Library", "Application Support")
}

// inside is how the container has a path of the volume.
func (c *container) inside(path string) string { return "/config" + strings.TrimPrefix(path, c.volume) }

func (c *container) docker(arguments ...string) (string, error) {
	out, err := exec.Command("docker", append([]string{"-H", os.Getenv(EnvDocker)}, arguments...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("docker %s: %w\n%s", strings.Join(arguments, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// start makes the container the first time.
func (c *container) start() error {
	if _, err := c.docker("inspect", c.name); err != nil {
		if err := c.create(); err != nil {
			return err
		}
	}
	if _, err := c.docker("start", c.name); err != nil || c.service == "" {
		return err
	}
	// A container that runs may have its service down. Its supervisor may not be
	// there yet in one that does not; it starts the service by itself.
	_, _ = c.docker("exec", c.name, "s6-svc", "-u", c.service)
	return nil
}

func (c *container) create() error {
	err := filepath.WalkDir(c.volume, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return c.own(path)
	})
	if err != nil {
		return err
	}
	_, err = c.docker("create", "--pull=never", "--network=host", "--name", c.name, "--volume", c.volume+":/config", "plexlab/"+c.called)
	return err
}

func (c *container) stop() error {
	if c.service == "" {
		_, err := c.docker("stop", "--time=60", c.name)
		return err
	}
	_, err := c.docker("exec", c.name, "s6-svc", "-wD", "-d", c.service)
	return err
}

func (c *container) kill() error {
	if c.service == "" {
		_, err := c.docker("kill", c.name)
		return err
	}
	if _, err := c.docker("exec", c.name, "s6-svc", "-d", c.service); err != nil {
		return err
	}
	if pid := c.pid(); pid != 0 {
		process, err := os.FindProcess(pid)
		if err != nil {
			return err
		}
		if err := process.Kill(); err != nil {
			return err
		}
	}
	return c.stop()
}

func (c *container) pid() int {
	out, err := c.docker("top", c.name, "-eo", "pid,comm")
	if err != nil {
		return 0 // the container does not run
	}
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		if len(fields) > 1 && slices.Equal(fields[1:], []string{"Plex", "Media", "Serv"}) {
			pid, err := strconv.Atoi(fields[0])
			if err == nil {
				return pid
			}
		}
	}
	return 0
}

func (c *container) retire() error {
	_, err := c.docker("rm", "--force", "--volumes", c.name)
	if err != nil && strings.Contains(err.Error(), "No such container") {
		return nil // it was never started
	}
	return err
}

func (c *container) own(path string) error { return os.Lchown(path, c.uid, c.uid) }

func (c *container) commands() Commands {
	line := func(verb string) string {
		return "docker -H " + quote(os.Getenv(EnvDocker)) + " " + verb + " " + quote(c.name)
	}
	return Commands{Stop: line("stop"), Start: line("start"), Status: line("top")}
}

func (c *container) manager() string {
	if c.service == "" {
		return "container"
	}
	return "s6"
}

func (c *container) unit() string {
	if c.service == "" {
		return c.name
	}
	return c.service
}
