package provider_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"
)

// envWay says how the tests reach the servers of a lab host: not set, as this
// machine; "ssh", by SSH as admin, who becomes root with sudo, through a jump
// host, with a key that only an agent has, and with a hashed known_hosts; "sshd",
// likewise, as root and to an sshd of the tests' own on this machine; "wine",
// likewise, to the sshd that `test/lab/wine.sh sshd up` has started in the directory
// envSSHD, and to cmd.exe.
const (
	envWay  = "PLEX_LAB_WAY"
	envSSHD = "PLEX_LAB_SSHD"
)

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
		return bySSH("admin", hostAuthorized)
	case "sshd":
		return bySSH("root", ownSSHD)
	case "wine":
		me, err := user.Current()
		if err != nil {
			return way{}, err
		}
		w, err := bySSH(me.Username, wineSSHD)
		if err != nil {
			return way{}, err
		}
		w.server, w.imported = []string{w.server[0], `platform = "windows"`}, map[string]any{"ssh": w.imported["ssh"], "platform": "windows"}
		return w, nil
	}
	return way{}, fmt.Errorf("%s is %q", envWay, os.Getenv(envWay))
})

// wayDir holds what bySSH makes; empty if it was not called.
var wayDir string

// bySSH reaches this machine as the user login, who is let in by open, which gives the
// port and the host's key.
func bySSH(login string, open func(dir string, authorized []byte) (int, ssh.PublicKey, error)) (way, error) {
	dir, err := os.MkdirTemp("", "way-")
	if err != nil {
		return way{}, err
	}
	wayDir = dir
	authorized, err := startAgent(filepath.Join(dir, "agent"))
	if err != nil {
		return way{}, err
	}
	port, key, err := open(dir, authorized)
	if err != nil {
		return way{}, err
	}
	config := fmt.Sprintf("Host den\n ProxyJump gate\nHost den gate\n HostName 127.0.0.1\n Port %d\n User %s\n IdentityAgent %s/agent\n UserKnownHostsFile %s/known_hosts\n",
		port, login, dir, dir)
	address := knownhosts.Normalize(fmt.Sprintf("127.0.0.1:%d", port))
	for name, text := range map[string]string{
		"config":      config,
		"known_hosts": knownhosts.Line([]string{knownhosts.HashHostname(address)}, key) + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return way{}, err
		}
	}
	w := way{
		name:     "den",
		server:   []string{`ssh = { host = "den" }`},
		imported: map[string]any{"ssh": map[string]string{"host": "den"}},
		provider: "ssh = { config_path = " + quote(filepath.Join(dir, "config")) + " }",
	}
	if login != "root" {
		w.server, w.imported["become"] = append(w.server, "become = true"), true
	}
	return w, nil
}

// startAgent makes a key that only an agent has, and gives its public half.
func startAgent(socket string) ([]byte, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	authorized, err := ssh.NewPublicKey(public)
	if err != nil {
		return nil, err
	}
	keys := agent.NewKeyring()
	if err := keys.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		return nil, err
	}
	listening, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
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
	return ssh.MarshalAuthorizedKey(authorized), nil
}

// hostAuthorized has admin of a lab host let the key in.
func hostAuthorized(_ string, authorized []byte) (int, ssh.PublicKey, error) {
	const home = "/home/admin/.ssh"
	script := "install -d -o admin -m 0700 " + home + " && install -o admin -m 0600 /dev/stdin " + home + "/authorized_keys"
	add := exec.Command("sh", "-c", script)
	add.Stdin = bytes.NewReader(authorized)
	if out, err := add.CombinedOutput(); err != nil {
		return 0, nil, fmt.Errorf("%w: %s", err, out)
	}
	key, err := publicKey("/etc/ssh/ssh_host_ed25519_key.pub")
	return 22, key, err
}

// ownSSHD starts one that lets the key in, and ends with the tests.
func ownSSHD(dir string, authorized []byte) (int, ssh.PublicKey, error) {
	port, key, end, err := startSSHD(dir, authorized, "PermitRootLogin=yes", "SetEnv=PATH="+os.Getenv("PATH")) // which has the programs of an emulated Mac
	if err == nil {
		endWay = end
	}
	return port, key, err
}

// startSSHD starts an sshd on a port of its own, with options before its own. dir gets its files.
func startSSHD(dir string, authorized []byte, options ...string) (port int, key ssh.PublicKey, end func(), err error) {
	listening, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, nil, nil, err
	}
	address := listening.Addr().String()
	_ = listening.Close()
	_, digits, _ := net.SplitHostPort(address)
	if port, err = strconv.Atoi(digits); err != nil {
		return 0, nil, nil, err
	}
	hostKey, keys := filepath.Join(dir, "host_key"), filepath.Join(dir, "authorized_keys")
	if err := os.WriteFile(keys, authorized, 0o644); err != nil { // sshd reads it as who logs in
		return 0, nil, nil, err
	}
	if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", hostKey).CombinedOutput(); err != nil {
		return 0, nil, nil, fmt.Errorf("%w: %s", err, out)
	}
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		return 0, nil, nil, err
	}
	arguments := []string{"-D", "-e", "-f", "/dev/null", "-h", hostKey, "-p", digits}
	for _, option := range append(options, "ListenAddress=127.0.0.1", "AuthorizedKeysFile="+keys, "StrictModes=no", "UsePAM=no", "PidFile=none") {
		arguments = append(arguments, "-o", option)
	}
	daemon := exec.Command("/usr/sbin/sshd", arguments...)
	if err := daemon.Start(); err != nil {
		return 0, nil, nil, err
	}
	end = func() { _ = daemon.Process.Kill(); _ = daemon.Wait() }
	for { // until it listens, or has ended
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			break
		}
		if err := daemon.Process.Signal(syscall.Signal(0)); err != nil {
			return 0, nil, nil, fmt.Errorf("sshd has ended: %w", err)
		}
	}
	key, err = publicKey(hostKey + ".pub")
	return port, key, end, err
}

// wineSSHD has the sshd of test/lab/wine.sh let the key in.
func wineSSHD(_ string, authorized []byte) (int, ssh.PublicKey, error) {
	dir := os.Getenv(envSSHD)
	keys, err := os.OpenFile(filepath.Join(dir, "authorized_keys"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, nil, fmt.Errorf("%s: %w", envSSHD, err)
	}
	_, err = keys.Write(authorized)
	if err := errors.Join(err, keys.Close()); err != nil {
		return 0, nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "port"))
	if err != nil {
		return 0, nil, err
	}
	port, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, nil, err
	}
	key, err := publicKey(filepath.Join(dir, "host_key.pub"))
	return port, key, err
}

// endWay ends what the way needs.
var endWay = func() {}

func publicKey(path string) (ssh.PublicKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	return key, err
}
