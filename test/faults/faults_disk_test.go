//go:build linux

package faults_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// ofTheDisk are those of the file system that holds the preferences and their
// copies: an ext4 of its own.
var ofTheDisk = []fault{
	{name: "disk full", disk: true, weight: 3, strike: func(tr *trial) {
		filler := filepath.Join(tr.disk, "filler")
		_ = command("dd", "if=/dev/zero", "of="+filler, "bs=64k") // it ends when there is no room
		_ = command("dd", "if=/dev/zero", "of="+filler+".small", "bs=512")
		tr.mend(func() { tr.must(os.RemoveAll(filler)); tr.must(os.RemoveAll(filler + ".small")) })
	}},
	{name: "inodes exhausted", disk: true, weight: 2, strike: func(tr *trial) {
		dir := filepath.Join(tr.disk, "many")
		_ = os.Mkdir(dir, 0o700)
		for i := 0; ; i++ {
			if os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), nil, 0o600) != nil {
				break
			}
		}
		tr.mend(func() { tr.must(os.RemoveAll(dir)) })
	}},
	{name: "quota exceeded", disk: true, quota: true, weight: 2, strike: func(tr *trial) {
		tr.command("btrfs", "qgroup", "limit", "16k", limited, tr.disk)
		tr.mend(func() { tr.command("btrfs", "qgroup", "limit", "none", limited, tr.disk) })
	}},
	{name: "data directory read-only", disk: true, weight: 2, strike: func(tr *trial) { tr.readOnly(tr.sim.DataDir()) }},
	{name: "copies' directory read-only", disk: true, weight: 2, places: placedAfter("prepare"), strike: func(tr *trial) { tr.readOnly(tr.backups) }},
	{name: "preferences immutable", disk: true, weight: 2, strike: func(tr *trial) { tr.immutable(tr.sim.PreferencesPath()) }},
	{name: "data directory immutable", disk: true, weight: 2, strike: func(tr *trial) { tr.immutable(tr.sim.DataDir()) }},
	{name: "data directory cannot be listed", disk: true, weak: true, ways: []string{"local"}, strike: func(tr *trial) {
		tr.must(os.Chmod(tr.sim.DataDir(), 0o300))
		tr.mend(func() { tr.must(os.Chmod(tr.sim.DataDir(), 0o755)) })
	}},
	{name: "I/O error from fsync", weight: 2, strike: func(tr *trial) { tr.ioError("fsync") }},
	{name: "I/O error from rename", weight: 2, strike: func(tr *trial) { tr.ioError("rename") }},
	{name: "I/O error from write", weight: 2, strike: func(tr *trial) { tr.ioError("write") }},
}

func command(name string, arguments ...string) error {
	out, err := exec.Command(name, arguments...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(arguments, " "), err, out)
	}
	return nil
}

func (tr *trial) command(name string, arguments ...string) {
	tr.t.Helper()
	err := command(name, arguments...)
	tr.must(err)
}

// moveToSmallDisk puts the data directory and the copies on a file system of a few
// megabytes and 64 files, or on one with a quota.
func (tr *trial) moveToSmallDisk() {
	tr.t.Helper()
	dir := tr.t.TempDir()
	image := filepath.Join(dir, "image")
	tr.disk = filepath.Join(dir, "disk")
	tr.must(os.Mkdir(tr.disk, 0o755))
	if tr.fault.quota {
		tr.command("truncate", "-s", "128M", image)
		tr.command("mkfs.btrfs", "-q", "--mixed", image)
	} else {
		tr.command("truncate", "-s", "6M", image)
		tr.command("mkfs.ext4", "-q", "-m", "0", "-N", "64", "-O", "^has_journal", image)
	}
	tr.command("mount", "-o", "loop", image, tr.disk)
	tr.t.Cleanup(func() { tr.command("umount", tr.disk) })
	in := tr.disk
	if tr.fault.quota {
		in = filepath.Join(tr.disk, "limited")
		tr.command("btrfs", "quota", "enable", tr.disk)
		tr.command("btrfs", "subvolume", "create", in)
	}
	data, copies := filepath.Join(in, "data"), filepath.Join(in, "copies")
	tr.must(os.Mkdir(copies, 0o700))
	tr.command("cp", "-a", tr.sim.DataDir(), data)
	tr.must(os.Mkdir(tr.backups, 0o700))
	for from, to := range map[string]string{data: tr.sim.DataDir(), copies: tr.backups} {
		tr.command("mount", "--bind", from, to)
		tr.t.Cleanup(func() { tr.command("umount", to) })
	}
	// Whatever still uses it has to end first.
	tr.t.Cleanup(func() {
		tr.undoAll()
		tr.killServer()
		within(bound, func() bool { return len(tr.holders()) == 0 })
		tr.killServer()
	})
}

// limited is the group of the first subvolume of a btrfs.
const limited = "0/256"

// readOnly lays a read-only view over a directory: what is open already is not
// affected, everything else is.
func (tr *trial) readOnly(dir string) {
	tr.t.Helper()
	tr.command("mount", "--bind", dir, dir)
	tr.mend(func() { tr.command("umount", "-l", dir) })
	tr.command("mount", "-o", "remount,bind,ro", dir)
}

func (tr *trial) immutable(path string) {
	if err := command("chattr", "+i", path); err != nil {
		return // the server has just removed it
	}
	tr.mend(func() { tr.command("chattr", "-i", path) })
}

// library is testdata/ioerror.c, built once.
var library = sync.OnceValues(func() (string, error) {
	dir, err := built()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "ioerror.so")
	err = command("gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", path, "testdata/ioerror.c", "-ldl")
	return path, err
})

// ioError has a system call fail with EIO for all files in the data directory.
func (tr *trial) ioError(call string) {
	tr.t.Helper()
	path, err := library()
	tr.must(err)
	if err := os.Symlink(path, filepath.Join(tr.steps.dir, "ioerror.so")); err != nil {
		tr.t.Fatal(err)
	}
	rule := filepath.Join(tr.steps.dir, "ioerror")
	tr.must(os.WriteFile(rule, []byte(call+":"+tr.sim.DataDir()+"/"), 0o600))
	tr.mend(func() { tr.must(os.Remove(rule)) })
}
