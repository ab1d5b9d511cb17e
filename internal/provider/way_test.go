package provider_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"
)

// envWay says how the tests reach the servers of a lab host: not set, as this
// machine; "ssh", by SSH as admin, who becomes root with sudo, through a jump
// host, with a key that only an agent has, and with a hashed known_hosts.
const envWay = "PLEX_LAB_WAY"

// way is how the tests reach their servers.
type way struct {
	name     string         // what the provider calls their host
	server   []string       // lines for the attribute server
	imported map[string]any // the same for its JSON
	provider string         // lines for the provider
}

// theWay is the same for all tests.
func theWay(t testing.TB) way {
	t.Helper()
	w, err := ways()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

var ways = sync.OnceValues(func() (way, error) {
	switch os.Getenv(envWay) {
	case "":
		return way{name: "this machine"}, nil
	case "ssh":
		return bySSH()
	}
	return way{}, fmt.Errorf("%s is %q", envWay, os.Getenv(envWay))
})

// wayDir holds what bySSH makes; empty if it was not called.
var wayDir string

func bySSH() (way, error) {
	dir, err := os.MkdirTemp("", "way-")
	if err != nil {
		return way{}, err
	}
	wayDir = dir
	if err := letIn(dir); err != nil {
		return way{}, err
	}
	hostKey, err := os.ReadFile("/etc/ssh/ssh_host_ed25519_key.pub")
	if err != nil {
		return way{}, err
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(hostKey)
	if err != nil {
		return way{}, err
	}
	config := fmt.Sprintf("Host den\n ProxyJump gate\nHost den gate\n HostName 127.0.0.1\n User admin\n IdentityAgent %s/agent\n UserKnownHostsFile %s/known_hosts\n", dir, dir)
	for name, text := range map[string]string{
		"config":      config,
		"known_hosts": knownhosts.Line([]string{knownhosts.HashHostname("127.0.0.1")}, key) + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return way{}, err
		}
	}
	return way{
		name:     "den",
		server:   []string{`ssh = { host = "den" }`, "become = true"},
		imported: map[string]any{"ssh": map[string]string{"host": "den"}, "become": true},
		provider: "ssh = { config_path = " + quote(filepath.Join(dir, "config")) + " }",
	}, nil
}

// letIn makes a key that admin lets in, and an agent that holds it.
func letIn(dir string) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	authorized, err := ssh.NewPublicKey(public)
	if err != nil {
		return err
	}
	const home = "/home/admin/.ssh"
	add := exec.Command("install", "-D", "-o", "admin", "-m", "0600", "/dev/stdin", home+"/authorized_keys")
	add.Stdin = strings.NewReader(string(ssh.MarshalAuthorizedKey(authorized)))
	if out, err := add.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	if out, err := exec.Command("chown", "-R", "admin:", home).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		return err
	}
	listening, err := net.Listen("unix", filepath.Join(dir, "agent"))
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := listening.Accept()
			if err != nil {
				return // the tests are over
			}
			go func() { _ = agent.ServeAgent(keys, conn) }()
		}
	}()
	return nil
}
