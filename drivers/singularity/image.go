package main

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/drivers/internal/imagefile"
	"github.com/berth-hpc/berth/sdk"
)

// image is the container's root file system as the runtime takes it.
type image struct {
	path string
	root *os.Root // of a directory; nil for a file, whose inside is not looked at
}

func (i *image) close() {
	if i.root != nil {
		_ = i.root.Close()
	}
}

// openImage looks at root.path: what the runtime would stumble over is said before anything starts.
func openImage(path string, f *found) (*image, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("root.path: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	if info.IsDir() {
		root, err := os.OpenRoot(path)
		if err != nil {
			return nil, fmt.Errorf("root.path: %w", sdk.Mark(err, sdk.ErrUnavailable))
		}
		return &image{path: path, root: root}, nil
	}
	if err := imagefile.Check(path, imagefile.SIF(), imagefile.SquashFS()); err != nil {
		return nil, err
	}
	if f.has(f.fuse) {
		return &image{path: path}, fuse()
	}
	return &image{path: path}, nil
}

// fuse says whether the runtime can mount an image here.
func fuse() error {
	file, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err == nil {
		return file.Close()
	}
	return unavailable(err, "root.path is an image, which is mounted by FUSE",
		"modprobe fuse and let users open /dev/fuse, or unpack the image into a directory")
}

// has says whether there is something at an absolute path of a directory, without leaving it by a link.
func (i *image) has(at string) bool {
	if i.root == nil {
		return false
	}
	_, err := i.root.Stat(strings.TrimPrefix(at, "/"))
	return err == nil
}

// writeFlag is the option that makes the root writable where config.json wants it so: the directory
// itself, or where its user cannot write it or it is a file, a layer in memory that goes with the
// container.
func (i *image) writeFlag(readonly bool) string {
	switch {
	case readonly:
		return ""
	case i.root != nil && unix.Access(i.path, unix.W_OK) == nil:
		return "--writable"
	}
	return "--writable-tmpfs"
}
