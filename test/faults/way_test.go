//go:build linux

package faults_test

import (
	"fmt"
	"os"
	"path/filepath"
)

// way is how terraform reaches the host of the server.
type way struct {
	name     string
	provider string   // lines for the provider
	server   []string // lines for the attribute server
	sshd     *sshd    // nil where none is involved
}

// ways make them. The steps come first in the PATH of the shell on the host.
var ways = map[string]func(*trial) way{
	"local": func(*trial) way { return way{name: "local"} },
	// PLEX_LAB says in which image, and PLEX_LAB_DOCKER on which engine.
	"container": func(*trial) way { return way{name: "container"} },
	"ssh":       func(tr *trial) way { return bySSHTo("ssh", startSSHD(tr.t, tr.steps.path())) },
	// A lab host, by SSH. The service is found, and systemd runs it.
	"host": func(tr *trial) way {
		tr.steps.markSystemctl()
		return bySSHTo("host", startSSHD(tr.t, tr.steps.path(), lab, "run", tr.host.name))
	},
	// The command is OpenSSH's own client: what cuts its connection is the same.
	"exec": func(tr *trial) way {
		t := tr.t
		d := startSSHD(t, tr.steps.path())
		config := filepath.Join(t.TempDir(), "config")
		text := fmt.Sprintf("Host den\n HostName 127.0.0.1\n Port %d\n User root\n IdentityFile %s\n IdentitiesOnly yes\n UserKnownHostsFile %s\n BatchMode yes\n LogLevel ERROR\n ServerAliveInterval 2\n ServerAliveCountMax 2\n",
			d.port, d.keys.file("id"), d.file("known_hosts"))
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return way{name: "exec", sshd: d, server: []string{fmt.Sprintf("exec = [\"ssh\", \"-T\", \"-F\", %q, \"den\", \"sh\"]", config)}}
	},
}

// bySSHTo is the provider's own SSH.
func bySSHTo(name string, d *sshd) way {
	return way{
		name: name, sshd: d,
		provider: fmt.Sprintf("ssh = {\n user = \"root\"\n private_key_path = %q\n known_hosts_path = %q\n agent = false\n config_path = %q\n connect_timeout = \"5s\"\n}",
			d.keys.file("id"), d.file("known_hosts"), d.file("ssh_config")),
		server: []string{fmt.Sprintf("ssh = {\n host = \"127.0.0.1\"\n port = %d\n}", d.port)},
	}
}
