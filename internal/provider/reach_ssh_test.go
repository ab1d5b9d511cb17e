package provider_test

import (
	"bytes"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// What goes wrong on the way by SSH to a lab host, whose sshd and sudo are real:
// each is an error that a person can act on, and stops nothing.

// onlyBySSH skips a test that needs a lab host's sshd.
func onlyBySSH(t *testing.T) way {
	t.Helper()
	w := theWay(t)
	if os.Getenv(envWay) != "ssh" {
		t.Skip("NOT RUN: it needs a lab host, and " + envWay + "=ssh")
	}
	return w
}

// detour is the way with some lines of the SSH client configuration before its own.
func (w way) detour(t *testing.T, lines ...string) way {
	t.Helper()
	usual, err := os.ReadFile(filepath.Join(wayDir, "config"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, append([]byte(strings.Join(lines, "\n")+"\n"), usual...), 0o600); err != nil {
		t.Fatal(err)
	}
	w.provider = "ssh = { config_path = " + quote(path) + " }"
	return w
}

// strandedBy applies a binding of a bound server over a way on which it fails.
func strandedBy(t *testing.T, den *subject, w *world, detour way, says ...string) {
	t.Helper()
	before := den.Preferences()
	den.way = detour
	w.provider = detour.provider
	config := w.config(simtest.Owner, bindingOf("den", den, `account = "owner"`))
	operate(w, den, config).apply().failed(append(says, "Nothing was stopped"), asksNothing)
	if den.StopCount() != 0 || !den.Running() || !bytes.Equal(den.Preferences(), before) {
		t.Error("the server was touched")
	}
}

func TestBySSHAWrongKeyIsAnErrorThatSaysWhatWasTried(t *testing.T) {
	t.Parallel()
	usual := onlyBySSH(t)
	w := newWorld(t)
	key := filepath.Join(t.TempDir(), "stranger")
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	strandedBy(t, w.boundTo(simtest.Owner), w, usual.detour(t, "Host den gate", " IdentityAgent none", " IdentityFile "+key), "publickey", key)
}

func TestBySSHAWrongHostKeyIsAnErrorThatNamesFileAndLine(t *testing.T) {
	t.Parallel()
	usual := onlyBySSH(t)
	w := newWorld(t)
	dir := t.TempDir()
	out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, "key")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	other, err := os.ReadFile(filepath.Join(dir, "key.pub"))
	if err != nil {
		t.Fatal(err)
	}
	known := filepath.Join(dir, "known_hosts")
	line := "# a comment\n" + knownhosts.HashHostname("127.0.0.1") + " " + string(other)
	if err := os.WriteFile(known, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	strandedBy(t, w.boundTo(simtest.Owner), w, usual.detour(t, "Host den gate", " UserKnownHostsFile "+known), "ssh-ed25519", "SHA256:", known+":2")
}

func TestBySSHAHostThatIsNotKnownIsAnErrorWithTheWaysOut(t *testing.T) {
	t.Parallel()
	usual := onlyBySSH(t)
	w := newWorld(t)
	known := filepath.Join(t.TempDir(), "known_hosts")
	strandedBy(t, w.boundTo(simtest.Owner), w, usual.detour(t, "Host den gate", " UserKnownHostsFile "+known), "SHA256:", "host_key", "accept-new")
}

func TestBySSHAUserWithoutSudoIsAnErrorWithTheRuleThatIsMissing(t *testing.T) {
	t.Parallel()
	usual := onlyBySSH(t)
	w := newWorld(t)
	const name = "guest"
	if _, err := user.Lookup(name); err != nil {
		script := "useradd -m " + name + " && usermod -p '*' " + name + " && cp -a /home/admin/.ssh /home/" + name + "/ && chown -R " + name + ": /home/" + name + "/.ssh"
		if out, err := exec.Command("sh", "-c", script).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	strandedBy(t, w.boundTo(simtest.Owner), w, usual.detour(t, "Host den", " User "+name), "sudo", "NOPASSWD: /bin/sh")
}

func TestBySSHAHostWithoutARouteIsAnError(t *testing.T) {
	t.Parallel()
	usual := onlyBySSH(t)
	w := newWorld(t)
	strandedBy(t, w.boundTo(simtest.Owner), w, usual.detour(t, "Host den", " HostName 192.0.2.1", " ProxyJump none"), "no route")
}

func TestBySSHARefusedConnectionIsAnError(t *testing.T) {
	t.Parallel()
	usual := onlyBySSH(t)
	w := newWorld(t)
	strandedBy(t, w.boundTo(simtest.Owner), w, usual.detour(t, "Host den", " Port 1", " ProxyJump none"), "refused")
	strandedBy(t, w.boundTo(simtest.Owner), w, usual.detour(t, "Host den", " Port 1"), "jump host", "refused")
}

func TestBySSHAMissingServiceIsAnError(t *testing.T) {
	t.Parallel()
	onlyBySSH(t)
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	config := strings.Replace(w.config(simtest.Owner, bindingOf("den", den)), den.Unit(), "nosuch.service", 1)
	operate(w, den, config).apply().failed([]string{"nosuch.service", "server.service.name", "Nothing was stopped"}, asksNothing)
}

func TestBySSHAReadOnlyFileSystemIsAnErrorBeforeAnythingIsStopped(t *testing.T) {
	t.Parallel()
	onlyBySSH(t)
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	o := operate(w, den, w.config(simtest.Owner, bindingOf("den", den, `account = "owner"`)))
	o.apply().did(0, asksOwned)
	dir := den.DataDir()
	for _, arguments := range [][]string{{"--bind", dir, dir}, {"-o", "remount,bind,ro", dir}} {
		if out, err := exec.Command("mount", arguments...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	o.destroy().failed([]string{"read-only", "Nothing was stopped"}, asksOwned)
	if den.token() == "" || !den.Running() {
		t.Error("the server was touched")
	}
}
