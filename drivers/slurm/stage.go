package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/berth-hpc/berth/sdk"
)

// stagedPrefix begins the name of every directory that the driver makes in shared_dir:
//
//	config.json  of the portable bundle
//	rootfs       the copied root file system, for staging "shared"; else a link to it, since Slurm 22.05 looks nowhere else
//	mounts/N     the copied source of a mount
const stagedPrefix = "berth-"

// stage makes the bundle that Slurm is given. The record is written before the directory is made, so that
// whatever happens a Delete finds it.
func (d *driver) stage(ctx context.Context, c *sdk.Container, r *record, p *portable, _ wishes) error {
	parent, err := d.sharedDir()
	if err != nil {
		return err
	}
	root, err := r.makeStaged(c.Root, parent)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := p.send(ctx, root); err != nil {
		return err
	}
	return p.writeConfig(root)
}

// makeStaged makes a directory in parent that nobody can guess and only the user can enter.
func (r *record) makeStaged(containerRoot, parent string) (*os.Root, error) {
	r.Staged = filepath.Join(parent, newName())
	if err := r.write(containerRoot); err != nil {
		return nil, err
	}
	if err := os.Mkdir(r.Staged, 0o700); err != nil {
		return nil, staging(err)
	}
	root, err := os.OpenRoot(r.Staged)
	if err != nil {
		return nil, staging(err)
	}
	return root, nil
}

func newName() string { return stagedPrefix + strings.ToLower(rand.Text()) }

func (p *portable) writeConfig(root *os.Root) error {
	text, err := json.Marshal(p.spec)
	if err == nil {
		err = root.WriteFile(sdk.ConfigFile, text, 0o600)
	}
	if err != nil {
		return staging(err)
	}
	return nil
}

// send copies what has to travel into root, and has spec name the copies.
func (p *portable) send(ctx context.Context, root *os.Root) error {
	if p.settings.Staging == stageShared {
		if err := copyTree(ctx, p.spec.Root.Path, root, "rootfs"); err != nil {
			return staging(err)
		}
		p.spec.Root.Path = filepath.Join(root.Name(), "rootfs")
	} else if err := root.Symlink(p.spec.Root.Path, "rootfs"); err != nil {
		return staging(err)
	}
	if len(p.copies) == 0 {
		return nil
	}
	if err := root.Mkdir("mounts", 0o700); err != nil {
		return staging(err)
	}
	for i, t := range p.copies {
		name := filepath.Join("mounts", strconv.Itoa(i))
		if err := copyTree(ctx, t.from, root, name); err != nil {
			return staging(err)
		}
		p.spec.Mounts[t.mount].Source = filepath.Join(root.Name(), name)
	}
	return nil
}

// staging is an error of making the bundle for the compute nodes.
func staging(err error) error {
	err = fmt.Errorf("staging the bundle: %w", sdk.Mark(err, sdk.ErrUnavailable))
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return sdk.WithAdvice(err, "make room there, or name another shared_dir in [drivers.slurm] of berth.toml")
	}
	return err
}

// sharedDir is the directory for staged bundles. In one that others can write nobody can touch what is ours
// only where it is sticky.
func (d *driver) sharedDir() (string, error) {
	dir, err := d.makeSharedDir()
	if err != nil {
		return "", err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return "", sdk.WithAdvice(
			fmt.Errorf("setting shared_dir: %w", sdk.Mark(err, sdk.ErrUnavailable)),
			"make it with mode 1777 on a file system that the compute nodes have too, or name another one in [drivers.slurm] of berth.toml")
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	others := info.Mode()&0o022 != 0 && info.Mode()&os.ModeSticky == 0
	if others || owner != 0 && int(owner) != os.Geteuid() && owner != overflowUID {
		return "", sdk.WithAdvice(
			sdk.Mark(fmt.Errorf("setting shared_dir: others can remove what is in %s", dir), sdk.ErrUnavailable),
			"chown root and chmod 1777 "+dir)
	}
	return dir, nil
}

// overflowUID is root, and everybody else that a user namespace does not know (/proc/sys/kernel/overflowuid).
const overflowUID = 65534

// makeSharedDir makes the directory where it is in the user's home.
func (d *driver) makeSharedDir() (string, error) {
	below, inHome := strings.CutPrefix(d.settings.SharedDir, "~/")
	if !inHome {
		return d.settings.SharedDir, nil
	}
	dir, err := d.home()
	if err != nil {
		return "", err
	}
	for name := range strings.SplitSeq(filepath.Clean(below), "/") {
		dir = filepath.Join(dir, name)
		if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return "", staging(err)
		}
	}
	return dir, nil
}
