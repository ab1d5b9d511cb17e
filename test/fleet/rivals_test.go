//go:build linux

package fleet_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// rival is a way to unbind the servers of some hosts.
type rival struct {
	name    string
	prepare func(t *testing.T) // not measured
	command func() *exec.Cmd
}

const (
	ours    = "this provider: terraform destroy"
	ourPlan = "this provider: terraform apply, of a saved plan"
	remote  = "terraform_data with remote-exec: terraform apply"
	ansible = "Ansible: ansible-playbook"
	plain   = "plain ssh, in parallel: xargs"
)

// rivals are all of them; each runs as many hosts at once as there are.
func rivals(t *testing.T, mirror string, hosts []labHost) []rival {
	t.Helper()
	known := knownHosts(t, hosts)
	first, second := provider(t, mirror, known, hosts)
	return []rival{first, second, remoteExec(t, mirror, hosts), playbook(t, known, hosts), plainSSH(t, known, hosts)}
}

func parallelism(hosts []labHost) string { return fmt.Sprintf("-parallelism=%d", len(hosts)) }

// provider is this one, with servers that it has adopted. Without an account
// token there is no plex.tv in it, as there is none in what it is compared with.
func provider(t *testing.T, mirror, known string, hosts []labHost) (destroy, apply rival) {
	t.Helper()
	tf := newTerraform(t, mirror, "fleet.tf", map[string]any{
		"hosts": addresses(hosts), "private_key_path": privateKey(), "known_hosts_path": known, "plextv_url": "http://" + plexTV(),
	})
	tf.run(t, "apply", "-auto-approve")
	path := filepath.Join(tf.dir, "terraform.tfstate")
	state, err := os.ReadFile(path)
	must(t, err)
	restore := func(t *testing.T) { must(t, os.WriteFile(path, state, 0o600)) }
	destroy = rival{ours, restore, func() *exec.Cmd { return tf.command("destroy", "-auto-approve", parallelism(hosts)) }}
	apply = rival{ourPlan, func(t *testing.T) {
		restore(t)
		tf.run(t, "plan", "-destroy", "-out=next")
	}, func() *exec.Cmd { return tf.command("apply", parallelism(hosts), "next") }}
	return destroy, apply
}

func remoteExec(t *testing.T, mirror string, hosts []labHost) rival {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(lab(), "ssh", "host_key.pub"))
	must(t, err)
	tf := newTerraform(t, mirror, "remote-exec.tf", map[string]any{
		"hosts": addresses(hosts), "private_key_path": privateKey(), "host_key": strings.TrimSpace(string(key)), "script_path": testdata(t, "unbind.sh"),
	})
	forget := func(*testing.T) { _ = os.Remove(filepath.Join(tf.dir, "terraform.tfstate")) }
	return rival{remote, forget, func() *exec.Cmd { return tf.command("apply", "-auto-approve", parallelism(hosts)) }}
}

func playbook(t *testing.T, known string, hosts []labHost) rival {
	t.Helper()
	home := t.TempDir()
	inventory := filepath.Join(home, "hosts")
	variables := fmt.Sprintf("[all:vars]\nansible_user=admin\nansible_ssh_private_key_file=%s\nansible_ssh_common_args='-F none -o UserKnownHostsFile=%s'\n", privateKey(), known)
	must(t, os.WriteFile(inventory, []byte(strings.Join(addresses(hosts), "\n")+"\n"+variables), 0o600))
	return rival{ansible, func(*testing.T) {}, func() *exec.Cmd {
		cmd := exec.CommandContext(interrupted, "ansible-playbook", "-i", inventory, testdata(t, "playbook.yml"))
		cmd.Env = append(os.Environ(), "HOME="+home, "ANSIBLE_CONFIG="+testdata(t, "ansible.cfg"))
		return cmd
	}}
}

func plainSSH(t *testing.T, known string, hosts []labHost) rival {
	t.Helper()
	line := fmt.Sprintf("xargs -P %d -I ADDRESS sh -c 'ssh -F none -i %s -o UserKnownHostsFile=%s -o BatchMode=yes admin@ADDRESS sudo sh -e < %s'",
		len(hosts), privateKey(), known, testdata(t, "unbind.sh"))
	return rival{plain, func(*testing.T) {}, func() *exec.Cmd {
		cmd := exec.CommandContext(interrupted, "sh", "-c", line)
		cmd.Stdin = strings.NewReader(strings.Join(addresses(hosts), "\n"))
		return cmd
	}}
}

func testdata(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	must(t, err)
	return path
}
