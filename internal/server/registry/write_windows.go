package registry

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"unsafe"

	"github.com/homelab-iac/terraform-provider-plex/internal/prefs"
	"golang.org/x/sys/windows"
	winreg "golang.org/x/sys/windows/registry"
)

// ErrChanged means that the key does not hold what it was thought to hold.
var ErrChanged = errors.New("the registry key has other values than when it was read")

// Write makes the key of before that of after: it deletes and sets only the values that differ, has Windows write them to disk, and reads
// the key again to see that it is so. Values are not written in one step, so the server must be stopped, and a write that fails half-way
// puts back what before says.
//
// ErrChanged: the key does not hold what before says, and nothing was written; or does not hold what after says when read again.
func Write(before, after *prefs.Registry) error {
	deleted, set, err := prefs.RegistryDelta(before, after)
	if err != nil {
		return err
	}
	if err := check(before); err != nil {
		return err
	}
	if err := change(before, deleted, set); err != nil {
		return err
	}
	return check(after)
}

// change makes a change whole, or takes back what it has made of it.
func change(before *prefs.Registry, deleted []string, set []prefs.RegistryValue) error {
	if err := apply(before.Key(), deleted, set); err != nil {
		return errors.Join(err, restore(before))
	}
	return nil
}

// check reports whether the key holds what a document says.
func check(want *prefs.Registry) error {
	now, err := Read(want.Key())
	if err != nil {
		return err
	}
	deleted, set, err := prefs.RegistryDelta(now, want)
	if err != nil {
		return err
	}
	differing := deleted
	for _, value := range set {
		differing = append(differing, value.Name)
	}
	if len(differing) > 0 {
		return fmt.Errorf("%w: %q of %s", ErrChanged, differing, want.Key())
	}
	return nil
}

// restore puts back what a failed write has changed.
func restore(before *prefs.Registry) error {
	now, err := Read(before.Key())
	if err != nil {
		return fmt.Errorf("putting back the values from before: %w", err)
	}
	deleted, set, err := prefs.RegistryDelta(now, before)
	if err != nil {
		return err
	}
	if len(deleted)+len(set) == 0 {
		return nil
	}
	if err := apply(before.Key(), deleted, set); err != nil {
		return fmt.Errorf("putting back the values from before: %w", err)
	}
	return nil
}

// apply deletes, sets, and waits until the key is on disk.
func apply(name string, deleted []string, set []prefs.RegistryValue) error {
	key, err := open(name, winreg.SET_VALUE|winreg.QUERY_VALUE)
	if err != nil {
		return err
	}
	defer func() { _ = key.Close() }()
	for _, value := range deleted {
		if err := key.DeleteValue(value); err != nil && !errors.Is(err, winreg.ErrNotExist) {
			return fmt.Errorf("deleting %q of %s: %w", value, name, err)
		}
	}
	for _, value := range set {
		if err := setValue(key, value); err != nil {
			return fmt.Errorf("setting %q of %s: %w", value.Name, name, err)
		}
	}
	if status, _, _ := regFlushKey.Call(uintptr(key)); status != 0 {
		return fmt.Errorf("writing %s to disk: %w", name, syscall.Errno(status))
	}
	return nil
}

// Setting data of any type to the byte, and flushing, are not in golang.org/x/sys/windows/registry.
var (
	advapi32      = windows.NewLazySystemDLL("advapi32.dll")
	regSetValueEx = advapi32.NewProc("RegSetValueExW")
	regFlushKey   = advapi32.NewProc("RegFlushKey")
)

func setValue(key winreg.Key, value prefs.RegistryValue) error {
	name, err := windows.UTF16PtrFromString(value.Name)
	if err != nil {
		return err
	}
	// Windows looks behind the data of a text without a NUL at its end, and makes a NUL that it finds there part of it.
	data := slices.Concat(value.Data, []byte{0xff, 0xff})
	//nolint:gosec // RegSetValueExW takes its name and data by pointer
	status, _, _ := regSetValueEx.Call(uintptr(key), uintptr(unsafe.Pointer(name)), 0, uintptr(value.Type),
		uintptr(unsafe.Pointer(&data[0])), uintptr(len(value.Data)))
	if status != 0 {
		return syscall.Errno(status)
	}
	return nil
}
