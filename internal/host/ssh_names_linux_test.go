package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What a host or a user is called is run nowhere, and forges no line of known_hosts.
func TestAHostOrUserOfAnOddNameIsRefusedOrNotThere(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("HOME", t.TempDir())
	known := filepath.Join(t.TempDir(), "known_hosts")
	config := filepath.Join(t.TempDir(), "config")
	write(t, config, "Host aliased\n HostName -oProxyCommand=touch\nHost tokens\n HostName %h;touch.invalid\n IdentityFile ~/$(touch was-run)/%r\n")
	no := false
	for name, test := range map[string]struct {
		target  SSHTarget
		jump    string
		refused bool
	}{
		"an option":             {SSHTarget{Host: "-oProxyCommand=touch was-run"}, "", true},
		"lines":                 {SSHTarget{Host: "nas.invalid\n@cert-authority * ssh-ed25519 AAAA"}, "", true},
		"a user as an option":   {SSHTarget{Host: "nas.invalid", User: "-lroot"}, "", true},
		"a user of lines":       {SSHTarget{Host: "nas.invalid", User: "a\nb"}, "", true},
		"a jump host's option":  {SSHTarget{Host: "nas.invalid"}, "-oProxyCommand=touch", true},
		"a jump host of lines":  {SSHTarget{Host: "nas.invalid"}, "gate.invalid\nden", true},
		"a jump host's user":    {SSHTarget{Host: "nas.invalid"}, "-l@gate.invalid", true},
		"an alias of an option": {SSHTarget{Host: "aliased"}, "", true},
		"a substitution":        {SSHTarget{Host: "$(touch${IFS}was-run).invalid", User: "$(touch${IFS}was-run)"}, "", false},
		"two commands":          {SSHTarget{Host: "nas.invalid;touch${IFS}was-run;", User: "a;b'\"`"}, "", false},
		"tokens":                {SSHTarget{Host: "tokens", User: "$(touch${IFS}was-run)"}, "", false},
		"not ASCII":             {SSHTarget{Host: "ünïcödé.invalid", User: "日本語"}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			test.target.Port = 1
			p := pool(t, SSHSettings{
				ConfigPath: config, KnownHostsPath: known, Agent: &no, HostKeyChecking: HostKeyAcceptNew, ProxyJump: test.jump, ConnectTimeout: 5 * time.Second,
			})
			_, err := p.Host(test.target, Become{}).Shell(t.Context(), "echo never")
			var advised *Error
			if err == nil || !errors.As(err, &advised) || advised.Next == "" {
				t.Fatalf("error is %v", err)
			}
			if refused := strings.Contains(err.Error(), "is no name of a"); refused != test.refused {
				t.Errorf("refused for its name: %t, %v", refused, err)
			}
			for _, path := range []string{known, "was-run", "touch"} {
				if _, err := os.Lstat(path); err == nil {
					t.Errorf("there is %s now", path)
				}
			}
		})
	}
}
