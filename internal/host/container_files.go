package host

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
)

// maxFile bounds, in bytes, what is taken of a file of a container.
const maxFile = 64 << 20

// File is a file or directory of a container, with all that the engine knows of
// it: owner, mode, and some extended attributes.
type File struct {
	tar.Header
	Data []byte
}

// Get reads a file, or what there is to know of a directory. It works on
// containers that do not run, too. The error matches fs.ErrNotExist where the
// engine says so.
func (c *Container) Get(ctx context.Context, file string) (File, error) {
	api, err := c.engine.client()
	if err != nil {
		return File{}, err
	}
	got, err := api.CopyFromContainer(ctx, c.target.Name, client.CopyFromContainerOptions{SourcePath: file})
	if errdefs.IsNotFound(err) {
		return File{}, fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	if err != nil {
		return File{}, c.engine.explain(err)
	}
	defer func() { _ = got.Content.Close() }()
	in := tar.NewReader(got.Content)
	header, err := in.Next()
	if err != nil {
		return File{}, fmt.Errorf("reading %s: %w", file, err)
	}
	if header.Size > maxFile {
		return File{}, fmt.Errorf("reading %s: it has %d bytes", file, header.Size)
	}
	data, err := io.ReadAll(in)
	if err != nil {
		return File{}, fmt.Errorf("reading %s: %w", file, err)
	}
	// The archive is read to its end, so that the connection can be used again;
	// not that of a directory, which holds all that is in it.
	if header.Typeflag != tar.TypeDir {
		_, _ = io.Copy(io.Discard, io.LimitReader(got.Content, maxFile))
	}
	return File{Header: *header, Data: data}, nil
}

// Archive is files as the engine takes them, named as in their directory.
func Archive(files ...File) ([]byte, error) {
	var b bytes.Buffer
	out := tar.NewWriter(&b)
	for _, f := range files {
		f.Size = int64(len(f.Data))
		f.Format = tar.FormatPAX
		if err := out.WriteHeader(&f.Header); err != nil {
			return nil, err
		}
		if _, err := out.Write(f.Data); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), out.Close()
}

// Put writes files into a directory of the container, which must exist; what is
// there is replaced. Owner and mode are those of the files. It works on
// containers that do not run, too.
func (c *Container) Put(ctx context.Context, dir string, files ...File) error {
	api, err := c.engine.client()
	if err != nil {
		return err
	}
	content, err := Archive(files...)
	if err != nil {
		return err
	}
	_, err = api.CopyToContainer(ctx, c.target.Name, client.CopyToContainerOptions{DestinationPath: dir, Content: bytes.NewReader(content)})
	return c.engine.explain(err)
}

// Replace writes one file, and sees that it is there as it was meant.
func (c *Container) Replace(ctx context.Context, file string, f File) error {
	f.Name = path.Base(file)
	if err := c.Put(ctx, path.Dir(file), f); err != nil {
		return err
	}
	got, err := c.Get(ctx, file)
	if err != nil {
		return err
	}
	switch {
	case !bytes.Equal(got.Data, f.Data):
		return errors.New("what was written is not what is there")
	case got.Uid != f.Uid || got.Gid != f.Gid || got.Mode&0o7777 != f.Mode&0o7777:
		return fmt.Errorf("%w: owner and mode were to be %d:%d %#o, and are %d:%d %#o", ErrAttributes,
			f.Uid, f.Gid, f.Mode&0o7777, got.Uid, got.Gid, got.Mode&0o7777)
	}
	return nil
}

// ErrAttributes is wrapped by the error of a file whose owner or mode the engine
// does not keep, as with some kinds of user name spaces.
var ErrAttributes = errors.New("the engine does not keep who owns a file")
