package host

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// way is the last jump host before hop, which has the others before it; nil: no
// jump host. set is the settings' own way, aliases are the hosts that are being resolved.
func (r resolver) way(hop *sshHop, alias, set string, aliases []string) (*sshHop, error) {
	spec := set
	if spec == "" {
		spec = r.config.get(alias, "ProxyJump")
		command := r.config.get(alias, "ProxyCommand")
		if spec == "" && command != "" && !strings.EqualFold(command, "none") {
			return nil, &Error{
				Err:  fmt.Errorf("%s: the SSH client configuration has a ProxyCommand for it, which is not run here", hop),
				Next: "Use ProxyJump, or the provider's ssh.proxy_jump; or give the whole ssh command in server.exec.",
			}
		}
	}
	if spec == "" || strings.EqualFold(spec, "none") {
		return nil, nil //nolint:nilnil // there is no jump host
	}
	if slices.Contains(aliases, alias) {
		return nil, fmt.Errorf("%s: its jump hosts lead back to it: %s", hop, strings.Join(append(aliases, alias), " -> "))
	}
	aliases = append(slices.Clone(aliases), alias)
	var via *sshHop
	for _, one := range strings.Split(spec, ",") {
		jump, err := parseJump(one)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", hop, err)
		}
		next, err := r.jump(jump)
		if err != nil {
			return nil, err
		}
		if next.key() == (&sshHop{user: hop.user, host: hop.host, port: hop.port}).key() {
			// "Host *" with a ProxyJump is for the jump host, too.
			return nil, nil //nolint:nilnil // there is no jump host
		}
		if via == nil {
			// The first is on a way of its own.
			next.via, err = r.way(next, jump.Host, "", aliases)
		} else {
			next.via = via
		}
		if err != nil {
			return nil, err
		}
		via = next
	}
	return via, nil
}

// jump is the hop to a jump host, without the way to it. What is said of it in
// the configuration goes before the settings' user, which is meant for the targets.
func (r resolver) jump(jump SSHTarget) (*sshHop, error) {
	port, err := r.port(jump.Host, jump.Port)
	if err != nil {
		return nil, err
	}
	return r.hop(jump.Host, first(jump.User, r.config.user(jump.Host), r.settings.User, r.me), port)
}

// parseJump parses [user@]host[:port], with or without ssh:// before it. In such a URL
// the user's name may have percent signs for characters, as OpenSSH reads it.
func parseJump(spec string) (SSHTarget, error) {
	text, isURL := strings.CutPrefix(strings.TrimSpace(spec), "ssh://")
	var t SSHTarget
	if at := strings.LastIndex(text, "@"); at >= 0 {
		t.User, text = text[:at], text[at+1:]
	}
	if user, err := url.PathUnescape(t.User); isURL && err == nil {
		t.User = user
	}
	t.Host = text
	if host, port, err := net.SplitHostPort(text); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return t, fmt.Errorf("the jump host %q has no proper port", spec)
		}
		t.Host, t.Port = host, int(n)
	}
	if t.Host = strings.Trim(t.Host, "[]"); t.Host == "" {
		return t, fmt.Errorf("the jump host %q has no name", spec)
	}
	return t, nil
}
