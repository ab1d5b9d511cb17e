package host_test

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// envDocker is the address of a real engine that has the lab's images;
// test/lab/docker.sh sets it.
const envDocker = "PLEX_LAB_DOCKER"

func needEngine(t *testing.T) string {
	t.Helper()
	address := os.Getenv(envDocker)
	if address == "" {
		t.Skipf("NOT RUN: no container engine is given in %s; test/lab/docker.sh test gives one", envDocker)
	}
	return address
}

func docker(t *testing.T, arguments ...string) string {
	t.Helper()
	out, err := exec.Command("docker", append([]string{"-H", needEngine(t)}, arguments...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("docker %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// newContainer starts an image of the lab; arguments are those of docker run.
func newContainer(t *testing.T, image string, arguments ...string) string {
	t.Helper()
	name := "plex-" + strings.ToLower(rand.Text()[:10])
	command := append([]string{"run", "--detach", "--pull=never", "--name", name, "--env=PLEXSIM_ADDR=127.0.0.1:0"}, arguments...)
	docker(t, append(command, "plexlab/"+image)...)
	t.Cleanup(func() { docker(t, "rm", "--force", "--volumes", name) })
	return name
}

func containerOn(on host.Host, name string) *host.Container {
	return host.NewContainer(on, host.ContainerTarget{Name: name, Engine: os.Getenv(envDocker)})
}

func inContainer(t *testing.T, image string, arguments ...string) *host.Container {
	t.Helper()
	return containerOn(host.Local{}, newContainer(t, image, arguments...))
}

func TestContainerNamesItself(t *testing.T) {
	if got := host.NewContainer(host.Local{}, host.ContainerTarget{Name: "plex"}).Name(); got != "container plex" {
		t.Errorf("%q", got)
	}
	if got := host.NewContainer(host.Exec{Command: []string{"nas"}}, host.ContainerTarget{Name: "plex"}).Name(); got != "container plex on nas" {
		t.Errorf("%q", got)
	}
}

// everyWay is each way to an engine's socket: straight, and by a docker command
// where no connection is to be had.
func everyWay(t *testing.T, test func(t *testing.T, on host.Host)) {
	t.Helper()
	needEngine(t)
	t.Run("socket", func(t *testing.T) { test(t, host.Local{}) })
	t.Run("docker command", func(t *testing.T) { test(t, host.Exec{Command: []string{"sh"}}) })
}

func TestContainerShellIsInsideAndRoot(t *testing.T) {
	everyWay(t, func(t *testing.T, on host.Host) {
		c := containerOn(on, newContainer(t, "process-1", "--network=none"))
		s, err := c.Shell(t.Context(), "id -u; cat /proc/1/comm; echo apart >&2")
		if err != nil {
			t.Fatal(err)
		}
		out, err := io.ReadAll(s)
		if err != nil || string(out) != "0\nPlex Media Serv\n" {
			t.Errorf("%q %v", out, err)
		}
		if err := s.Wait(); err != nil {
			t.Error(err)
		}
	})
}

func TestContainerShellTakesEveryByteAndSeesTheEndOfItsInput(t *testing.T) {
	everyWay(t, func(t *testing.T, on host.Host) {
		c := containerOn(on, newContainer(t, "process-1", "--network=none"))
		s, err := c.Shell(t.Context(), "cat; echo end >&2; exit 7")
		if err != nil {
			t.Fatal(err)
		}
		sent := make([]byte, 300_000)
		_, _ = rand.Read(sent)
		go func() {
			_, _ = s.Write(sent)
			_ = s.Close()
		}()
		got, err := io.ReadAll(s)
		if err != nil || string(got) != string(sent) {
			t.Errorf("%d bytes of %d, %v", len(got), len(sent), err)
		}
		var exit *host.ExitError
		if err := s.Wait(); !errors.As(err, &exit) || exit.Status != 7 || exit.Stderr != "end" {
			t.Errorf("%v", err)
		}
	})
}

func TestContainerScriptIsNotInTheProcessList(t *testing.T) {
	c := inContainer(t, "process-1", "--network=none")
	s, err := c.Shell(t.Context(), "secret=planted; cat /proc/*/cmdline | tr '\\000' ' '")
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(s)
	if err != nil || !strings.Contains(string(out), "Plex Media Server") || strings.Contains(string(out), "planted") {
		t.Errorf("%q %v", out, err)
	}
}

func TestContainerErrorsSayWhatToDo(t *testing.T) {
	needEngine(t)
	paused := newContainer(t, "process-1", "--network=none")
	docker(t, "pause", paused)
	t.Cleanup(func() { docker(t, "unpause", paused) })
	stopped := newContainer(t, "process-1", "--network=none")
	docker(t, "kill", stopped)
	docker(t, "wait", stopped)
	nobody := host.Exec{Command: []string{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh"}}
	for _, c := range []struct {
		name   string
		h      *host.Container
		want   error
		advice string
	}{
		{"wrong name", containerOn(host.Local{}, "plexx"), host.ErrNoContainer, paused},
		{"paused", containerOn(host.Local{}, paused), host.ErrContainerState, "docker unpause"},
		{"stopped", containerOn(host.Local{}, stopped), host.ErrContainerState, "Start it"},
		{"no shell in it", inContainer(t, "bare", "--network=none"), host.ErrNoInterpreter, "without a shell"},
		{"no permission", containerOn(nobody, stopped), host.ErrEngine, "group docker"},
		{"no engine", host.NewContainer(host.Local{}, host.ContainerTarget{Name: "plex", Engine: "unix:///nowhere/docker.sock"}), host.ErrEngine, "Start the engine"},
		{"no engine at a port", host.NewContainer(host.Local{}, host.ContainerTarget{Name: "plex", Engine: "tcp://127.0.0.1:9"}), host.ErrEngine, "systemctl start docker"},
		{"no engine there", host.NewContainer(nobody, host.ContainerTarget{Name: "plex", Engine: "unix:///nowhere/docker.sock"}), host.ErrEngine, "Start the engine"},
		{"an address of ssh", host.NewContainer(host.Local{}, host.ContainerTarget{Name: "plex", Engine: "ssh://nas"}), host.ErrEngine, "server.ssh"},
		{"no address", host.NewContainer(host.Local{}, host.ContainerTarget{Name: "plex", Engine: "/var/run/docker.sock"}), host.ErrEngine, "unix:///"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.h.Shell(t.Context(), "true")
			var e *host.Error
			if !errors.Is(err, c.want) || !errors.Is(err, host.ErrShell) || !errors.As(err, &e) || !strings.Contains(e.Next, c.advice) {
				t.Errorf("%v; advice %+v, want %q", err, e, c.advice)
			}
		})
	}
}

func TestContainerOfThisMachineIsWhereDockerHostSays(t *testing.T) {
	t.Setenv("DOCKER_HOST", needEngine(t))
	name := newContainer(t, "process-1", "--network=none")
	if info, err := host.NewContainer(host.Local{}, host.ContainerTarget{Name: name}).Info(t.Context()); err != nil || info.Name != name {
		t.Errorf("%+v %v", info, err)
	}
	there := host.NewContainer(host.Exec{Command: []string{"sh"}}, host.ContainerTarget{Name: name})
	if got := there.EngineAddress(); got != host.DefaultEngine {
		t.Errorf("another machine's engine is %s", got)
	}
}

func TestContainerWithItsMachinesNetworkIsDialledThere(t *testing.T) {
	c := inContainer(t, "process-1", "--network=host")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := c.Dial(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	_ = l.Close()
	if _, err := c.Dial(t.Context(), "tcp", l.Addr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v, want a refused connection", err)
	}
}

func TestContainerWithoutANetworkIsNotDialled(t *testing.T) {
	c := inContainer(t, "process-1", "--network=none")
	if _, err := c.Dial(t.Context(), "tcp", "127.0.0.1:32400"); !errors.Is(err, host.ErrNoForwarding) {
		t.Errorf("%v, want no forwarding", err)
	}
}

func TestContainerInTheNetworkOfAnotherIsDialledThere(t *testing.T) {
	first := newContainer(t, "process-1", "--network=none")
	c := inContainer(t, "process-1", "--network=container:"+first)
	if _, err := c.Dial(t.Context(), "tcp", "127.0.0.1:32400"); !errors.Is(err, host.ErrNoForwarding) {
		t.Errorf("%v, want no forwarding", err)
	}
}

func TestContainerFilesKeepOwnerModeAndBytesAlsoWhenItIsStopped(t *testing.T) {
	c := inContainer(t, "process-1", "--network=none")
	for _, stop := range []bool{false, true} {
		if stop {
			if err := c.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		f, err := c.Get(t.Context(), "/etc/passwd")
		if err != nil {
			t.Fatal(err)
		}
		f.Uid, f.Gid, f.Mode, f.Data = 1234, 4321, 0o640, append(f.Data, "\x00\xff\n"...)
		if err := c.Replace(t.Context(), "/tmp/a file", f); err != nil {
			t.Error(err)
		}
		if _, err := c.Get(t.Context(), "/no/such/file"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v, want one that is not there", err)
		}
	}
}

// A stop that nobody waits for any more goes on, and never kills; a restart
// policy does not undo it.
func TestContainerStopNeverKillsAndIsNotUndone(t *testing.T) {
	dir := t.TempDir()
	support := filepath.Join(dir, "Library", "Application Support")
	if err := os.MkdirAll(support, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(support, "plexsim.json"), []byte(`{"stop_delay":"2500ms"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	name := newContainer(t, "process-1", "--network=none", "--restart=always", "--stop-timeout=1", "--user=0", "--volume", dir+":/config")
	c := containerOn(host.Local{}, name)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second) // the engine has heard of it by then
	defer cancel()
	if err := c.Stop(ctx); err == nil {
		t.Fatal("it stopped at once")
	}
	simtest.Eventually(t, "the end", func() bool { runs, err := c.Running(t.Context()); return err == nil && !runs })
	if got := docker(t, "inspect", "--format", "{{.State.ExitCode}} {{.State.Status}}", name); got != "0 exited" {
		t.Errorf("it ended as %s", got)
	}
}
