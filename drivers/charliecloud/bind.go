package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// bind is one --bind of ch-run.
type bind struct{ source, target string }

// binds are the mounts of a container in their order.
type binds struct {
	image  *image
	bundle string // where directories can be made for the container
	inJob  bool
	writes bool // the image is a directory that the container may write
	all    []bind
	own    []bind // those of directories in the bundle, in which targets are made as they are needed
	// missing is about the first directory that the image lacks and ch-run would have to make;
	// nil where there is none.
	missing error
}

func (b *binds) flags() []string {
	flags := make([]string, 0, len(b.all))
	for _, one := range b.all {
		flags = append(flags, "--bind="+one.source+":"+one.target)
	}
	return flags
}

// bindAll turns mounts and devices into binds. ch-run itself mounts the node's /dev, /proc and /sys.
func (d *driver) bindAll(spec *specs.Spec, c *sdk.Container, i *image) (*binds, error) {
	b := &binds{image: i, bundle: c.Bundle, inJob: c.Step != nil && c.Step.Node != ""}
	b.writes = !spec.Root.Readonly && !i.squash
	for n, m := range spec.Mounts {
		missing := b.missing
		if err := d.mount(b, m); err != nil {
			return nil, fmt.Errorf("mounts[%d].%w", n, err)
		}
		if missing == nil && b.missing != nil {
			b.missing = fmt.Errorf("mounts[%d].%w", n, b.missing)
		}
	}
	for n, dev := range spec.Linux.Devices {
		err := sameDevice(dev)
		if err == nil {
			err = b.add(dev.Path, dev.Path)
		}
		if err != nil {
			return nil, fmt.Errorf("linux.devices[%d].%w", n, err)
		}
	}
	return b, nil
}

// add binds source at target, for which there has to be a place. Errors begin with the field's name.
func (b *binds) add(source, target string) error {
	info, err := os.Stat(source)
	if err != nil {
		return fmt.Errorf("source: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	if strings.Contains(source, ":") {
		return unsupported("source", "ch-run takes what follows the colon in %q for another path", source)
	}
	target = path.Clean(target)
	if target == "/" || !path.IsAbs(target) {
		return unsupported("destination", "ch-run does not mount at %q", target)
	}
	target = b.image.inside(target)
	if err := b.place(target, info.IsDir()); err != nil {
		return err
	}
	b.all = append(b.all, bind{source, target})
	return nil
}

// place sees to it that there is something to mount on at target.
func (b *binds) place(target string, isDir bool) error {
	over, rest := b.over(target)
	if over != nil {
		for _, own := range b.own {
			if own == *over {
				return makeTarget(own.source, rest, isDir)
			}
		}
		info, err := os.Stat(filepath.Join(over.source, rest))
		return b.found(target, err == nil && info.IsDir(), isDir, err, false)
	}
	if isNode(target) {
		info, err := os.Stat(target)
		return b.found(target, err == nil && info.IsDir(), isDir, err, false)
	}
	if rest, ok := strings.CutPrefix(target, "/tmp/"); ok { // a tmpfs: what it needs is made beforehand
		return b.placeInTmp(rest, isDir)
	}
	if b.image.squash {
		return nil // only ch-run can look into it
	}
	found, err := b.image.stat(target)
	return b.found(target, found, isDir, err, true)
}

// isNode says whether ch-run mounts the node's own at the path.
func isNode(at string) bool {
	return slices.Contains([]string{"dev", "proc", "sys"}, strings.SplitN(at, "/", 3)[1])
}

// over returns the last bind that target lies in, and its path there.
func (b *binds) over(target string) (over *bind, rest string) {
	for n := len(b.all) - 1; n >= 0; n-- {
		if r, ok := strings.CutPrefix(target, b.all[n].target+"/"); ok {
			return &b.all[n], r
		}
	}
	return nil, ""
}

// found judges a look for a target. A missing directory can be made in an image that is written to.
func (b *binds) found(target string, found, want bool, err error, inImage bool) error {
	switch {
	case errors.Is(err, fs.ErrNotExist) && want && inImage:
		if b.missing == nil {
			b.missing = unsupported("destination", "the image has no directory %s to mount on", target)
		}
		return nil
	case errors.Is(err, fs.ErrNotExist) && b.writes && inImage && b.image.makeFile(target) == nil:
		return nil // as runc and crun do: engines mount /etc/hosts and the like
	case errors.Is(err, fs.ErrNotExist):
		return unsupported("destination", "there is no %s to mount on, and ch-run makes only directories, in the image", target)
	case err != nil:
		return fmt.Errorf("destination: %w", sdk.Mark(err, sdk.ErrUnsupported))
	case found != want:
		return sdk.Mark(fmt.Errorf("destination: of %s and what is mounted on it, one is a directory and the other is not", target), sdk.ErrInvalid)
	}
	return nil
}

// sameDevice says whether the node's device at the path is the one that config.json means: that one
// is what the container gets.
func sameDevice(dev specs.LinuxDevice) error {
	var st unix.Stat_t
	if err := unix.Stat(dev.Path, &st); err != nil {
		return fmt.Errorf("path: %q: %w", dev.Path, sdk.Mark(err, sdk.ErrUnavailable))
	}
	kind := map[string]uint32{"c": unix.S_IFCHR, "u": unix.S_IFCHR, "b": unix.S_IFBLK, "p": unix.S_IFIFO}[dev.Type]
	same := uint64(st.Rdev) == unix.Mkdev(uint32(dev.Major), uint32(dev.Minor)) || dev.Type == "p"
	if st.Mode&unix.S_IFMT != kind || !same {
		return unsupported("path", "the node's %s is not the device %s %d:%d, and ch-run makes none", dev.Path, dev.Type, dev.Major, dev.Minor)
	}
	return nil
}
