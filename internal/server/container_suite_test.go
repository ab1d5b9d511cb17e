//go:build linux

package server_test

import (
	"bytes"
	cryptorand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// envDocker is the address of a real engine that has the lab's images;
// test/lab/docker.sh sets it.
const envDocker = "PLEX_LAB_DOCKER"

// layout is an image of the lab.
type layout struct {
	image      string
	uid        int
	supervised bool
	manager    string
}

var (
	pmsDocker   = layout{"pms-docker", 1000, true, "s6"}
	linuxserver = layout{"linuxserver", 911, true, "s6"}
	process1    = layout{"process-1", 1000, false, server.ManagerContainer}
	bare        = layout{"bare", 1000, false, server.ManagerContainer}
)

// everyLayout runs test once for each image.
func everyLayout(t *testing.T, test func(t *testing.T, l layout)) {
	t.Helper()
	needEngine(t)
	for _, l := range []layout{pmsDocker, linuxserver, process1, bare} {
		t.Run(l.image, func(t *testing.T) {
			t.Parallel()
			test(t, l)
		})
	}
}

func needEngine(t *testing.T) {
	t.Helper()
	if os.Getenv(envDocker) == "" {
		t.Skipf("NOT RUN: no container engine is given in %s; test/lab/docker.sh test gives one", envDocker)
	}
}

// box is a container with a server in it, and its volume.
type box struct {
	layout
	Name     string
	Identity simtest.Identity

	t      *testing.T
	dir    string // of the volume, on this machine
	config plexsim.Config
}

// boxOptions say how the container is made; the zero value is the usual one.
type boxOptions struct {
	configure func(*plexsim.Config)
	arguments []string // of docker run
	more      func(*box) []string
	created   bool // it is not started
	down      bool // nor is the service in it
	noVolume  bool // the files are copied into the container itself
}

func newBox(t *testing.T, l layout, o boxOptions) *box {
	t.Helper()
	needEngine(t)
	b := &box{layout: l, Name: "plex-" + strings.ToLower(cryptorand.Text()[:10]), Identity: simtest.NewIdentity(), t: t, dir: t.TempDir()}
	b.config = plexsim.Config{
		SupportDir: filepath.Join(b.dir, "Library", "Application Support"),
		Addr:       freePort(t), PlexTVURL: "http://127.0.0.1:9", Events: filepath.Join(".plexsim", "events"),
	}
	if o.configure != nil {
		o.configure(&b.config)
	}
	for _, dir := range []string{b.config.DataDir(), filepath.Join(b.config.SupportDir, ".plexsim")} {
		b.must(os.MkdirAll(dir, 0o755))
	}
	b.must(plexsim.WriteConfig(filepath.Join(b.config.SupportDir, plexsim.ConfigName), b.config))
	b.must(os.WriteFile(b.path(), simtest.Preferences(b.Identity, simtest.Owner, "tokenOfTheContainer1"), 0o600))
	if o.down {
		b.must(os.WriteFile(filepath.Join(b.dir, "down"), nil, 0o644))
	}
	b.must(filepath.WalkDir(b.dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, l.uid, l.uid)
	}))
	command := []string{"create", "--pull=never", "--network=host", "--name", b.Name}
	if !o.noVolume {
		command = append(command, "--volume", b.dir+":/config")
	}
	if o.more != nil {
		command = append(command, o.more(b)...)
	}
	b.docker(append(append(command, o.arguments...), "plexlab/"+l.image)...)
	lock := b.engineLock()
	t.Cleanup(func() {
		b.docker("rm", "--force", "--volumes", b.Name)
		_ = os.Remove(lock) // it stays, and would be one for each container of each run
	})
	if o.noVolume && o.more == nil {
		b.must(sh("tar -C %s --transform 's,^\\.,config,' -c . | docker -H %s cp - %s:/", host.Quote(b.dir), os.Getenv(envDocker), b.Name))
	}
	if o.created {
		return b
	}
	b.docker("start", b.Name)
	if !o.down {
		b.waitReady()
	}
	return b
}

// docker is what a person would do with the engine.
func (b *box) docker(arguments ...string) string {
	b.t.Helper()
	out, err := exec.Command("docker", append([]string{"-H", os.Getenv(envDocker)}, arguments...)...).CombinedOutput()
	if err != nil {
		b.t.Fatalf("docker %s: %v\n%s", strings.Join(arguments, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func sh(format string, values ...any) error {
	out, err := exec.Command("sh", "-c", fmt.Sprintf(format, values...)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

func (b *box) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) path() string { return b.config.PreferencesPath() }

// host is the container, reached through on.
func (b *box) host(on host.Host) *host.Container {
	return host.NewContainer(on, host.ContainerTarget{Name: b.Name, Engine: os.Getenv(envDocker)})
}

func (b *box) options(changes ...func(*server.Options)) server.Options {
	o := server.Options{URL: "http://" + b.config.Addr, Limits: quick}
	for _, change := range changes {
		change(&o)
	}
	return o
}

// server is the one in the container, with this machine's engine.
func (b *box) server(changes ...func(*server.Options)) *server.Server {
	b.t.Helper()
	return newServer(b.t, b.host(host.Local{}), b.options(changes...))
}

func (b *box) preferences() []byte {
	b.t.Helper()
	data, err := os.ReadFile(b.path())
	b.must(err)
	return data
}

func (b *box) count(kind string) int {
	b.t.Helper()
	events, err := plexsim.ReadEvents(b.config.EventsPath())
	if os.IsNotExist(err) {
		return 0
	}
	b.must(err)
	return plexsim.Count(events, kind)
}

func (b *box) waitCount(kind string, n int) {
	b.t.Helper()
	simtest.Eventually(b.t, fmt.Sprintf("event %q, %d times", kind, n), func() bool { return b.count(kind) >= n })
}

func (b *box) answers() bool {
	request, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, "http://"+b.config.Addr+"/identity", nil)
	b.must(err)
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

func (b *box) waitReady() {
	b.t.Helper()
	simtest.Eventually(b.t, "/identity of "+b.Name, b.answers)
}

// runs tells what the engine says of the container itself.
func (b *box) runs() bool {
	b.t.Helper()
	return b.docker("inspect", "--format", "{{.State.Running}}", b.Name) == "true"
}

// lock is the file that one editor at a time holds: of the container, or inside.
func (b *box) lock() string {
	if b.supervised {
		return filepath.Join(b.config.DataDir(), ".terraform-provider-plex.lock")
	}
	return b.engineLock()
}

// engineLock is where guard.sh has it.
func (b *box) engineLock() string {
	b.t.Helper()
	name := "terraform-provider-plex-" + b.docker("inspect", "--format", "{{.Id}}", b.Name) + ".lock"
	for _, dir := range []string{"/run/lock", "/var/lock"} {
		if info, err := os.Stat(dir); err == nil && info.Mode().Perm() == 0o777 && info.Mode()&os.ModeSticky != 0 {
			return filepath.Join(dir, name)
		}
	}
	return filepath.Join("/tmp", name)
}

// waitIdle waits until no editor, and nobody who finishes for one, is left.
func (b *box) waitIdle() {
	b.t.Helper()
	lock := b.lock()
	simtest.Eventually(b.t, "the lock", func() bool {
		f, err := os.Open(lock)
		if err != nil {
			return os.IsNotExist(err)
		}
		defer func() { _ = f.Close() }()
		return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
	})
}

// wantUntouched checks that the server was neither stopped nor changed.
func (b *box) wantUntouched(before []byte) {
	b.t.Helper()
	if n := b.count(plexsim.EventStopping); n != 0 {
		b.t.Errorf("the server was stopped %d times, want 0", n)
	}
	if !bytes.Equal(b.preferences(), before) {
		b.t.Error("the preferences have changed")
	}
}

// wantAttributes checks that the preferences still belong to who runs the
// server, and to nobody else.
func (b *box) wantAttributes() {
	b.t.Helper()
	info, err := os.Stat(b.path())
	b.must(err)
	owner := info.Sys().(*syscall.Stat_t)
	if int(owner.Uid) != b.uid || int(owner.Gid) != b.uid || info.Mode().Perm() != 0o600 {
		b.t.Errorf("owner and mode are %d:%d %v", owner.Uid, owner.Gid, info.Mode())
	}
}

// freePort is below the ports that the kernel gives to whoever asks for any.
func freePort(t *testing.T) string {
	t.Helper()
	for range 1000 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10000+rand.IntN(9000))
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close()
			return addr
		}
	}
	t.Fatal("no free port")
	return ""
}
