//go:build linux

package server_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// newSSH starts an sshd for this user, and returns this machine as reached
// through it, and what cuts the connection.
func newSSH(t *testing.T, streamLocal string) (on host.Host, cut func() error) {
	t.Helper()
	sshd, err := exec.LookPath("sshd")
	if err != nil {
		if sshd = "/usr/sbin/sshd"; exec.Command(sshd, "-V").Err != nil {
			t.Skip("NOT RUN: there is no sshd")
		}
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil { // sshd wants it
		t.Skipf("NOT RUN: %v", err)
	}
	dir := t.TempDir()
	for _, name := range []string{"host", "user"} {
		if err := sh("ssh-keygen -q -t ed25519 -N '' -f %s/%s", dir, name); err != nil {
			t.Fatal(err)
		}
	}
	address := freePort(t)
	ip, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf("Port %s\nListenAddress %s\nHostKey %s/host\nPidFile none\nAuthorizedKeysFile %s/user.pub\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nAllowStreamLocalForwarding %s\n",
		port, ip, dir, dir, streamLocal)
	if err := os.WriteFile(dir+"/config", []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := sh(`printf '[%s]:%s %%s\n' "$(cut -d' ' -f1,2 %s/host.pub)" >%s/known`, ip, port, dir, dir); err != nil {
		t.Fatal(err)
	}
	daemon := exec.Command(sshd, "-D", "-f", filepath.Join(dir, "config"))
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = daemon.Process.Kill()
		_ = daemon.Wait()
	})
	simtest.Eventually(t, "sshd", func() bool {
		conn, err := net.Dial("tcp", address)
		return err == nil && conn.Close() == nil
	})
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "client")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	pool := host.NewSSHPool(host.SSHSettings{PrivateKeyPath: dir + "/user", KnownHostsPath: dir + "/known", ConfigPath: empty})
	return pool.Host(host.SSHTarget{Host: ip, Port: number, User: me.Username}, host.Become{}), pool.Close
}

// The engine's socket is forwarded, or where sshd forbids that, a docker command
// there carries the connection.
func TestContainerOfAnEngineBehindSSH(t *testing.T) {
	for name, streamLocal := range map[string]string{"forwarded": "yes", "not forwarded": "no"} {
		t.Run(name, func(t *testing.T) {
			everyLayout(t, func(t *testing.T, l layout) {
				b := newBox(t, l, boxOptions{})
				on, _ := newSSH(t, streamLocal)
				report, err := newServer(t, b.host(on), b.options()).Edit(t.Context(), unbind)
				if err != nil {
					t.Fatal(err)
				}
				if !report.Restarted || b.count(plexsim.EventStopping) != 1 || hasToken(t, b.preferences()) || !b.answers() {
					t.Errorf("report: %+v", report)
				}
				b.wantAttributes()
			})
		})
	}
}

func TestContainerComesBackWhenTheConnectionToItsMachineIsLost(t *testing.T) {
	everyLayout(t, func(t *testing.T, l layout) {
		b := newBox(t, l, boxOptions{})
		on, cut := newSSH(t, "yes")
		calls := 0
		_, err := newServer(t, b.host(on), b.options()).Edit(t.Context(), func(d prefs.Document) error {
			if calls++; calls == 2 {
				_ = cut()
			}
			return unbind(d)
		})
		wantContainerError(t, b, err, server.ErrDisconnected)
		b.waitCount(plexsim.EventListening, 2)
		b.waitReady()
		b.waitIdle()
		if !hasToken(t, b.preferences()) {
			t.Error("it came back without its token")
		}
	})
}
