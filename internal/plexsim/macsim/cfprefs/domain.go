//go:build unix

package cfprefs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Domain is one user's list of one name.
type Domain struct {
	Mac  string // the directory of the emulated Mac
	UID  int    // whose
	Home string // that user's home directory
	Name string
}

// FilePath is where the list is kept for the next start of the daemon. Nothing reads it while the daemon runs, which is always.
func (d Domain) FilePath() string {
	return filepath.Join(d.Home, "Library", "Preferences", d.Name+".plist")
}

func (d Domain) memoryDir() string {
	return filepath.Join(d.Mac, "var", "cfprefsd", strconv.Itoa(d.UID))
}

// memoryPath is what stands for the daemon's memory.
func (d Domain) memoryPath() string { return filepath.Join(d.memoryDir(), d.Name) }

// Load is the list as the daemon has it. Its error is fs.ErrNotExist when there is none.
func (d Domain) Load() (Dict, error) {
	data, err := os.ReadFile(d.memoryPath())
	if errors.Is(err, fs.ErrNotExist) {
		data, err = os.ReadFile(d.FilePath()) // the daemon reads a file once
	}
	if err != nil {
		return nil, err
	}
	return Decode(data)
}

// Update replaces the list by what change makes of it; nil removes it.
func (d Domain) Update(change func(Dict) (Dict, error)) error {
	if err := os.MkdirAll(d.memoryDir(), 0o700); err != nil {
		return err
	}
	unlock, err := Lock(d.memoryPath() + ".lock")
	if err != nil {
		return err
	}
	defer unlock()
	was, err := d.Load()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	next, err := change(was)
	if err != nil {
		return err
	}
	if next == nil {
		return errors.Join(remove(d.memoryPath()), remove(d.FilePath()))
	}
	return errors.Join(replace(d.memoryPath(), Encode(next)), replace(d.FilePath(), Encode(next)), d.own())
}

// Forget has the daemon end: what is in the file counts again.
func (d Domain) Forget() error { return remove(d.memoryPath()) }

func remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func replace(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	next := path + ".new"
	if err := os.WriteFile(next, data, 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// Lock takes a lock that ends with this process at the latest.
func Lock(path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("locking %s: %w", path, err), file.Close())
	}
	return func() { _ = file.Close() }, nil
}

// own gives the user what root has written in the daemon's place.
func (d Domain) own() error {
	if os.Getuid() == d.UID {
		return nil
	}
	var errs []error
	for _, path := range []string{d.memoryDir(), d.memoryPath(), d.memoryPath() + ".lock", d.FilePath()} {
		if err := os.Chown(path, d.UID, -1); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
