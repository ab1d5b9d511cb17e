package server

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"path"
	"time"

	"github.com/homelab-iac/terraform-provider-plex/internal/host"
)

// The engine can write files in a container, and remove none. So copies have
// fixed names, one pair for each operation that is kept, and the oldest is
// overwritten.

// backupDir is beside the data directory, so that it is on the same volume; or
// in it, where the data directory is where the volume begins.
func (p *process1Script) backupDir() string {
	if p.options.Backup.Directory != "" {
		return path.Clean(p.options.Backup.Directory)
	}
	dir := path.Dir(p.file)
	if mount, mounted := p.info.MountOf(p.file); mounted && mount.Path == dir {
		return path.Join(dir, ".terraform-backups")
	}
	return dir + ".terraform-backups"
}

// prepareCopies makes the directory, and both copies, from the preferences as
// they are. The second one is first written as the preferences will be, which
// proves that their owner and mode can be kept.
func (p *process1Script) prepareCopies(ctx context.Context) error {
	dir := p.backupDir()
	if err := p.makeBackupDir(ctx, dir); err != nil {
		return err
	}
	stem, err := p.oldestCopy(ctx, dir)
	if err != nil {
		return p.coded("container-copies", err)
	}
	p.before, p.after = stem+".before.xml", stem+".after.xml"
	if err := p.container.Replace(ctx, p.after, p.was); errors.Is(err, host.ErrAttributes) {
		return p.coded("container-attributes", err)
	} else if err != nil {
		return p.coded("container-copies", err)
	}
	for _, name := range []string{p.before, p.after} {
		if err := p.container.Replace(ctx, name, copyOf(p.was.Data)); err != nil {
			return p.coded("container-copies", err)
		}
	}
	return nil
}

// copyOf is a file that only root can read.
func copyOf(data []byte) host.File {
	return host.File{Header: tar.Header{Typeflag: tar.TypeReg, Mode: 0o600, ModTime: time.Now()}, Data: data}
}

func (p *process1Script) makeBackupDir(ctx context.Context, dir string) error {
	has, err := p.container.Get(ctx, dir)
	if errors.Is(err, fs.ErrNotExist) {
		made := host.File{Header: tar.Header{Typeflag: tar.TypeDir, Name: path.Base(dir) + "/", Mode: 0o700, ModTime: time.Now()}}
		if err := p.container.Put(ctx, path.Dir(dir), made); err != nil {
			return p.coded("backup-directory", err)
		}
		has, err = p.container.Get(ctx, dir)
	}
	if err != nil {
		return p.coded("backup-directory", err)
	}
	if has.Typeflag != tar.TypeDir {
		return p.coded("backup-directory", fmt.Errorf("%s is no directory", dir))
	}
	if mode := has.Mode & 0o777; mode != 0o700 || has.Uid != 0 {
		return p.coded("backup-directory", fmt.Errorf("%s must have mode 0700 and belong to root, and has %#o and belongs to user %d", dir, mode, has.Uid))
	}
	return nil
}

// oldestCopy is the stem of the pair that is free, or was written first.
func (p *process1Script) oldestCopy(ctx context.Context, dir string) (string, error) {
	var oldest string
	var since time.Time
	for n := 1; n <= p.options.Backup.Keep; n++ {
		stem := fmt.Sprintf("%s/%08x-%d", dir, crc32.ChecksumIEEE([]byte(p.file)), n)
		has, err := p.container.Get(ctx, stem+".before.xml")
		if errors.Is(err, fs.ErrNotExist) {
			return stem, nil
		}
		if err != nil {
			return "", err
		}
		if oldest == "" || has.ModTime.Before(since) {
			oldest, since = stem, has.ModTime
		}
	}
	return oldest, nil
}
