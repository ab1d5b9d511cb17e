package host

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// users has the sshd know more names for root than this machine has.
func (s *sshd) users(names ...string) {
	s.t.Helper()
	known, err := os.ReadFile("/etc/passwd")
	if err != nil {
		s.t.Fatal(err)
	}
	for _, name := range names {
		known = fmt.Appendf(known, "%s:*:0:0::/root:/bin/sh\n", name)
	}
	write(s.t, s.file("passwd"), string(known))
	if err := os.Chmod(s.file("passwd"), 0o644); err != nil {
		s.t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.under = []string{"unshare", "--mount", "--propagation", "private", "sh", "-c", `mount --bind "$0" /etc/passwd && exec "$@"`, s.file("passwd")}
	if out, err := exec.Command(s.under[0], append(s.under[1:], "true")...).CombinedOutput(); err != nil {
		s.t.Skipf("NOT RUN: no mounts here: %v %s", err, out)
	}
}

func TestUsersOfWindowsLogIn(t *testing.T) {
	names := []string{"Some One", `CORP\me`, `CORP\Some One`, "me@corp.example.com", "O'Hara $(id)"}
	d := startSSHD(t)
	d.users(names...)
	write(t, d.file("config"), fmt.Sprintf("Host one\n HostName 127.0.0.1\n Port %d\n User \"Some One\"\nHost me\n HostName 127.0.0.1\n Port %d\n User CORP\\me\n", d.port, d.port))
	settings := d.settings()
	settings.ConfigPath = d.file("config")
	login := func(settings SSHSettings, target SSHTarget, want string) {
		t.Helper()
		h := pool(t, settings).Host(target, Become{})
		if got, err := run(t, h, `printf %s "$LOGNAME"`, ""); err != nil || got != want {
			t.Errorf("%s logs in as %q, want %q: %v", h.Name(), got, want, err)
		}
	}
	for _, name := range names {
		target := d.target()
		target.User = name
		login(settings, target, name)
		target.User, settings.User = "", name
		login(settings, target, name)
		settings.User = ""
	}
	login(settings, SSHTarget{Host: "one"}, "Some One")
	login(settings, SSHTarget{Host: "me"}, `CORP\me`)
}
