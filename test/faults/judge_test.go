//go:build linux

package faults_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
)

// verdict is what a trial found; empty texts are good.
type verdict struct {
	Down, Damaged, NoCopy, Diverged string
	Leaked                          string // where secrets were found
	StateLost                       bool   // Terraform had left a state that it cannot read itself
}

// judge looks at what is left, without touching it, and then applies again.
func (tr *trial) judge() verdict {
	var v verdict
	if !tr.fault.owed {
		v.Down = tr.judgeRuns()
		v.Damaged = tr.judgePreferences(false)
	}
	v.NoCopy = tr.judgeCopies()
	if !tr.tf.stateIsWhole() {
		v.StateLost = true
		tr.must(os.Remove(tr.tf.stateFile()))
		if tr.state != nil {
			tr.must(os.WriteFile(tr.tf.stateFile(), tr.state, 0o600))
		}
	}
	tr.away = tr.watcher.longest(tr.healed)
	v.Diverged = tr.judgeConverges()
	v.Leaked = tr.judgeSecrets()
	return v
}

// judgeRuns waits, for a bounded time, until the server is what it was before:
// running, and answering, or stopped.
func (tr *trial) judgeRuns() string {
	if tr.operation.stopped {
		if tr.sim.Running() {
			return "it runs, and was stopped"
		}
		return ""
	}
	if !within(bound, func() bool { return tr.watcher.up() && tr.sim.Running() }) {
		return fmt.Sprintf("it does not run after %v; process %d, answers %t", bound, tr.sim.PID(), tr.watcher.up())
	}
	return ""
}

// judgePreferences compares them with those from before. A server that writes at
// the moment is looked at again.
func (tr *trial) judgePreferences(converged bool) string {
	fault := ""
	within(3*time.Second, func() bool {
		fault = tr.comparePreferences(tr.sim.Preferences(), converged)
		return fault == ""
	})
	return fault
}

// comparePreferences: wholly the old, or wholly the new; where all has converged,
// the new.
func (tr *trial) comparePreferences(data []byte, converged bool) string {
	now, err := prefs.FormatXML.Parse(data)
	if err != nil {
		return fmt.Sprintf("%d bytes: %v", len(data), err)
	}
	for _, name := range prefs.Diff(tr.old, now) {
		if !slices.Contains(prefs.BindingKeys(), name) && !prefs.ServerOwned(name) {
			return name + " was changed"
		}
	}
	was, wasBound := prefs.ReadBinding(tr.old)
	is, isBound := prefs.ReadBinding(now)
	old := was == is
	fresh := isBound && (!wasBound || is.Token != was.Token) && tr.honoured(is.Token) &&
		(is.Username == "" || is.Username == "owner") && (is.Mail == "" || is.Mail == "owner@example.com")
	gone := !isBound && is.Username+is.Mail+is.Home == ""
	switch {
	case converged && tr.operation.unbinds:
		if !gone {
			return "it is still bound"
		}
	case converged && !isBound:
		return "it is not bound"
	case old, fresh && tr.operation.claims, gone && (tr.operation.unbinds || tr.operation.name == "replace"):
	default:
		return "the binding is neither the old nor the new one"
	}
	return ""
}

// honoured tells whether plex.tv knows the token.
func (tr *trial) honoured(token string) bool {
	request, err := http.NewRequest(http.MethodGet, tr.tv.URL+"/api/v2/user", nil)
	tr.must(err)
	request.Header.Set("X-Plex-Token", token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil && response.StatusCode == http.StatusOK
}

// judgeCopies: once the server was told to stop, there is a copy with all that was
// in the old preferences.
func (tr *trial) judgeCopies() string {
	unknown := tr.operation.stopped || tr.fault.ends // whether an edit came so far
	if unknown && tr.bindingIsOld() || !unknown && tr.sim.StopCount() == tr.stops {
		return ""
	}
	found, err := filepath.Glob(filepath.Join(tr.backups, "*.xml"))
	tr.must(err)
	for _, path := range found {
		info, err := os.Stat(path)
		tr.must(err)
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			return fmt.Sprintf("%s has mode %v", filepath.Base(path), mode)
		}
		data, err := os.ReadFile(path)
		tr.must(err)
		copied, err := prefs.FormatXML.Parse(data)
		if err == nil && !slices.ContainsFunc(prefs.Diff(tr.old, copied), func(name string) bool { return !prefs.ServerOwned(name) }) {
			return ""
		}
	}
	return fmt.Sprintf("none of the %d copies is good", len(found))
}

func (tr *trial) bindingIsOld() bool {
	now, err := prefs.FormatXML.Parse(tr.sim.Preferences())
	if err != nil {
		return false
	}
	was, _ := prefs.ReadBinding(tr.old)
	is, _ := prefs.ReadBinding(now)
	return was == is
}

// judgeConverges applies again, as a person would who has only Terraform.
func (tr *trial) judgeConverges() string {
	out, err := tr.tf.do("apply", "-auto-approve")
	if err != nil {
		return fmt.Sprintf("apply: %v\n%s", err, tail(out))
	}
	if out, err := tr.tf.do("plan", "-detailed-exitcode"); err != nil {
		return fmt.Sprintf("plan: %v\n%s", err, tail(out))
	}
	if down := tr.judgeRuns(); down != "" {
		return "after apply: " + down
	}
	if damaged := tr.judgePreferences(true); damaged != "" {
		return "after apply: " + damaged
	}
	if !within(bound, func() bool { return len(tr.holders()) == 0 }) {
		return "after apply: an edit has not ended"
	}
	if left := tr.left(); len(left) > 0 {
		tr.t.Logf("left behind: %s", left)
	}
	return ""
}

// left are files of edits, of which none goes on.
func (tr *trial) left() []string {
	var left []string
	for _, pattern := range []string{filepath.Join(tr.backups, "*.stage*"), filepath.Join(tr.sim.DataDir(), ".Preferences.xml.terraform-*")} {
		found, err := filepath.Glob(pattern)
		tr.must(err)
		left = append(left, found...)
	}
	return left
}

// tail is the end of what a program has said.
func tail(out string) string {
	const most = 3000
	return out[max(0, len(out)-most):]
}

// count is how often something has happened to the server.
func (tr *trial) count(event string) int { return plexsim.Count(tr.sim.Events(), event) }
