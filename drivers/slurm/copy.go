package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// tree is one copy of a file or directory. Everything in it belongs to the caller afterwards; permissions and
// times are kept, set-user-ID and set-group-ID bits are not, nor are devices, sockets and what the caller
// cannot read, which the container's user could not use in the original either.
type tree struct {
	ctx    context.Context
	from   *os.Root
	to     *os.Root
	name   string           // of the copy, in to
	linked map[inode]string // the copies of files with several names
}

type inode struct{ device, number uint64 }

// copyTree copies a file or directory to name in root. Links are copied, never followed out of either.
func copyTree(ctx context.Context, from string, to *os.Root, name string) error {
	from, err := filepath.EvalSymlinks(from)
	if err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	above := from
	if !info.IsDir() {
		above = filepath.Dir(from)
	}
	source, err := os.OpenRoot(above)
	if err != nil {
		return err
	}
	defer source.Close()
	t := &tree{ctx: ctx, from: source, to: to, name: name, linked: map[inode]string{}}
	if info.IsDir() {
		return t.directory(".", info)
	}
	return t.file(filepath.Base(from), name, info)
}

func (t *tree) directory(path string, info fs.FileInfo) error {
	at := filepath.Join(t.name, path)
	if err := t.to.Mkdir(at, 0o700); err != nil {
		return err
	}
	dir, err := t.from.Open(path)
	if err != nil {
		return readable(err)
	}
	entries, err := dir.ReadDir(-1)
	dir.Close()
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if err := t.entry(filepath.Join(path, entry.Name())); err != nil {
			return err
		}
	}
	if err := t.to.Chmod(at, info.Mode()&(fs.ModePerm|fs.ModeSticky)|0o700); err != nil { // so that it can be removed
		return err
	}
	return t.to.Chtimes(at, info.ModTime(), info.ModTime())
}

func (t *tree) entry(path string) error {
	if err := t.ctx.Err(); err != nil {
		return context.Cause(t.ctx)
	}
	info, err := t.from.Lstat(path)
	if err != nil {
		return err
	}
	at := filepath.Join(t.name, path)
	switch {
	case info.IsDir():
		return t.directory(path, info)
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := t.from.Readlink(path)
		if err != nil {
			return err
		}
		return t.to.Symlink(target, at)
	case info.Mode().IsRegular():
		return t.file(path, at, info)
	}
	return nil
}

func (t *tree) file(path, at string, info fs.FileInfo) error {
	stat := info.Sys().(*syscall.Stat_t)
	id := inode{stat.Dev, stat.Ino}
	if first := t.linked[id]; first != "" {
		return t.to.Link(first, at)
	}
	source, err := t.from.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return readable(err)
	}
	defer source.Close()
	if err := t.content(source, at); err != nil {
		return err
	}
	if stat.Nlink > 1 {
		t.linked[id] = at
	}
	if err := t.to.Chmod(at, info.Mode()&fs.ModePerm); err != nil {
		return err
	}
	return t.to.Chtimes(at, info.ModTime(), info.ModTime())
}

// content shares the blocks of the two files where their file system can (FICLONE), and else copies them.
func (t *tree) content(source *os.File, at string) error {
	to, err := t.to.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if unix.IoctlFileClone(int(to.Fd()), int(source.Fd())) != nil {
		if _, err := io.Copy(to, source); err != nil {
			to.Close()
			return err
		}
	}
	return to.Close()
}

// readable passes over what the caller may not read.
func readable(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}
