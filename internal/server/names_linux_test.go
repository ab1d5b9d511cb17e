package server_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Names that a shell, a command or a table could take for something else.

// planted is the name of a file that comes into being when a part of a name is run.
const planted = "was-run"

// oddNames are names of directories and files. None may be run, split or expanded.
var oddNames = []string{
	"with several  spaces", " leading and trailing ", "with 'single' quotes", `with "double" quotes`, `back\slash \n \t`,
	"$(touch " + planted + ")", "`touch " + planted + "`", "a; touch " + planted, "a && touch " + planted, "a | touch " + planted, "> " + planted,
	"--help", "-rf", "-", "*", "?", "[a-z]", "{a,b}", "~", "$HOME", "${p_nonce}", "%s %d %n", "a#b", "#", "!", "a:b", "a=b",
	"two\nlines", "two\nlines\n", "\ttab", "Ünïcödé – 日本語 – 🎬", "\xff\xfe not UTF-8", "\x01\x7f control", "a\r", "preferences", "failed no-room",
}

// stopped is a server at rest in dir, which commands say has stopped.
func stopped(t *testing.T, dir string) server.Options {
	t.Helper()
	identity := simtest.NewIdentity()
	must(t, os.MkdirAll(dir, 0o755))
	file := filepath.Join(dir, "Preferences.xml")
	must(t, os.WriteFile(file, simtest.Preferences(identity, simtest.Owner, "a-token"), 0o600))
	return server.Options{
		PreferencesPath: file, Limits: quick, URL: "http://127.0.0.1:1",
		Commands: server.Commands{Stop: "true", Start: "true", Status: "exit 3"},
	}
}

func TestADirectoryMayHaveAnyName(t *testing.T) {
	if os.Getenv(simtest.EnvLab) != "" {
		t.Skip("NOT RUN: it needs no service manager")
	}
	for i, name := range oddNames {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			top := filepath.Join(t.TempDir(), "top")
			o := stopped(t, filepath.Join(top, name))
			copies, entries := filepath.Join(top, name)+".terraform-backups", 2
			if i%2 == 0 { // the default is made up of the data directory's name
				copies, entries = filepath.Join(top, name, "copies of "+name), 1
				o.Backup.Directory = copies
			}
			report, err := newServer(t, shellInTurn(t, i), o).Edit(t.Context(), unbind)
			wantNothingRun(t)
			var refused *server.Error
			if strings.Contains(name, "\n") && errors.As(err, &refused) && refused.Next != "" && !errors.Is(err, server.ErrBackupDirectory) {
				// Who refuses a path with a line break does so before anything is done.
				// The provider does, when it makes a plan.
				if !hasToken(t, read(t, o.PreferencesPath)) {
					t.Error("it was refused, and done")
				}
				return
			}
			must(t, err)
			if report.PreferencesPath != o.PreferencesPath || filepath.Dir(report.Backup) != copies {
				t.Errorf("the preferences are said to be at %q, the copies in %q", report.PreferencesPath, filepath.Dir(report.Backup))
			}
			if hasToken(t, read(t, o.PreferencesPath)) || !hasToken(t, read(t, report.Backup)) {
				t.Error("the edit was not made, or no copy kept")
			}
			if got, err := os.ReadDir(top); err != nil || len(got) != entries {
				t.Errorf("beside the directory there is now %v", got)
			}
		})
	}
}

// shellInTurn is one of the shells that are there, for tests that make many edits.
func shellInTurn(t *testing.T, n int) host.Host {
	t.Helper()
	for i := range shells {
		argv := shells[(n+i)%len(shells)].argv
		if _, err := exec.LookPath(argv[0]); err == nil {
			return host.Local{Interpreter: argv}
		}
	}
	return host.Local{}
}

func wantNothingRun(t *testing.T) {
	t.Helper()
	for _, dir := range []string{".", os.Getenv("HOME"), "/"} {
		if _, err := os.Lstat(filepath.Join(dir, planted)); err == nil {
			t.Errorf("a part of the name was run in %s", dir)
			_ = os.Remove(filepath.Join(dir, planted))
		}
	}
}

// A service of such a name is not there; nothing else may come of asking for it.
func TestAServiceOfAnOddNameIsOneThatIsNotThere(t *testing.T) {
	if os.Getenv(simtest.EnvLab) != "" {
		t.Skip("NOT RUN: it runs without a service manager, too")
	}
	for i, name := range oddNames {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			managers := server.Managers()
			for j := range 3 {
				manager := managers[(i+j*len(managers)/3)%len(managers)]
				o := server.Options{Service: server.Service{Manager: manager, Name: name}, Limits: quick}
				_, err := newServer(t, shellInTurn(t, i), o).Inspect(t.Context())
				wantError(t, err, server.ErrServiceNotFound)
				wantNothingRun(t)
			}
		})
	}
}

// Commands are the user's own, and may hold what they like.
func TestCommandsMayHoldAnything(t *testing.T) {
	if os.Getenv(simtest.EnvLab) != "" {
		t.Skip("NOT RUN: it needs no service manager")
	}
	everyShell(t, func(t *testing.T, h host.Host) {
		o := stopped(t, filepath.Join(t.TempDir(), "data"))
		said := filepath.Join(t.TempDir(), "said")
		o.Commands.Status = "printf '%s\\n' 'it'\\''s \"$(echo run)\"\n#:end' \\\n  >" + said + "; exit 3"
		mustEdit(t, newServer(t, h, o), unbind)
		if got := read(t, said); !bytes.Equal(got, []byte("it's \"$(echo run)\"\n#:end\n")) {
			t.Errorf("the command was changed on its way: %q", got)
		}
	})
}

// What a server calls itself may not pass for the script's own words.
func TestPreferencesMayHoldAnything(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		dir := filepath.Join(t.TempDir(), "data")
		o := stopped(t, dir)
		odd := "\nfailed\nno-room all is lost\n#:\nready\n\n$(touch " + planted + ")`touch " + planted + "`%s\\"
		document, err := prefs.FormatXML.Parse(read(t, o.PreferencesPath))
		must(t, err)
		must(t, document.Set("FriendlyName", odd))
		must(t, os.WriteFile(o.PreferencesPath, []byte(strings.ReplaceAll(string(document.Bytes()), "&#xA;", "\n")), 0o600))
		mustEdit(t, newServer(t, h, o), unbind)
		wantNothingRun(t)
	})
}
