//go:build linux

package faults_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
)

// Each trial has tokens of its own, and whatever goes wrong, none of them may show.

// logName is where terraform and the provider log all that they do.
const logName = "trace.log"

// plantSecrets gives the account a token of its own.
func (tr *trial) plantSecrets() {
	tr.owner = simtest.Owner
	tr.owner.Token = "planted" + rand.Text()
	tr.tv.AddAccount(tr.owner)
}

// lookOut begins to look at what others can see.
func (tr *trial) lookOut() {
	tr.t.Helper()
	tr.lookout = simtest.NewLookout(tr.t, tr.tf.dir, filepath.Dir(tr.sim.DataDir()), tr.backups)
}

// judgeSecrets looks for the tokens in what terraform has said and logged, in its
// state, and in all else that others can see.
func (tr *trial) judgeSecrets() string {
	tr.t.Helper()
	known, found := simtest.NewSecrets(), simtest.Places{}
	known.Add("the account's token", tr.owner.Token)
	for _, token := range tr.tv.Tokens() {
		switch token {
		case tr.owner.Token, simtest.Owner.Token, simtest.Stranger.Token: // the last two are in the sources
		default:
			known.Add("a token", token)
		}
	}
	tr.lookout.Look()
	tr.lookout.AddTo(found)
	for n, tf := range append([]*terraform{tr.tf}, tr.others...) {
		whose := ""
		if n > 0 {
			whose = "another's "
		}
		for i, r := range tf.runs {
			found[fmt.Sprintf("%swhat terraform said, the %d. time", whose, i+1)] = r.out.Bytes()
		}
		files, err := os.ReadDir(tf.dir)
		tr.must(err)
		for _, f := range files {
			if f.Type().IsRegular() && f.Name() != "main.tf" { // which is where it is given
				text, err := os.ReadFile(filepath.Join(tf.dir, f.Name()))
				tr.must(err)
				found[whose+f.Name()] = text
			}
		}
	}
	return strings.Join(found.Leaks(known), "; ")
}

// crash has the provider's runtime write down what all its goroutines do, with their
// arguments, as a panic does of one, and end.
func crash(tr *trial) {
	running := tr.run.providers()
	for _, pid := range running {
		_ = syscall.Kill(pid, syscall.SIGQUIT)
	}
	if len(running) == 0 {
		return // the operation is over
	}
	log := filepath.Join(tr.tf.dir, logName)
	written := func() bool {
		text, err := os.ReadFile(log)
		return err == nil && bytes.Contains(text, []byte("SIGQUIT: quit")) && bytes.Contains(text, []byte("runtime.gopark("))
	}
	if !within(patience, func() bool { return tr.run.hasEnded() || written() }) || !written() {
		tr.t.Error("the provider's crash is not in the log")
	}
}

func TestASecretThatATrialLeaksIsFound(t *testing.T) {
	tr := &trial{t: t, tv: simtest.NewPlexTV(t)}
	tr.plantSecrets()
	tr.sim = simtest.NewServer(t, simtest.Options{PlexTV: tr.tv, Account: &tr.owner})
	tr.backups = tr.sim.DataDir() + ".terraform-backups"
	tr.tf = &terraform{t: t, dir: t.TempDir()}
	tr.must(os.Mkdir(tr.backups, 0o700))
	tr.must(os.WriteFile(filepath.Join(tr.tf.dir, "main.tf"), []byte(tr.owner.Token), 0o600))
	tr.lookOut()
	server := ""
	for _, d := range tr.tv.Devices() {
		if d.ClientID == tr.sim.Identity.Processed {
			server = d.Token
		}
	}
	if found := tr.judgeSecrets(); found != "" || server == "" {
		t.Fatalf("secrets were found that nobody has planted: %s; the server's token: %t", found, server != "")
	}
	said := &run{}
	said.out.WriteString(tr.owner.Token)
	tr.tf.runs = []*run{said}
	for path, mode := range map[string]os.FileMode{
		filepath.Join(tr.tf.dir, logName): 0o600, tr.tf.stateFile(): 0o600, filepath.Join(tr.tf.dir, "errored.tfstate"): 0o600,
		filepath.Join(tr.backups, "a.xml"): 0o640, filepath.Join(tr.sim.DataDir(), "b.stage"): 0o604, tr.lock(): 0o600,
	} {
		tr.must(os.WriteFile(path, []byte(server), mode))
	}
	found := tr.judgeSecrets()
	for _, where := range []string{
		"what terraform said, the 1. time: the account's token", logName + ": ", "terraform.tfstate: ", "errored.tfstate: ",
		"a.xml: ", "b.stage: ", "the lock " + tr.lock() + ": ",
	} {
		if !strings.Contains(found, where) {
			t.Errorf("what was planted was not found in %q, but in %s", where, found)
		}
	}
	if strings.Contains(found, server) || strings.Contains(found, tr.owner.Token) {
		t.Error("a verdict shows the secret")
	}
}
