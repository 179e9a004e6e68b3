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

	"github.com/berth-hpc/berth/sdk"
)

// bind is one --bind of the runtime.
type bind struct {
	source, target string
	readonly       bool
}

// binds are the mounts of a container in their order.
type binds struct {
	image    *image
	writable bool   // the image itself is: the runtime makes no place for a mount then
	bundle   string // where directories can be made for the container
	share    bool   // isolation that the runtime has not is passed over
	nodesDev bool   // the container has the node's /dev
	all, own []bind // own: of directories in the bundle, in which targets are made as they are needed
	moved    map[string]string
	given    map[string]bool // of what the runtime mounts by itself, what config.json asks for
	links    []string        // what berth-init makes links to, below movedDev
}

func (b *binds) args() []string {
	var args []string
	for _, one := range b.all {
		arg := one.source + ":" + one.target
		if one.readonly {
			arg += ":ro"
		}
		args = append(args, "--bind", arg)
	}
	return args
}

// unasked names for --no-mount what the runtime would mount by itself.
func (b *binds) unasked(f *found) string {
	names := []string{"home", "cwd", "tmp", "hostfs"}
	for _, name := range []string{"proc", "sys", "devpts"} {
		if !b.given[name] {
			names = append(names, name)
		}
	}
	if f.has(f.bindPaths) {
		names = append(names, "bind-paths")
	}
	return strings.Join(names, ",")
}

// isolation refuses a request for more than the runtime gives, unless the site has it passed over.
func (b *binds) isolation(field, format string, args ...any) error {
	if b.share {
		return nil
	}
	return isolation(field, format, args...)
}

// add binds source at target, for which there has to be a place. Errors begin with the field's name.
func (b *binds) add(source, target string, readonly bool) error {
	info, err := os.Stat(source)
	if err != nil {
		return fmt.Errorf("source: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	if strings.ContainsAny(source, `:,\`) {
		return unsupported("source", "the runtime takes a colon, comma or backslash in %q for its own", source)
	}
	if target == "/" || !path.IsAbs(target) || strings.ContainsAny(target, `:,\`) {
		return unsupported("destination", "the runtime does not mount at %q", target)
	}
	one := bind{source, target, readonly}
	if slices.Contains(b.all, one) {
		return nil
	}
	if err := b.place(target, info.IsDir()); err != nil {
		return err
	}
	b.all = append(b.all, one)
	return nil
}

// place sees to it that there is something to mount on at target. In an image that is not written to
// the runtime makes it, in a layer of its own.
func (b *binds) place(target string, isDir bool) error {
	over, rest := b.over(target)
	switch {
	case over != nil && slices.Contains(b.own, *over):
		return makeTarget(over.source, rest, isDir)
	case over != nil:
		if _, err := os.Stat(filepath.Join(over.source, rest)); err != nil {
			return unsupported("destination", "there is no %s to mount on", target)
		}
		return nil
	case slices.Contains([]string{"dev", "proc", "sys"}, strings.SplitN(target, "/", 3)[1]):
		if _, err := os.Stat(target); err != nil {
			return unsupported("destination", "the node has no %s to mount on", target)
		}
		return nil
	case b.writable && !b.image.has(target):
		return makeTarget(b.image.path, target[1:], isDir)
	}
	return nil
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

// makeTarget makes what something can be mounted on, an empty file or directory, below a directory.
func makeTarget(dir, at string, isDir bool) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("destination: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	defer root.Close()
	parent := filepath.Dir(at)
	if isDir {
		parent = at
	}
	err = root.MkdirAll(parent, 0o755)
	if err == nil && !isDir {
		var f *os.File
		f, err = root.OpenFile(at, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err == nil {
			err = f.Close()
		}
		if errors.Is(err, fs.ErrExist) {
			err = nil // of another container, or mounted over a second time
		}
	}
	if err != nil {
		return fmt.Errorf("destination: making a place to mount on: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	return nil
}
