package server_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim"
	"github.com/homelab-iac/terraform-provider-plex/internal/plexsim/simtest"
	"github.com/homelab-iac/terraform-provider-plex/internal/server"
)

// Rule 3: there is always a good copy.

func copies(t *testing.T, dir, kind string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*."+kind+".xml"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAnEditKeepsACopyFromBeforeAndOneFromAfterTheStop(t *testing.T) {
	onlyForFiles(t)
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, func(c *plexsim.Config) { c.SetAtStop = map[string]string{"OnDeckWindow": "99"} })
		before := sim.Preferences()
		report := mustEdit(t, newServer(t, h, options(sim)), unbind)
		dir := sim.DataDir() + ".terraform-backups"
		olds, news := copies(t, dir, "before"), copies(t, dir, "after")
		if len(olds) != 1 || len(news) != 1 || report.Backup != news[0] {
			t.Fatalf("copies %v and %v, reported %s", olds, news, report.Backup)
		}
		if got := read(t, olds[0]); !bytes.Equal(got, before) {
			t.Errorf("the copy from before the stop differs: %s", got)
		}
		got := read(t, news[0])
		if !hasToken(t, got) || !bytes.Contains(got, []byte(`OnDeckWindow="99"`)) {
			t.Errorf("the copy from after the stop is not what the server left: %s", got)
		}
		wantMode(t, dir, os.ModeDir|0o700)
		wantMode(t, olds[0], 0o600)
		wantMode(t, news[0], 0o600)
	})
}

// A twin of the preferences holds a token, and nobody else would ever remove it.
func TestWhatAnEditLeftThatWasKilledIsCleared(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		left := filepath.Join(sim.DataDir(), ".Preferences.xml.terraform-4711")
		if err := os.WriteFile(left, sim.Preferences(), 0o600); err != nil {
			t.Fatal(err)
		}
		mustEdit(t, newServer(t, h, options(sim)), unbind)
		wantClean(t, sim)
	})
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func wantMode(t *testing.T, path string, want os.FileMode) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != want {
		t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
	}
}

func TestAFileThatTheServerDamagedAsItStoppedIsRestored(t *testing.T) {
	onlyForFiles(t)
	everyShell(t, func(t *testing.T, h host.Host) {
		for name, configure := range map[string]func(*plexsim.Config){
			"emptied":          func(c *plexsim.Config) { c.EmptyAtStop = true },
			"another identity": func(c *plexsim.Config) { c.IdentityAtStop = "0123456789012345678901234567890123456789" },
		} {
			t.Run(name, func(t *testing.T) {
				sim := bound(t, configure)
				before := sim.Preferences()
				report := mustEdit(t, newServer(t, h, options(sim)), unbind)
				if len(report.Warnings) != 1 {
					t.Errorf("warnings %v, want one that says so", report.Warnings)
				}
				want := regexp.MustCompile(` PlexOnline(Home|Mail|Token|Username)="[^"]*"`).ReplaceAll(before, nil)
				if got := sim.Preferences(); !bytes.Equal(got, want) {
					t.Errorf("preferences are\n%s\nwant\n%s", got, want)
				}
				if !bytes.Equal(read(t, report.Backup), before) {
					t.Error("the reported copy is not the good one")
				}
			})
		}
	})
}

func TestAFileThatTheServerEmptiedIsRestoredWhenTheProviderHasGone(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, func(c *plexsim.Config) { c.EmptyAtStop = true })
		before := sim.Preferences()
		w := &wire{Host: h, onRecord: map[string]func(*wireShell){
			"stopped": func(s *wireShell) { _ = s.Close(); s.silence() },
		}}
		_, err := newServer(t, w, options(sim)).Edit(t.Context(), unbind)
		wantError(t, err, server.ErrDisconnected)
		wantBack(t, sim, true)
		if !bytes.Equal(sim.Preferences(), before) {
			t.Errorf("preferences are %s", sim.Preferences())
		}
	})
}

func TestTheCopiesOfTheLastOperationsAreKept(t *testing.T) {
	onlyForFiles(t)
	process := regexp.MustCompile(`[0-9]+(\.(before|after)\.xml)$`)
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		sim.Stop()
		dir := filepath.Join(t.TempDir(), "copies")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		foreign := filepath.Join(dir, "1-20200101T000000Z-1.before.xml")
		if err := os.WriteFile(foreign, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		s := newServer(t, h, options(sim, func(o *server.Options) { o.Backup = server.Backup{Directory: dir, Keep: 2} }))
		for n, token := range []string{"one", "two", "three", "four"} {
			report := mustEdit(t, s, setToken(token))
			// Several operations in a second, whose processes are numbered downwards.
			for _, kind := range []string{"before", "after"} {
				was := process.ReplaceAllString(report.Backup, "")
				renamed := fmt.Sprintf("%s%d.%s.xml", was, 99999-n, kind)
				for _, made := range copies(t, dir, kind) {
					if strings.HasPrefix(made, was) {
						if err := os.Rename(made, renamed); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
		}
		if _, err := os.Stat(foreign); err != nil {
			t.Error("another server's copy was removed")
		}
		if err := os.Remove(foreign); err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{"before", "after"} {
			kept := copies(t, dir, kind)
			if len(kept) != 2 || !bytes.Contains(read(t, kept[0]), []byte(`"two"`)) || !bytes.Contains(read(t, kept[1]), []byte(`"three"`)) {
				t.Errorf("copies: %v, want those of the third operation and of the fourth", kept)
			}
		}
	})
}

// After the clock was set back, the names of older copies sort after those of this edit.
func TestTheCopiesOfThisOperationAreKeptWhateverTheClockSays(t *testing.T) {
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		s := newServer(t, h, options(sim, func(o *server.Options) { o.Backup.Keep = 1 }))
		first := mustEdit(t, s, setToken("one")).Backup
		year := regexp.MustCompile(`-20\d\d`)
		for _, kind := range []string{"before", "after"} {
			for _, old := range copies(t, filepath.Dir(first), kind) {
				if err := os.Rename(old, year.ReplaceAllString(old, "-2999")); err != nil {
					t.Fatal(err)
				}
			}
		}
		second := mustEdit(t, s, setToken("two")).Backup
		if _, err := os.Stat(second); err != nil {
			t.Error(err)
		}
	})
}

// Rule 5: the new file replaces the old in one step, and keeps what it had.

func TestTheNewFileKeepsModeOwnerAndExtendedAttributes(t *testing.T) {
	onlyForFiles(t)
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		sim.Stop()
		path := sim.PreferencesPath()
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
		// In another user's directory root edits only what is that user's.
		owned := os.Getuid() == 0 && stat(t, sim.DataDir()).Uid == 0
		if owned {
			if err := os.Chown(path, 12345, 23456); err != nil {
				t.Fatal(err)
			}
		}
		marked := syscall.Setxattr(path, "user.note", []byte("kept"), 0) == nil
		inode := stat(t, path).Ino
		mustEdit(t, newServer(t, h, options(sim)), unbind)
		after := stat(t, path)
		if after.Ino == inode {
			t.Error("the file was written in place")
		}
		wantMode(t, path, 0o640)
		if owned && (after.Uid != 12345 || after.Gid != 23456) {
			t.Errorf("owner is %d:%d", after.Uid, after.Gid)
		}
		if marked {
			value := make([]byte, 16)
			n, err := syscall.Getxattr(path, "user.note", value)
			if err != nil || string(value[:n]) != "kept" {
				t.Errorf("extended attribute: %q, %v", value[:max(n, 0)], err)
			}
		}
	})
}

func stat(t *testing.T, path string) *syscall.Stat_t {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t)
}

// A file that is a mount of its own, as containers have it, cannot be renamed over.
func TestAFileThatIsAMountIsWrittenInPlace(t *testing.T) {
	onlyForFiles(t)
	if os.Getuid() != 0 {
		t.Skip("NOT RUN: only root can mount; make testlab runs it")
	}
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := bound(t, nil)
		sim.Stop()
		path := sim.PreferencesPath()
		source := filepath.Join(t.TempDir(), "Preferences.xml")
		if err := os.WriteFile(source, sim.Preferences(), 0o600); err != nil {
			t.Fatal(err)
		}
		is := stat(t, path)
		if err := os.Chown(source, int(is.Uid), int(is.Gid)); err != nil {
			t.Fatal(err)
		}
		if err := syscall.Mount(source, path, "", syscall.MS_BIND, ""); err != nil {
			t.Skipf("NOT RUN: no mounts here: %v", err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(path, syscall.MNT_DETACH) })
		inode := stat(t, source).Ino
		report := mustEdit(t, newServer(t, h, options(sim)), unbind)
		if got := stat(t, source); got.Ino != inode || hasToken(t, read(t, source)) {
			t.Error("the mounted file was not edited")
		}
		if !hasToken(t, read(t, report.Backup)) {
			t.Error("no good copy was kept")
		}
	})
}

// Room on disk for the copies is taken before the stop.
func TestNothingIsStoppedWhenThereIsNoRoomForTheCopies(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("NOT RUN: only root can mount; make testlab runs it")
	}
	everyShell(t, func(t *testing.T, h host.Host) {
		sim := simtest.NewServer(t, simtest.Options{Token: "a-token"})
		sim.Start()
		before := sim.Preferences()
		dir := filepath.Join(t.TempDir(), "copies")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		// One page and the directory: room for the first copy only.
		if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4k,mode=700"); err != nil {
			t.Skipf("NOT RUN: no mounts here: %v", err)
		}
		t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
		s := newServer(t, h, options(sim, func(o *server.Options) { o.Backup.Directory = dir }))
		_, err := s.Edit(t.Context(), unbind)
		wantError(t, err, server.ErrNoRoom)
		wantUntouched(t, sim, before)
		if left := copies(t, dir, "*"); len(left) > 0 {
			t.Errorf("copies of an edit that did not happen: %v", left)
		}
	})
}
