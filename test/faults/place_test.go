//go:build linux

package faults_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
)

// place is a step of the transaction at which a fault can be injected. The
// script on the host reaches it when it runs a program while its stage is the
// one given, for the nth time.
type place struct {
	name, program, stage string
	nth                  int
}

// places are the steps, in order. The programs "stop" and "start" are the
// server's own commands, before and after they did what they are for.
var places = []place{
	{"lock", "flock", "none", 1},
	{"copy", "sync", "none", 1},     // of the first copy, which is complete
	{"prepare", "cp", "none", 2},    // the new file gets owner, mode and the rest
	{"ready", "cat", "idle", 1},     // the preferences go to the provider, which exchanges a token
	{"stop", "stop", "stopping", 1}, // nothing was stopped yet
	{"stopping", "stop-done", "stopping", 1},
	{"stopped", "cat", "stopped", 1}, // the second copy is being made
	{"write", "head", "stopped", 1},  // the new preferences arrive
	{"flush", "sync", "stopped", 1},  // before the rename
	{"rename", "mv", "stopped", 1},
	{"renamed", "sync", "stopped", 2}, // before the directory is flushed
	{"start", "start", "stopped", 1},  // nothing was started yet
	{"starting", "start-done", "stopped", 1},
	{"check", "cat", "started", 1}, // the preferences are read again
	{"done", "sort", "started", 1}, // old copies are removed
}

// begin is before the operation, and random any instant within it.
const (
	begin  = "begin"
	random = "random"
)

// serverPlaces are known by what the server does. Nothing is held there.
var serverPlaces = map[string]string{
	plexsim.EventStopping: "server stopping", plexsim.EventStopped: "server stopped",
	plexsim.EventStart: "server starting", plexsim.EventListening: "server started",
}

// placed are the names of the places, and instants.
func placed() []string {
	names := []string{random, random}
	for _, p := range places {
		names = append(names, p.name)
	}
	return names
}

// steps stand before the programs that the script runs, in a directory that comes
// first in its PATH, and hold it where the harness wants it held.
type steps struct {
	t       testing.TB
	dir     string
	backups string // directory in which the script writes its stage down
	others  string // the rest of PATH
}

// shimmed are the programs that mark a place, or that a fault makes fail.
var shimmed = []string{"flock", "sync", "cp", "cat", "head", "mv", "sort"}

// hold is what stands before each of them; ME and D are replaced. A held program
// does not wait for ever for a harness that has died.
const hold = `me=ME d=D
if [ -r "$d/armed" ]; then
  read -r want_program want_stage want_nth <"$d/armed"
  if [ "$me" = "$want_program" ]; then
    STAGE
    if [ "$now" = resting ]; then now=stopped; fi
    if [ "$now" = "$want_stage" ]; then
      n=1
      until mkdir "$d/seen.$n" 2>/dev/null; do n=$((n + 1)); done
      if [ "$n" = "$want_nth" ]; then
        : >"$d/reached"
        n=0
        while [ -e "$d/armed" ] && [ "$n" -lt 1000 ]; do
          SLEEP 0.01
          n=$((n + 1))
        done
      fi
    fi
  fi
fi
`

// stage is what the script has written down. Who acts for the owner of the data
// directory cannot read that, and is told as it begins.
const stage = `now=${STEP_STAGE:-none}
    for f in BACKUPS/*.stage; do
      if [ -e "$f" ]; then read -r now _ <"$f"; fi
    done`

// ioFault makes the program fail where ioerror.c says so.
const ioFault = `if [ -r "$d/ioerror" ]; then
  IOERROR=$(REALCAT "$d/ioerror") LD_PRELOAD=$d/ioerror.so
  export IOERROR LD_PRELOAD
fi
`

// clock sets the machine's clock as far as programs ask date; the kernel's is
// everybody's. Seconds that it is ahead stand in a file.
const clock = `ahead=0
if [ -r D/clock ]; then read -r ahead <D/clock; fi
exec DATE -d "@$(($(DATE +%s) + ahead))" "$@"
`

// setClock has it go so much ahead.
func (s *steps) setClock(ahead time.Duration) {
	s.t.Helper()
	next := filepath.Join(s.dir, "clock.next")
	s.must(os.WriteFile(next, fmt.Appendf(nil, "%d\n", int(ahead.Seconds())), 0o644))
	s.must(os.Rename(next, filepath.Join(s.dir, "clock")))
}

func newSteps(t testing.TB, backups string, noFlock bool) *steps {
	t.Helper()
	s := &steps{t: t, dir: t.TempDir(), backups: backups, others: os.Getenv("PATH")}
	// The owner of a data directory, as whom root works there, is held here, too.
	s.must(os.Chmod(filepath.Dir(s.dir), 0o755))
	s.must(os.Chmod(s.dir, 0o777))
	if noFlock {
		s.others = s.allBut("flock")
	}
	for _, name := range shimmed {
		if noFlock && name == "flock" {
			continue
		}
		program, err := exec.LookPath(name)
		s.must(err)
		s.write(name, s.text(name)+s.fill(ioFault, name)+"exec "+host.Quote(program)+" \"$@\"\n")
	}
	if setpriv, err := exec.LookPath("setpriv"); err == nil {
		s.write("setpriv", "#!/bin/sh\n"+s.fill(stage, "setpriv")+"\nexport STEP_STAGE=$now\nexec "+setpriv+" \"$@\"\n")
	}
	date, err := exec.LookPath("date")
	s.must(err)
	s.write("date", "#!/bin/sh\n"+strings.NewReplacer("D/", host.Quote(s.dir)+"/", "DATE", date).Replace(clock))
	for _, name := range []string{"stop", "stop-done", "start", "start-done"} {
		s.write("at-"+name, s.text(name))
	}
	return s
}

// markSystemctl has it stop at the places before and after a stop and a start.
func (s *steps) markSystemctl() {
	s.t.Helper()
	at := host.Quote(filepath.Join(s.dir, "at-"))
	s.write("systemctl", `#!/bin/sh
case " $* " in
  *" stop "*) verb=stop ;;
  *" start "*) verb=start ;;
  *) exec /usr/bin/systemctl "$@" ;;
esac
`+at+"$verb\n/usr/bin/systemctl \"$@\"\nstatus=$?\n"+at+"$verb-done\nexit $status\n")
}

func (s *steps) text(name string) string { return "#!/bin/sh\n" + s.fill(hold, name) }

func (s *steps) fill(text, name string) string {
	sleep, _ := exec.LookPath("sleep")
	cat, _ := exec.LookPath("cat")
	text = strings.Replace(text, "STAGE\n", stage+"\n", 1)
	return strings.NewReplacer("=ME", "="+name, "=D\n", "="+host.Quote(s.dir)+"\n", "BACKUPS", host.Quote(s.backups),
		"SLEEP", sleep, "REALCAT", cat).Replace(text)
}

func (s *steps) write(name, text string) {
	s.t.Helper()
	s.must(os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o755))
}

// command is a command of the server's, with a place before and one after it.
func (s *steps) command(name, line string) string {
	return fmt.Sprintf("%s; %s; status=$?; %s; (exit $status)",
		host.Quote(filepath.Join(s.dir, "at-"+name)), line, host.Quote(filepath.Join(s.dir, "at-"+name+"-done")))
}

// path is a PATH in which the steps come first.
func (s *steps) path() string { return s.dir + ":" + s.others }

// allBut is a directory with all programs of PATH but one.
func (s *steps) allBut(missing string) string {
	s.t.Helper()
	dir := s.t.TempDir()
	for _, from := range filepath.SplitList(os.Getenv("PATH")) {
		entries, _ := os.ReadDir(from) // a directory that is not there has none
		for _, e := range entries {
			err := os.Symlink(filepath.Join(from, e.Name()), filepath.Join(dir, e.Name()))
			if e.Name() != missing && !errors.Is(err, os.ErrExist) {
				s.must(err)
			}
		}
	}
	s.must(os.Remove(filepath.Join(dir, missing)))
	return dir
}

// arm has the script held at a place.
func (s *steps) arm(p place) {
	s.t.Helper()
	next := filepath.Join(s.dir, "next")
	s.must(os.WriteFile(next, fmt.Appendf(nil, "%s %s %d\n", p.program, p.stage, p.nth), 0o644))
	s.must(os.Rename(next, filepath.Join(s.dir, "armed")))
}

// reached tells whether the script is held.
func (s *steps) reached() bool {
	_, err := os.Stat(filepath.Join(s.dir, "reached"))
	return err == nil
}

// release lets the script go on, and holds it nowhere else.
func (s *steps) release() {
	if err := os.Remove(filepath.Join(s.dir, "armed")); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Error(err)
	}
}

func (s *steps) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// patience is how long the harness waits for what should happen soon.
const patience = 30 * time.Second

// within waits until a condition holds.
func within(limit time.Duration, condition func() bool) bool {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(limit); ; <-tick.C {
		if condition() {
			return true
		}
		if time.Now().After(deadline) || interrupted.Err() != nil {
			return false
		}
	}
}
