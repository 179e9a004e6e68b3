package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

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
	if !info.Mode().IsRegular() {
		return nil, notAnImage(path)
	}
	if err := checkFile(path, uint64(info.Size())); err != nil {
		return nil, err
	}
	if f.has(f.fuse) {
		return &image{path: path}, fuse()
	}
	return &image{path: path}, nil
}

func notAnImage(path string) error {
	return sdk.Mark(fmt.Errorf("root.path: %q is neither a directory nor a SIF or SquashFS image", path), sdk.ErrInvalid)
}

// What the heads of images hold: of SquashFS 4 (squashfs_fs.h) the length of the file system, of SIF 1
// (sif, pkg/sif) where its data begin and how long they are.
const (
	headSize     = 128
	squashMagic  = "hsqs"
	squashLength = 40
	sifMagic     = "SIF_MAGIC"
	sifMagicAt   = 32
	sifData      = 112
	sifLength    = 120
)

func checkFile(path string, size uint64) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("root.path: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	defer file.Close()
	head := make([]byte, headSize)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading root.path: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	number := func(at int) uint64 { return binary.LittleEndian.Uint64(head[at:]) }
	var want uint64
	switch {
	case bytes.HasPrefix(head, []byte(squashMagic)):
		want = number(squashLength)
	case bytes.HasPrefix(head[sifMagicAt:], []byte(sifMagic)):
		want = number(sifData) + number(sifLength)
	default:
		return notAnImage(path)
	}
	if n < headSize || size < want {
		return sdk.Mark(fmt.Errorf("root.path: the image %q is truncated: it has %d bytes", path, size), sdk.ErrInvalid)
	}
	return nil
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
