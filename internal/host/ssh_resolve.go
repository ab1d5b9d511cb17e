package host

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// usualConnectTimeout bounds a hop where nothing else does.
const usualConnectTimeout = 15 * time.Second

// resolver turns what a user names into hops.
type resolver struct {
	config   *sshConfig
	settings SSHSettings
	me       string // the user of this machine
}

// resolve is the hop to target, with the jump hosts before it. What the target
// names goes before the settings, these before the configuration.
func resolve(config *sshConfig, settings SSHSettings, target SSHTarget) (*sshHop, error) {
	r := resolver{config: config, settings: settings, me: localUser()}
	if err := r.check(target); err != nil {
		return nil, err
	}
	port, err := r.port(target.Host, target.Port, settings.Port)
	if err != nil {
		return nil, err
	}
	login := first(target.User, settings.User, config.user(target.Host), r.me)
	hop, err := r.hop(target.Host, login, port)
	if err != nil {
		return nil, err
	}
	hop.pin = strings.TrimSpace(target.HostKey)
	hop.via, err = r.way(hop, target.Host, settings.ProxyJump, nil)
	return hop, err
}

func (r resolver) check(target SSHTarget) error {
	if target.Host == "" {
		return errors.New("the SSH host has no name")
	}
	switch r.settings.HostKeyChecking {
	case "", HostKeyStrict, HostKeyAcceptNew:
		return nil
	}
	return fmt.Errorf("%s: host key checking is %q, and can be %q or %q", target, r.settings.HostKeyChecking, HostKeyStrict, HostKeyAcceptNew)
}

// hop is one machine, without the way to it.
func (r resolver) hop(alias, login string, port int) (*sshHop, error) {
	if !ValidUser(login) {
		return nil, &Error{
			Err:  fmt.Errorf("the user to log in as on %s is %q, which is no name of a user", alias, login),
			Next: "Set ssh.user, or the provider's ssh.user; or mend User or ProxyJump in the SSH client configuration.",
		}
	}
	timeout, err := r.timeout(alias)
	if err != nil {
		return nil, err
	}
	h := &sshHop{host: alias, port: port, user: login, timeout: timeout}
	if name := r.config.get(alias, "HostName"); name != "" {
		h.host = strings.NewReplacer("%%", "%", "%h", alias).Replace(name)
	}
	if !ValidHost(h.host) {
		return nil, &Error{
			Err:  fmt.Errorf("%q is no name of a host", h.host),
			Next: "Check ssh.host, the provider's ssh.proxy_jump, and HostName in the SSH client configuration.",
		}
	}
	h.keyName = strings.ToLower(h.address())
	if name := r.config.get(alias, "HostKeyAlias"); name != "" {
		h.keyName = strings.ToLower(name) + ":22" // as ssh does: an alias has no port
	}
	h.acceptNew = r.settings.HostKeyChecking == HostKeyAcceptNew
	expand := r.tokens(alias, h)
	h.knownHosts = r.knownHosts(alias, expand)
	h.auth = r.auth(alias, expand)
	return h, nil
}

func (r resolver) knownHosts(alias string, expand func(string) string) []string {
	if r.settings.KnownHostsPath != "" {
		return []string{expandHome(r.settings.KnownHostsPath)}
	}
	files := strings.Fields(first(r.config.get(alias, "UserKnownHostsFile"), "~/.ssh/known_hosts"))
	if len(files) == 1 && strings.EqualFold(files[0], "none") {
		files = nil
	}
	for i, file := range files {
		files[i] = expand(strings.Trim(file, `"`))
	}
	return append(files, "/etc/ssh/ssh_known_hosts")
}

func (r resolver) auth(alias string, expand func(string) string) sshAuth {
	a := sshAuth{
		key: r.settings.PrivateKey, keyPath: expandHome(r.settings.PrivateKeyPath),
		passphrase: r.settings.Passphrase, password: r.settings.Password,
		only: r.config.is(alias, "IdentitiesOnly"),
	}
	a.paths = r.config.all(alias, "IdentityFile")
	if len(a.paths) == 0 {
		a.paths, a.byDefault = []string{"~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"}, true
	}
	kept := a.paths[:0]
	for _, path := range a.paths {
		if !strings.EqualFold(path, "none") {
			kept = append(kept, expand(path))
		}
	}
	a.paths = kept
	a.agent, a.noAgent = r.agent(r.config.get(alias, "IdentityAgent"), expand)
	return a
}

// agent is the socket of the agent; why there is none, where one is asked for.
func (r resolver) agent(named string, expand func(string) string) (socket, why string) {
	asked := r.settings.Agent != nil
	if asked && !*r.settings.Agent {
		return "", ""
	}
	if strings.EqualFold(named, "none") {
		if !asked {
			return "", ""
		}
		named = "" // the provider's ssh.agent goes before the configuration
	}
	switch {
	case named == "" || named == "SSH_AUTH_SOCK":
		socket = first(os.Getenv("SSH_AUTH_SOCK"), usualAgent)
	case strings.HasPrefix(named, "$"):
		socket = os.Getenv(strings.Trim(named[1:], "{}"))
	default:
		socket = expand(named)
	}
	if socket == "" && asked {
		return "", "SSH_AUTH_SOCK names none"
	}
	return socket, ""
}

func (r resolver) port(alias string, set ...int) (int, error) {
	for _, port := range set {
		if port != 0 {
			return port, nil
		}
	}
	text := r.config.get(alias, "Port")
	if text == "" {
		return 22, nil
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return 0, fmt.Errorf("the SSH client configuration of %s: %q is no port", alias, text)
	}
	return int(port), nil
}

func (r resolver) timeout(alias string) (time.Duration, error) {
	if r.settings.ConnectTimeout > 0 {
		return r.settings.ConnectTimeout, nil
	}
	text := strings.ToLower(r.config.get(alias, "ConnectTimeout"))
	if text == "" || text == "none" || text == "0" {
		return usualConnectTimeout, nil
	}
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, nil
	}
	limit, err := time.ParseDuration(text)
	if err != nil || limit <= 0 {
		return 0, fmt.Errorf("the SSH client configuration of %s: ConnectTimeout is %q", alias, text)
	}
	return limit, nil
}

// tokens expands ~ and the percent tokens of ssh_config(5) that a path may have.
func (r resolver) tokens(alias string, h *sshHop) func(string) string {
	tokens := strings.NewReplacer("%%", "%", "%d", expandHome("~"), "%h", h.host, "%n", alias,
		"%p", strconv.Itoa(h.port), "%r", h.user, "%u", r.me)
	return func(path string) string { return expandHome(tokens.Replace(path)) }
}

// expandHome replaces a ~ that begins a path.
func expandHome(path string) string {
	if path != "~" && !strings.HasPrefix(path, "~/") {
		return path
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return path
	}
	return filepath.Join(home, path[1:])
}

func localUser() string {
	if me, err := user.Current(); err == nil {
		return me.Username[strings.LastIndex(me.Username, `\`)+1:]
	}
	return first(os.Getenv("USER"), os.Getenv("USERNAME"))
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}
