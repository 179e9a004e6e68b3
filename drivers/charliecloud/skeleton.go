package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// ownDev gives the container a /dev of its own: a directory in the bundle, onto which the node's
// devices are mounted one by one, those that every container has (runtime-spec, config-linux.md,
// default devices). So berth-init has a place, and the node's other devices stay out.
func (b *binds) ownDev() error {
	dir, err := makeDir(b.bundle, "dev")
	if err != nil {
		return err
	}
	for name, to := range map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("making the container's /dev: %w", sdk.Mark(err, sdk.ErrUnavailable))
		}
	}
	own := bind{dir, "/dev"}
	b.own, b.all = append(b.own, own), append(b.all, own)
	for _, device := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		if err := b.add("/dev/"+device, "/dev/"+device); err != nil {
			return err
		}
	}
	return nil
}

// ownScratch gives the container a directory of its own in the place of a tmpfs, which ch-run mounts on /tmp
// only. It goes with the container; as much as /run holds can be written to it.
func (b *binds) ownScratch(m specs.Mount, target string) error {
	if err := emptyDirectory(m); err != nil {
		return err
	}
	target = b.image.inside(target)
	if err := b.place(target, true); err != nil {
		return err
	}
	dir, err := makeDir(b.bundle, "own"+strings.ReplaceAll(target, "/", "-"))
	if err == nil {
		err = os.Chmod(dir, 0o777|os.ModeSticky)
	}
	if err != nil {
		return sdk.Mark(err, sdk.ErrUnavailable)
	}
	own := bind{dir, target}
	b.own, b.all = append(b.own, own), append(b.all, own)
	return nil
}

// copyInit gives the container a berth-init of its own where its user, root, could write the node's,
// which is that of all containers: ch-run mounts nothing read-only.
func (b *binds) copyInit(source, target string) error {
	over, rest := b.over(target)
	if over == nil || !slices.Contains(b.own, *over) {
		return unsupported("destination", "where its user can write berth-init, it has a place in a /dev of the container's own only, not at %s", target)
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(over.source, &fs); err != nil || fs.Flags&unix.ST_NOEXEC != 0 {
		return sdk.WithAdvice(
			sdk.Mark(fmt.Errorf("source: the container needs a berth-init of its own, and %s is mounted noexec", over.source), sdk.ErrUnavailable),
			"run containers as an ordinary user, or mount -o remount,exec /run")
	}
	text, err := os.ReadFile(source)
	if err == nil {
		err = os.WriteFile(filepath.Join(over.source, rest), text, 0o755)
	}
	if err != nil {
		return fmt.Errorf("copying berth-init: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	return nil
}

// placeInTmp makes what a mount at /tmp/DIR/… needs: DIR, in the bundle, and the target in it.
// Slurm mounts a batch script at /tmp/slurm/startup.
func (b *binds) placeInTmp(rest string, isDir bool) error {
	first, below, deeper := strings.Cut(rest, "/")
	if !deeper {
		if isDir {
			return nil // which ch-run makes in its tmpfs
		}
		return unsupported("destination", "ch-run cannot mount a file at /tmp/%s, only at /tmp/DIRECTORY/…", first)
	}
	dir, err := makeDir(b.bundle, "tmp-"+first)
	if err != nil {
		return err
	}
	own := bind{dir, "/tmp/" + first}
	b.own, b.all = append(b.own, own), append(b.all, own)
	return makeTarget(dir, below, isDir)
}

// makeDir makes a directory of the container's, which is its user's alone outside of it.
func makeDir(parent, name string) (string, error) {
	dir := filepath.Join(parent, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", fmt.Errorf("making a directory of the container: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	return dir, nil
}

// makeTarget makes what something can be mounted on, an empty file or directory, in a directory of
// the container's.
func makeTarget(dir, at string, isDir bool) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("opening a directory of the container: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	defer root.Close()
	return makeTargetIn(root, at, isDir)
}

func makeTargetIn(root *os.Root, at string, isDir bool) error {
	parent := filepath.Dir(at)
	if isDir {
		parent = at
	}
	err := root.MkdirAll(parent, 0o755)
	if err == nil && !isDir {
		var f *os.File
		f, err = root.OpenFile(at, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err == nil {
			err = f.Close()
		}
		if errors.Is(err, fs.ErrExist) {
			err = nil // mounted over a second time
		}
	}
	if err != nil {
		return fmt.Errorf("making a place for a mount: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	return nil
}
