package provider_test

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// secretWay is a way to a server on which secrets travel, or are seen by others
// than on this machine.
type secretWay struct {
	way
	variables map[string]string // of secretConfig, with what is secret
	env       []string          // of terraform
	home      string            // of who logs in, with a shell that keeps a history of all that it reads; empty: none
	login     []string          // that shell
	sees      []string          // what is certain to be seen
}

// secretWays are those that there are where the tests run.
func secretWays(t *testing.T) map[string]func(*testing.T, *simtest.Secrets) secretWay {
	t.Helper()
	usual := theWay(t)
	switch {
	case os.Getenv(simtest.EnvDocker) != "":
		name := "container"
		if os.Getenv(envWay) != "" {
			name += " by ssh"
		}
		return map[string]func(*testing.T, *simtest.Secrets) secretWay{
			name: func(*testing.T, *simtest.Secrets) secretWay {
				return secretWay{way: usual, sees: []string{"cmdline of a process \"sh\""}}
			},
		}
	case os.Getenv(envWay) == "ssh":
		return map[string]func(*testing.T, *simtest.Secrets) secretWay{"ssh with passwords": withPasswords}
	case os.Getenv(simtest.EnvLab) == "" && usual.provider == "":
		return map[string]func(*testing.T, *simtest.Secrets) secretWay{"exec": loginShell}
	}
	return nil
}

func plant(known *simtest.Secrets, what string) string {
	token := "planted" + rand.Text()
	known.Add(what, token)
	return token
}

// remembers is what makes a bash keep a history of what it reads, also where it is
// not talked to by a person, and note what its process shows to others: it soon
// becomes another one, before a look around could be certain to meet it.
const remembers = "HISTFILE=~/.bash_history\nset -o history\nshopt -s histappend\n" +
	"cat /proc/$$/cmdline /proc/$$/environ >>~/" + logins + "\nchmod 644 ~/" + logins + "\n"

// logins is the file with those notes, which a look around finds as one that
// others can read.
const logins = ".logins"

// loginShell is a command that gives the shell of a login.
func loginShell(t *testing.T, _ *simtest.Secrets) secretWay {
	t.Helper()
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".bash_profile"), []byte(remembers), 0o600); err != nil {
		t.Fatal(err)
	}
	command := []string{"env", "HOME=" + home, "bash", "--login"}
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skipf("NOT RUN: %v", err)
	}
	words, err := json.Marshal(command)
	if err != nil {
		t.Fatal(err)
	}
	return secretWay{
		way:  way{name: strings.Join(command, " "), server: []string{"exec = " + string(words)}},
		home: home, login: command, sees: []string{"cmdline of a process \"sh\"", filepath.Join(home, logins)},
	}
}

// withPasswords is a login that takes an encrypted key and then a password, and
// sudo that asks for another. A user of the lab host is made for it.
func withPasswords(t *testing.T, known *simtest.Secrets) secretWay {
	t.Helper()
	const name = "keeper"
	given := map[string]string{}
	for _, what := range []string{"passphrase", "password", "become_password"} {
		given[what] = plant(known, what)
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte(given["passphrase"]))
	if err != nil {
		t.Fatal(err)
	}
	given["private_key"] = string(pem.EncodeToMemory(block))
	known.Add("private_key", strings.Split(given["private_key"], "\n")[3]) // a line of it, wherever it is broken into lines
	authorized, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	home := "/home/" + name
	setUp := exec.Command("sh", "-e", "-c", `
		useradd --create-home --shell /bin/bash "$0"
		printf '%s\n' "$0 ALL=(ALL) ALL" "Defaults:$0 rootpw" | install -m 0440 /dev/stdin "/etc/sudoers.d/$0"
		chpasswd
		printf '%s' "$1" >"/home/$0/.bash_profile"
		cp "/home/$0/.bash_profile" "/home/$0/.bashrc"`, name, remembers)
	setUp.Stdin = strings.NewReader(name + ":" + given["password"] + "\nroot:" + given["become_password"] + "\n")
	if out, err := setUp.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	dir, err := os.MkdirTemp("", "sshd-") //nolint:usetesting // other users cannot enter a test's own directory
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	port, key, end, err := startSSHD(dir, ssh.MarshalAuthorizedKey(authorized), "AuthenticationMethods=publickey,password")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	hosts, config := filepath.Join(dir, "known_hosts"), filepath.Join(dir, "config")
	for path, text := range map[string]string{
		hosts:  knownhosts.Line([]string{knownhosts.Normalize(net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))}, key) + "\n",
		config: "",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return secretWay{
		way: way{
			name:   "127.0.0.1",
			server: []string{`ssh = { host = "127.0.0.1" }`, "become = true"},
			provider: "ssh = {\n user = " + quote(name) + "\n port = " + strconv.Itoa(port) + "\n agent = false\n known_hosts_path = " + quote(hosts) + "\n config_path = " + quote(config) +
				"\n private_key = var.private_key\n passphrase = var.passphrase\n password = var.password\n }\n become = {\n password = var.become_password\n }",
		},
		variables: given, home: home, login: []string{"su", "-", name},
		sees: []string{"cmdline of a process \"sh\"", "cmdline of a process \"sudo\"", "cmdline of a process \"sshd\"", filepath.Join(home, logins)},
	}
}

// The same as TestSecretsStayOutOfEverythingThatOthersCanRead by other ways: a
// claim, a rotation and a destroy.
func TestSecretsStayOutByEveryWay(t *testing.T) {
	t.Parallel()
	ways := secretWays(t)
	if len(ways) == 0 {
		t.Skip("NOT RUN: what is usual here is searched by another test")
	}
	for name, begin := range ways {
		t.Run(name, func(t *testing.T) {
			known := simtest.NewSecrets()
			by := begin(t, known)
			w := newWorld(t)
			tap(w, known)
			account := simtest.Owner
			account.Token = plant(known, "account token")
			w.tv.AddAccount(account)
			den := w.unclaimed(visibly)
			den.way, w.provider = by.way, by.provider
			c := newCLI(t, w.secretConfig(den, `account = "owner"`))
			c.traces()
			c.env = append(c.env, by.env...)
			variables := map[string]string{"account_token": account.Token}
			maps.Copy(variables, by.variables)
			c.gives(variables)
			dirs := []string{c.dir, den.SupportDir(), by.home}
			if by.home == "" {
				dirs = dirs[:2]
			}
			engine := watchEngine(t, den)
			seen := simtest.LookOut(t, append(dirs, engine.files()...)...)
			found := simtest.Places{}
			do := func(what string, args ...string) {
				t.Helper()
				if err := c.planned(found, what, args...); err != nil {
					t.Fatalf("%s failed", what) // with what it showed, tokens might be shown
				}
				if token := den.token(); token != "" {
					known.Add("server token", token)
				}
			}
			do("the claim")
			c.write(w.secretConfig(den, `account = "owner"`, `triggers = { month = "may" }`))
			do("the rotation")
			copies := den.DataDir() + ".terraform-backups"
			simtest.OthersSeeNothing(t, copies)
			do("the destroy", "-destroy")
			engine.end(seen)
			seen.End()
			seen.AddTo(found)
			by.histories(found, engine.files()...)
			if leaks := found.Leaks(known); len(leaks) > 0 {
				t.Errorf("secrets were found in\n%s", strings.Join(leaks, "\n"))
			}
			if n := den.StopCount(); n != 2 || den.token() != "" || known.Count("server token") != 2 {
				t.Errorf("the server was stopped %d times, and had %d tokens, want 2 of both", n, known.Count("server token"))
			}
			for _, part := range append(by.sees, engine.sees()...) {
				if !seen.Has(part) {
					t.Errorf("nothing was seen that is %s", part)
				}
			}
			by.control(t)
			engine.control(t)
		})
	}
}

// histories adds what the shells of the host have written down.
func (by secretWay) histories(p simtest.Places, more ...string) {
	for _, dir := range append(more, by.home, os.Getenv("HOME")) {
		found, _ := filepath.Glob(filepath.Join(dir, ".*history"))
		inside, _ := filepath.Glob(filepath.Join(dir, "root", ".*history"))
		for _, path := range append(found, inside...) {
			if text, err := os.ReadFile(path); err == nil {
				p["the history "+path] = text
			}
		}
	}
}

// control: what is typed into that shell is found in its history.
func (by secretWay) control(t *testing.T) {
	t.Helper()
	if by.home == "" {
		return
	}
	known, found := simtest.NewSecrets(), simtest.Places{}
	command := exec.Command(by.login[0], by.login[1:]...)
	command.Stdin = strings.NewReader(": " + plant(known, "control") + "\n")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	by.histories(found)
	if leaks := found.Leaks(known); len(leaks) != 1 || !strings.HasPrefix(leaks[0], "the history "+by.home) {
		t.Errorf("what was typed was found in %q", leaks)
	}
}

// engineWatch collects what a container engine tells whoever may ask it; nil where
// there is none.
type engineWatch struct {
	t      *testing.T
	name   string // of the container
	upper  string // where the engine keeps what the container has written
	http   *http.Client
	stop   func()
	events chan string // all of them, once they have ended
	seen   *simtest.Lookout
}

const (
	inEvents = "an event of the engine"
	inExec   = "a command of the engine"
	inLabels = "the container as the engine has it"
)

func watchEngine(t *testing.T, den *subject) *engineWatch {
	t.Helper()
	if den.Container() == "" {
		return nil
	}
	address := os.Getenv(simtest.EnvDocker)
	e := &engineWatch{t: t, name: den.Container(), events: make(chan string, 1), seen: simtest.NewLookout(t)}
	e.http = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", strings.TrimPrefix(address, "unix://"))
	}}}
	var found struct {
		GraphDriver struct{ Data map[string]string }
	}
	if err := json.Unmarshal(e.ask("/containers/"+e.name+"/json"), &found); err != nil {
		t.Fatal(err)
	}
	e.upper = found.GraphDriver.Data["UpperDir"]
	events := exec.Command("docker", "-H", address, "events", "--format", "{{json .}}", "--filter", "container="+e.name)
	out, err := events.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := events.Start(); err != nil {
		t.Fatal(err)
	}
	go e.listen(out)
	e.stop = func() {
		_ = events.Process.Kill()
		<-e.events
		_ = events.Wait()
		e.stop = func() {}
	}
	t.Cleanup(func() { e.stop() })
	return e
}

// listen notes each event, and the command that it may be about.
func (e *engineWatch) listen(events io.Reader) {
	defer close(e.events)
	for lines := bufio.NewScanner(events); lines.Scan(); {
		e.seen.Note(inEvents, lines.Bytes())
		var event struct {
			Actor struct{ Attributes map[string]string }
		}
		if json.Unmarshal(lines.Bytes(), &event) == nil && event.Actor.Attributes["execID"] != "" {
			e.seen.Note(inExec, e.ask("/exec/"+event.Actor.Attributes["execID"]+"/json"))
		}
	}
}

// ask is an answer of the engine; empty where there is none.
func (e *engineWatch) ask(path string) []byte {
	response, err := e.http.Get("http://engine" + path)
	if err != nil {
		return nil
	}
	defer func() { _ = response.Body.Close() }()
	text, _ := io.ReadAll(response.Body)
	return text
}

func (e *engineWatch) files() []string {
	if e == nil || e.upper == "" {
		return nil
	}
	return []string{e.upper}
}

// sees is what is certain to be seen.
func (e *engineWatch) sees() []string {
	switch {
	case e == nil:
		return nil
	case os.Getenv(simtest.EnvLab) == "process-1": // no command is run in it
		return []string{inEvents, inLabels}
	}
	return []string{inEvents, inExec, inLabels}
}

// end adds what was seen to l, and stops.
func (e *engineWatch) end(l *simtest.Lookout) {
	if e == nil {
		return
	}
	l.Note(inLabels, e.ask("/containers/"+e.name+"/json"))
	found := simtest.Places{}
	e.seen.AddTo(found)
	for where, text := range found {
		l.Note(where, text)
	}
}

// control: what is in a command, or in a label, is found there.
func (e *engineWatch) control(t *testing.T) {
	t.Helper()
	if e == nil {
		return
	}
	known, found := simtest.NewSecrets(), simtest.Places{}
	token, docker := plant(known, "control"), []string{"-H", os.Getenv(simtest.EnvDocker)}
	if out, err := exec.Command("docker", append(docker, "start", e.name)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if out, err := exec.Command("docker", append(docker, "exec", e.name, "sh", "-c", ": "+token)...).CombinedOutput(); err != nil && os.Getenv(simtest.EnvLab) != "process-1" {
		t.Fatalf("%v: %s", err, out) // which has no shell
	}
	e.seen.Sees("the event of a command", inEvents, token)
	e.seen.Sees("a command", inExec, token)
	labelled := "labelled-" + e.name
	if out, err := exec.Command("docker", append(docker, "create", "--pull=never", "--label", "leak="+token, "--name", labelled, "plexlab/"+os.Getenv(simtest.EnvLab))...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	found[inLabels] = e.ask("/containers/" + labelled + "/json")
	if out, err := exec.Command("docker", append(docker, "rm", labelled)...).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	e.stop()
	e.seen.AddTo(found)
	if leaks := strings.Join(found.Leaks(known), "\n"); !strings.Contains(leaks, inEvents+":") || !strings.Contains(leaks, inExec+":") || !strings.Contains(leaks, inLabels+":") {
		t.Errorf("what was planted was found in\n%s", leaks)
	}
}
