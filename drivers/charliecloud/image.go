package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/drivers/internal/imagefile"
	"github.com/berth-hpc/berth/sdk"
)

// image is the container's root file system as ch-run takes it.
type image struct {
	path   string
	squash bool     // a SquashFS file, whose inside is not looked at; else a directory
	root   *os.Root // of a directory
}

func (i *image) close() {
	if i.root != nil {
		_ = i.root.Close()
	}
}

// openImage looks at root.path: what ch-run would stumble over is said before anything starts.
func openImage(file string) (*image, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("root.path: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	if !info.IsDir() {
		if err := imagefile.Check(file, imagefile.SquashFS()); err != nil {
			return nil, err
		}
		return &image{path: file, squash: true}, fuse()
	}
	root, err := os.OpenRoot(file)
	if err != nil {
		return nil, fmt.Errorf("root.path: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	i := &image{path: file, root: root}
	for _, dir := range []string{"/dev", "/proc", "/sys", "/tmp"} {
		if isDir, err := i.stat(dir); err != nil || !isDir {
			i.close()
			return nil, sdk.WithAdvice(
				unsupported("root.path", "the image has no directory %s, on which ch-run always mounts something", dir),
				"make an empty directory "+file+dir)
		}
	}
	return i, nil
}

// inside follows the links on the way to an absolute path as the container does, for ch-run follows them on
// the node. What lies behind a file system that is mounted there, or is not there, is as it was.
func (i *image) inside(at string) string {
	if i.root == nil {
		return at // only ch-run can look into it
	}
	root, err := i.root.Open(".")
	if err != nil {
		return at
	}
	defer root.Close()
	rest := ""
	for above := at; above != "/"; above, rest = path.Dir(above), path.Join("/", path.Base(above), rest) {
		fd, err := unix.Openat2(int(root.Fd()), above, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT})
		if err == unix.ENOENT {
			continue
		}
		if err != nil {
			return at
		}
		defer unix.Close(fd)
		real, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		top, topErr := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", root.Fd()))
		if below, ok := strings.CutPrefix(real, top); ok && err == nil && topErr == nil {
			return path.Join("/", below, rest)
		}
		return at
	}
	return at
}

// stat looks for what lies at an absolute path in the image, without leaving it by a link.
func (i *image) stat(at string) (isDir bool, err error) {
	info, err := i.root.Stat(strings.TrimPrefix(at, "/"))
	if err != nil {
		return false, err
	}
	return info.IsDir(), nil
}

// makeFile makes an empty file in the image to mount on, and the directories above it.
func (i *image) makeFile(at string) error {
	return makeTargetIn(i.root, strings.TrimPrefix(at, "/"), false)
}

// writeFlags are the options that make the root writable where config.json wants it so: the image
// itself, or where it has no room for a mount or is a file, a layer in memory that goes with the
// container.
func (d *driver) writeFlags(ctx context.Context, spec *specs.Spec, i *image, b *binds) ([]string, error) {
	if spec.Root.Readonly {
		if b.missing != nil {
			return nil, sdk.WithAdvice(b.missing, "make it in the image, or set root.readonly to false")
		}
		return nil, nil
	}
	if !i.squash && (b.missing == nil || unix.Access(i.path, unix.W_OK) == nil) {
		return []string{"--write"}, nil
	}
	text, minor, err := d.version(ctx)
	switch {
	case err != nil:
		return nil, err
	case minor >= overlayVersion:
		return []string{"--write-fake"}, nil
	case i.squash:
		return nil, sdk.WithAdvice(
			unsupported("root.readonly", "a SquashFS image is read-only with ch-run %s", text),
			fmt.Sprintf("set it to true, or upgrade Charliecloud to 0.%d", overlayVersion))
	}
	return nil, sdk.WithAdvice(b.missing, fmt.Sprintf("make it in the image, or upgrade Charliecloud to 0.%d", overlayVersion))
}
