package provider_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// byExec reaches the subject by a command that gives a shell on this machine.
func (s *subject) byExec(command ...string) {
	words := make([]string, len(command))
	for i, word := range command {
		words[i] = quote(word)
	}
	s.way = way{name: strings.Join(command, " "), server: []string{"exec = [" + strings.Join(words, ", ") + "]"}}
}

func TestACommandThatGivesAShellDoesTheWholeJob(t *testing.T) {
	t.Parallel()
	for _, command := range [][]string{{"sh"}, {"env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "sh"}} {
		t.Run(command[0], func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			den := w.unclaimed()
			den.byExec(command...)
			o := operate(w, den, w.config(simtest.Owner, bindingOf("den", den, `account = "owner"`)))
			o.apply().did(0, asksClaim) // by curl on the host, since the command lets no connection through
			o.isBound(simtest.Owner)
			o.terraform("plan").did(0, asksOwned)
			o.destroy().did(1, asksOwned)
			if den.token() != "" || !den.Running() {
				t.Error("the server does not run unclaimed")
			}
		})
	}
}

// onlyShell is a PATH without curl and wget.
func onlyShell(t *testing.T) string {
	t.Helper()
	bin := t.TempDir()
	// The owner of a data directory, as whom root works there, has to get there too.
	if err := os.Chmod(filepath.Dir(bin), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"} {
		command := fmt.Sprintf("for f in %s/*; do case ${f##*/} in curl | wget) ;; *) ln -s \"$f\" %s/ 2>/dev/null ;; esac; done", dir, bin)
		_ = exec.Command("sh", "-c", command).Run() // names that are there already
	}
	return bin
}

func TestAServerThatCannotBeAskedIsBoundUnverifiedAndThatIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.boundTo(simtest.Owner)
	den.byExec("env", "PATH="+onlyShell(t), "sh")
	o := operate(w, den, w.config(simtest.Owner, bindingOf("den", den, `account = "owner"`)))
	got := o.apply()
	got.did(0, asksOwned)
	got.warned("unverified")
	got = o.destroy()
	got.did(1, asksOwned)
	got.warned("unverified")
	if den.token() != "" || !den.Running() {
		t.Error("the server does not run unclaimed")
	}
}

func TestACommandThatGivesNoShellIsAnErrorAndStopsNothing(t *testing.T) {
	t.Parallel()
	for says, command := range map[string][]string{
		"no such host": {"sh", "-c", "echo no such host >&2; exit 7"},
		"/nowhere/ssh": {"/nowhere/ssh"},
		"a terminal":   {"script", "-qec", "sh", "/dev/null"},
	} {
		t.Run(command[0], func(t *testing.T) {
			t.Parallel()
			if command[0] == "script" {
				if _, err := exec.LookPath("script"); err != nil {
					t.Skip("NOT RUN: script is not installed")
				}
			}
			w := newWorld(t)
			den := w.boundTo(simtest.Owner)
			den.byExec(command...)
			operate(w, den, w.config(simtest.Owner, bindingOf("den", den))).apply().failed([]string{says, "Nothing was stopped"}, asksNothing)
		})
	}
}

// silent listens, accepts, and says nothing.
func silent(t *testing.T) *net.TCPAddr {
	t.Helper()
	listening, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listening.Close() })
	address, _ := listening.Addr().(*net.TCPAddr)
	return address
}

// sshTo reaches the subject at an address where no good can come of it.
func (s *subject) sshTo(host string, port int, more ...string) {
	s.way = way{name: host, server: []string{fmt.Sprintf("ssh = { host = %s, port = %d, %s }", quote(host), port, strings.Join(more, ", "))}}
}

func TestAHostThatCannotBeReachedIsAnErrorAndNothingElse(t *testing.T) {
	t.Parallel()
	nobody := silent(t)
	w := newWorld(t)
	w.provider = `ssh = { connect_timeout = "2s" }`
	for name, test := range map[string]struct {
		host string
		port int
		says string
	}{
		"refused":  {"127.0.0.1", 1, "refused"},
		"silent":   {"127.0.0.1", nobody.Port, "no answer within"},
		"nameless": {"nas.invalid", 22, "nas.invalid"},
	} {
		t.Run(name, func(t *testing.T) {
			den := w.boundTo(simtest.Owner)
			den.sshTo(test.host, test.port)
			operate(w, den, w.config(simtest.Owner, bindingOf("den", den))).apply().failed([]string{test.says, "Nothing was stopped"}, asksNothing)
		})
	}
}

func TestAHostThatIsNotKnownAtPlanIsNotConnectedTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.unclaimed()
	den.sshTo("127.0.0.1", 1)
	config := w.config(simtest.Owner, `resource "terraform_data" "host" { input = "127.0.0.1" }`,
		strings.Replace(bindingOf("den", den), `host = "127.0.0.1"`, "host = terraform_data.host.output", 1))
	c := newCLI(t, config)
	c.must("plan", "-json")
}

func TestAnUnknownKeyOfTheProviderStopsNoPlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	den := w.unclaimed()
	den.sshTo("127.0.0.1", 1)
	w.provider = "ssh = { password = terraform_data.key.output }"
	newCLI(t, w.config(simtest.Owner, `resource "terraform_data" "key" { input = "none" }`, bindingOf("den", den))).must("plan", "-json")
}
