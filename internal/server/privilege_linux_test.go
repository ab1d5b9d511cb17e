package server_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Root edits in a directory that the server's own user can write. Nothing that
// this user plants there may make the edit touch what is not the user's.

// attacker is the user who owns the data directory. No name is known for it.
const attacker = 12345

// victim is what only root may read or write, and has no business with an edit.
type victim struct {
	t         *testing.T
	dir, file string
	private   string // which only root can enter, and holds what looks like old copies
	before    string
}

const victimText = "root:planted-victim-secret:0:0\n"

func newVictim(t *testing.T, sim *simtest.ServerProcess) *victim {
	t.Helper()
	v := &victim{t: t, dir: filepath.Join(t.TempDir(), "victim")}
	v.file, v.private = filepath.Join(v.dir, "shadow"), filepath.Join(v.dir, "private")
	// Root's own, and as it is at / or /etc: everybody may enter.
	must(t, os.Mkdir(v.dir, 0o755))
	must(t, os.WriteFile(v.file, []byte(victimText), 0o600))
	must(t, os.Mkdir(v.private, 0o700))
	c := exec.Command("cksum")
	c.Stdin = strings.NewReader(sim.PreferencesPath())
	sum, err := c.Output()
	must(t, err)
	for i := range 9 {
		name := fmt.Sprintf("%s-2020010%dT000000Z-1.before.xml", strings.Fields(string(sum))[0], i+1)
		must(t, os.WriteFile(filepath.Join(v.private, name), []byte(victimText), 0o600))
	}
	openUp(t, v.dir)
	v.before = v.look()
	return v
}

// look describes the victim whole: names, owners, modes, contents, times.
func (v *victim) look() string {
	var b strings.Builder
	must(v.t, filepath.WalkDir(v.dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		s := stat(v.t, path)
		fmt.Fprintf(&b, "%s %o %d:%d %d", path, s.Mode, s.Uid, s.Gid, s.Mtim.Nano())
		if s.Mode&syscall.S_IFMT == syscall.S_IFREG {
			fmt.Fprintf(&b, " %q", read(v.t, path))
		}
		b.WriteString("\n")
		return nil
	}))
	return b.String()
}

// wantUnharmed checks that nothing of the victim has changed, and that its
// secret is in none of the places that the attacker can read.
func (v *victim) wantUnharmed(sim *simtest.ServerProcess, err error) {
	v.t.Helper()
	if now := v.look(); now != v.before {
		v.t.Errorf("the edit reached outside: it was\n%sand is\n%s", v.before, now)
	}
	if err != nil && strings.Contains(err.Error(), "planted-victim-secret") {
		v.t.Errorf("the error shows what only root may read: %v", err)
	}
	_ = filepath.WalkDir(filepath.Dir(sim.DataDir()), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // what comes and goes while it is looked at
		}
		// The test must not be led astray either.
		f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
		if err != nil {
			return nil
		}
		defer func() { _ = f.Close() }()
		info, err := f.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return nil
		}
		content, err := io.ReadAll(f)
		if err == nil && info.Sys().(*syscall.Stat_t).Uid == attacker && bytes.Contains(content, []byte("planted-victim-secret")) {
			v.t.Errorf("%s, the attacker's, holds what only root may read", path)
		}
		return nil
	})
}

// openUp lets everybody pass through the directories above path that the tests have made.
func openUp(t *testing.T, path string) {
	t.Helper()
	for dir := filepath.Dir(path); dir != filepath.Dir(os.TempDir()) && dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		must(t, os.Chmod(dir, 0o755))
	}
}

// owned is a stopped server whose directories are the attacker's, as those of a
// packaged server are its own user's.
func owned(t *testing.T) *simtest.ServerProcess {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("NOT RUN: only root can act as two users; make testlab runs it")
	}
	if os.Getenv(simtest.EnvLab) != "" {
		t.Skip("NOT RUN: here the service manager's own user has the directories")
	}
	sim := simtest.NewServer(t, simtest.Options{Token: "a-token"})
	give(t, sim)
	return sim
}

// run starts the server as the attacker, and manages it so.
func run(t *testing.T, sim *simtest.ServerProcess) func(*server.Options) {
	t.Helper()
	as := fmt.Sprintf("setpriv --reuid %[1]d --regid %[1]d --clear-groups ", attacker)
	program := simtest.Program(t)
	mine := forAll(t, program)
	line := func(line string) string { return as + strings.Replace(line, program, mine, 1) }
	commands := server.Commands(sim.Commands())
	commands = server.Commands{Stop: line(commands.Stop), Start: line(commands.Start), Status: line(commands.Status)}
	if out, err := exec.Command("/bin/sh", "-c", commands.Start).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return func(o *server.Options) { o.Service, o.Commands = server.Service{}, commands }
}

// forAll copies a program from where only root may enter. Another process does, since
// what is started meanwhile would keep the file open, and "busy".
func forAll(t *testing.T, program string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), filepath.Base(program))
	if out, err := exec.Command("cp", program, path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	must(t, os.Chmod(path, 0o755))
	openUp(t, path)
	return path
}

func give(t *testing.T, sim *simtest.ServerProcess) {
	t.Helper()
	top := filepath.Dir(filepath.Dir(filepath.Dir(sim.DataDir())))
	must(t, filepath.WalkDir(top, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, attacker, attacker)
	}))
	openUp(t, top)
}

func TestWhatIsPlantedInTheDataDirectoryLeadsNowhere(t *testing.T) {
	plants := []struct {
		name  string
		plant func(t *testing.T, v *victim, path string)
	}{
		{"symbolic link", func(t *testing.T, v *victim, path string) { must(t, os.Symlink(v.file, path)) }},
		{"link to a directory", func(t *testing.T, v *victim, path string) { must(t, os.Symlink(v.dir, path)) }},
		{"link to what is not yet", func(t *testing.T, v *victim, path string) { must(t, os.Symlink(v.dir+"/new", path)) }},
		{"link to a private directory", func(t *testing.T, v *victim, path string) { must(t, os.Symlink(v.private, path)) }},
		{"hard link", func(t *testing.T, v *victim, path string) { must(t, os.Link(v.file, path)) }},
		{"FIFO", func(t *testing.T, _ *victim, path string) {
			must(t, syscall.Mkfifo(path, 0o666))
			must(t, os.Lchown(path, attacker, attacker))
		}},
		{"directory", func(t *testing.T, _ *victim, path string) {
			must(t, os.Mkdir(path, 0o777))
			must(t, os.Lchown(path, attacker, attacker))
		}},
	}
	for i, where := range []string{
		"Preferences.xml", ".terraform-provider-plex.lock", ".terraform-provider-plex.lock.held", ".terraform-provider-plex.lock.clearing",
		"plexmediaserver.pid", "../plexmediaserver.pid", ".terraform-backups", "../Plex Media Server.terraform-backups",
	} {
		for j, p := range plants {
			t.Run(p.name+" as "+where, func(t *testing.T) {
				t.Parallel()
				sim := owned(t)
				v := newVictim(t, sim)
				path := filepath.Join(sim.DataDir(), where)
				_ = os.Remove(path)
				p.plant(t, v, path)
				h := oneShell(t, i+j)
				if strings.Contains(where, ".lock.") {
					h = withPath(t, []string{"sh"}, "/nowhere", "flock")
				}
				err := editWithin(t, h, sim)
				v.wantUnharmed(sim, err)
				if strings.HasPrefix(where, "../Plex") && !errors.Is(err, server.ErrBackupDirectory) {
					t.Errorf("error is %v, want one about the backup directory", err)
				}
			})
		}
	}
}

// oneShell is one of the shells in turn, for tests that need many edits.
func oneShell(t *testing.T, n int) host.Host {
	t.Helper()
	shell := shells[n%len(shells)].argv
	if _, err := exec.LookPath(shell[0]); err != nil {
		return host.Local{}
	}
	return host.Local{Interpreter: shell}
}

// editWithin is an edit that may be refused, but has to end.
func editWithin(t *testing.T, h host.Host, sim *simtest.ServerProcess) error {
	t.Helper()
	done := make(chan error, 1)
	s := newServer(t, h, options(sim, func(o *server.Options) { o.Limits.Lock = time.Second }))
	go func() {
		_, err := s.Edit(t.Context(), setToken("another"))
		done <- err
	}()
	select {
	case err := <-done:
		var said *server.Error
		if err != nil && (!errors.As(err, &said) || said.Next == "") {
			t.Errorf("the error says nothing to do: %v", err)
		}
		return err
	case <-time.After(2 * time.Minute):
		t.Fatal("the edit hangs")
		return nil
	}
}

// A process of the attacker's swaps something else in, again and again, for as long
// as the edits last: between any check and any use there is one.
func TestWhatIsSwappedInLeadsNowhere(t *testing.T) {
	const edits = 5
	for n, test := range []struct{ where, kind string }{
		{"Preferences.xml", "link"}, {"Preferences.xml", "FIFO"}, {"temporary", "link"}, {"temporary", "FIFO"},
		{".terraform-provider-plex.lock", "link"}, {".terraform-provider-plex.lock", "FIFO"},
		{"../Plex Media Server.terraform-backups", "link"}, {"../Plex Media Server.terraform-backups", "private"},
		{"../../Application Support/Plex Media Server", "link"}, {"../../Application Support", "link"},
	} {
		t.Run(test.kind+" as "+test.where, func(t *testing.T) {
			t.Parallel()
			sim := owned(t)
			v := newVictim(t, sim)
			target := v.file
			if strings.HasPrefix(test.where, "..") {
				target = v.dir
				// What the link leads to looks like a data directory.
				for _, dir := range []string{"", "Plex Media Server"} {
					must(t, os.MkdirAll(filepath.Join(v.dir, dir), 0o755))
					must(t, os.WriteFile(filepath.Join(v.dir, dir, "Preferences.xml"), sim.Preferences(), 0o600))
				}
				v.before = v.look()
			}
			switch test.kind {
			case "private":
				target = v.private
			case "FIFO":
				target = ""
			}
			// A server whose own files come and go would not run.
			runs := test.where != "Preferences.xml" && !strings.HasPrefix(test.where, "../..")
			managed := func(*server.Options) {}
			if runs {
				managed = run(t, sim)
			}
			stop := swap(t, sim, filepath.Clean(filepath.Join(sim.DataDir(), test.where)), target)
			outcomes := map[string]int{}
			for i := range edits {
				s := newServer(t, oneShell(t, n+i), options(sim, managed, func(o *server.Options) {
					o.Limits.Lock, o.Limits.Command = time.Second, 4*time.Second
				}))
				started := time.Now()
				_, err := s.Edit(t.Context(), setToken(fmt.Sprintf("token-%d", i)))
				if took := time.Since(started); took > 2*time.Minute {
					t.Errorf("it took %v", took)
				}
				var said *server.Error
				switch {
				case err == nil:
					outcomes["done"]++
				case errors.As(err, &said) && said.State != "":
					outcomes[said.Doing]++
				default:
					t.Errorf("error is %v", err)
				}
				v.wantUnharmed(sim, err)
				if runs {
					wantRuns(t, sim)
				}
			}
			t.Logf("%d edits, %d swaps: %v", edits, stop(), outcomes)
			wantNobody(t, sim)
		})
	}
}

// wantRuns checks that the server runs, or does so soon.
func wantRuns(t *testing.T, sim *simtest.ServerProcess) {
	t.Helper()
	simtest.Eventually(t, "the server runs", sim.Running)
}

// wantNobody checks that no process of an edit is left.
func wantNobody(t *testing.T, sim *simtest.ServerProcess) {
	t.Helper()
	simtest.Eventually(t, "no process of an edit is left", func() bool {
		files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		for _, file := range files {
			line, _ := os.ReadFile(file)
			if bytes.Contains(line, []byte(sim.DataDir())) {
				return false
			}
		}
		return true
	})
}

// swap starts a process of the attacker's that makes path a link to target, or a
// FIFO without one, and what it was again, until it is told to stop; it returns how
// often it did.
func swap(t *testing.T, sim *simtest.ServerProcess, path, target string) (stop func() int) {
	t.Helper()
	program, err := os.Executable()
	must(t, err)
	c := exec.Command(forAll(t, program), "-test.run=^TestSwapProcess$", "-test.v")
	c.Env = append(os.Environ(), "SWAP_PATH="+path, "SWAP_TARGET="+target, "SWAP_DATA_DIR="+sim.DataDir())
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: attacker, Gid: attacker}}
	in, err := c.StdinPipe()
	must(t, err)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	must(t, c.Start())
	ended := false
	stop = func() int {
		if ended {
			return 0
		}
		ended = true
		_ = in.Close()
		if err := c.Wait(); err != nil {
			t.Errorf("the swapping process: %v\n%s", err, out.Bytes())
		}
		n := 0
		for line := range strings.Lines(out.String()) {
			_, _ = fmt.Sscanf(line, "swaps %d", &n)
		}
		if n == 0 {
			t.Errorf("nothing was swapped:\n%s", out.Bytes())
		}
		return n
	}
	t.Cleanup(func() { stop() })
	return stop
}

// TestSwapProcess is that process, and no test.
func TestSwapProcess(t *testing.T) {
	path, target, dataDir := os.Getenv("SWAP_PATH"), os.Getenv("SWAP_TARGET"), os.Getenv("SWAP_DATA_DIR")
	if path == "" {
		return
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		_, _ = os.Stdin.Read(make([]byte, 1))
	}()
	swaps := 0
	for {
		select {
		case <-over:
			fmt.Printf("swaps %d\n", swaps)
			return
		default:
		}
		places := []string{path}
		if filepath.Base(path) == "temporary" {
			// Its name holds the number of the script's process: every one that there is.
			places, _ = filepath.Glob(dataDir + "/.Preferences.xml.terraform-*")
			processes, _ := filepath.Glob("/proc/[0-9]*")
			for _, process := range processes[max(0, len(processes)-40):] {
				places = append(places, dataDir+"/.Preferences.xml.terraform-"+filepath.Base(process))
			}
		}
		for _, place := range places {
			aside := place + ".aside"
			moved := os.Rename(place, aside) == nil
			if target == "" && syscall.Mkfifo(place, 0o600) == nil || target != "" && os.Symlink(target, place) == nil {
				swaps++
			}
			for range 200 {
				_, _ = os.Lstat(place)
			}
			_ = os.Remove(place)
			if moved {
				_ = os.Rename(aside, place)
			}
		}
		for range 200 {
			_, _ = os.Lstat(path)
		}
	}
}

// What the edit leaves in the directory is the attacker's own; the copies are root's.
func TestAnEditByRootActsAsTheOwnerOfTheDataDirectory(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := owned(t)
		before := sim.Preferences()
		report := mustEdit(t, newServer(t, h, options(sim)), setToken("another"))
		for path, want := range map[string]uint32{
			sim.PreferencesPath(): attacker, filepath.Join(sim.DataDir(), ".terraform-provider-plex.lock"): attacker,
			filepath.Dir(report.Backup): 0, report.Backup: 0,
		} {
			if s := stat(t, path); s.Uid != want || s.Mode&0o077 != 0 {
				t.Errorf("%s belongs to %d and has mode %o", path, s.Uid, s.Mode)
			}
		}
		if !bytes.Equal(read(t, report.Backup), before) {
			t.Error("the copy is not the preferences that were")
		}
		wantClean(t, sim)
		document, err := prefs.ParseXML(sim.Preferences())
		must(t, err)
		if token, _ := document.Get(prefs.KeyToken); token != "another" {
			t.Errorf("the token is %q", token)
		}
	})
}

// Who owns the directory above can give another of root's directories the name of that
// of the copies. It is not cleared as one.
func TestADirectoryOfRootsThatWasRenamedIsNotUsedForCopies(t *testing.T) {
	sim := owned(t)
	v := newVictim(t, sim)
	must(t, os.WriteFile(filepath.Join(v.private, "notes"), nil, 0o600))
	backups := sim.DataDir() + ".terraform-backups"
	must(t, os.Rename(v.private, backups))
	v.dir = backups
	v.before = v.look()
	err := editWithin(t, host.Local{}, sim)
	wantError(t, err, server.ErrBackupDirectory)
	wantSays(t, err, "notes")
	v.wantUnharmed(sim, err)
}

// A directory for the copies that the configuration names is entered with the same care.
func TestCopiesOfRootsGoWhereTheConfigurationSays(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		for name, test := range map[string]struct {
			make func(t *testing.T, v *victim, dir string)
			want error
		}{
			"the attacker's directory": {func(t *testing.T, _ *victim, dir string) {
				must(t, os.Mkdir(filepath.Dir(dir), 0o755))
				must(t, os.Lchown(filepath.Dir(dir), attacker, attacker))
			}, nil},
			"a link of root's": {func(t *testing.T, v *victim, dir string) {
				must(t, os.Mkdir(filepath.Join(v.private, "copies"), 0o700))
				must(t, os.Symlink(filepath.Join(v.private, "copies"), filepath.Dir(dir)))
			}, nil},
			"a link of the attacker's": {func(t *testing.T, v *victim, dir string) {
				must(t, os.Mkdir(filepath.Dir(dir), 0o755))
				must(t, os.Symlink(v.private, dir))
				must(t, os.Lchown(dir, attacker, attacker))
				must(t, os.Lchown(filepath.Dir(dir), attacker, attacker))
			}, server.ErrBackupDirectory},
			"below a link of the attacker's": {func(t *testing.T, v *victim, dir string) {
				above := filepath.Dir(filepath.Dir(dir))
				must(t, os.Symlink(v.private, filepath.Dir(dir)))
				must(t, os.Lchown(above, attacker, attacker))
			}, server.ErrBackupDirectory},
		} {
			t.Run(name, func(t *testing.T) {
				sim := owned(t)
				v := newVictim(t, sim)
				dir := filepath.Join(t.TempDir(), "above", "copies")
				openUp(t, dir[:len(dir)-len("/copies")])
				test.make(t, v, dir)
				v.before = v.look()
				report, err := newServer(t, h, options(sim, func(o *server.Options) { o.Backup.Directory = dir })).Edit(t.Context(), setToken("another"))
				if test.want != nil {
					wantError(t, err, test.want)
					v.wantUnharmed(sim, err)
					return
				}
				must(t, err)
				if s := stat(t, report.Backup); filepath.Dir(report.Backup) != dir || s.Uid != 0 || s.Mode&0o077 != 0 {
					t.Errorf("the copy %s belongs to %d and has mode %o", report.Backup, s.Uid, s.Mode)
				}
			})
		}
	})
}

// What is nobody's for certain is refused before the stop.
func TestRootEditsOnlyWhereItIsCertainWhoseTheFilesAre(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		for name, test := range map[string]struct {
			make func(t *testing.T, sim *simtest.ServerProcess)
			want error
		}{
			"preferences of root's": {func(t *testing.T, sim *simtest.ServerProcess) {
				must(t, os.Lchown(sim.PreferencesPath(), 0, 0))
			}, server.ErrForeignOwner},
			"a directory above that is a third user's": {func(t *testing.T, sim *simtest.ServerProcess) {
				must(t, os.Lchown(filepath.Dir(sim.DataDir()), attacker+1, attacker+1))
			}, server.ErrNotPrivate},
			"root's preferences in everybody's directory": {func(t *testing.T, sim *simtest.ServerProcess) {
				must(t, os.Lchown(sim.PreferencesPath(), 0, 0))
				must(t, os.Lchown(sim.DataDir(), 0, 0))
				must(t, os.Lchown(filepath.Dir(sim.DataDir()), 0, 0))
				must(t, os.Lchown(filepath.Dir(filepath.Dir(sim.DataDir())), 0, 0))
				must(t, os.Lchown(filepath.Dir(filepath.Dir(filepath.Dir(sim.DataDir()))), 0, 0))
				must(t, os.Chmod(sim.DataDir(), 0o777))
			}, server.ErrNotPrivate},
		} {
			t.Run(name, func(t *testing.T) {
				sim := owned(t)
				sim.Start()
				test.make(t, sim)
				before := sim.Preferences()
				_, err := newServer(t, h, options(sim)).Edit(t.Context(), unbind)
				wantError(t, err, test.want)
				wantUntouched(t, sim, before)
			})
		}
	})
}

func TestRootThatCannotActAsTheOwnerSaysWhatToInstall(t *testing.T) {
	sim := owned(t)
	h := withPath(t, []string{"sh"}, "/nowhere", "setpriv", "s6-applyuidgid", "chroot", "chpst")
	_, err := newServer(t, h, options(sim)).Edit(t.Context(), unbind)
	wantError(t, err, server.ErrNoOwner)
	wantSays(t, err, "setpriv", "su")
}
