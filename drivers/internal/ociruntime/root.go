package ociruntime

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/berth-hpc/berth/sdk"
)

// root returns the directory that the runtime gets as --root.
func (d *Driver) root(c *sdk.Container) (string, error) {
	if d.settings.Root != "" {
		return privateDir(filepath.Join(d.settings.Root, strconv.Itoa(os.Geteuid())))
	}
	if c.Root == "" {
		return "", sdk.Mark(errors.New("the request names no directory for the runtime's state"), sdk.ErrInvalid)
	}
	return c.Root, nil
}

// beginRoot is what run and create get as --root.
func (d *Driver) beginRoot(verb, root string, c *sdk.Container) string {
	if verb == "run" && d.runtime.remakesRoot && filepath.Dir(root) == c.Bundle {
		return filepath.Base(root)
	}
	return root
}

// markElsewhere keeps the host from taking the container for dead because c.Root is empty, while the
// runtime's state is in the directory of the setting.
func (d *Driver) markElsewhere(c *sdk.Container, root string) error {
	if d.settings.Root == "" || c.Root == "" {
		return nil
	}
	err := os.WriteFile(filepath.Join(c.Root, "elsewhere"), []byte(root+"\n"), 0o600)
	if err != nil {
		return fmt.Errorf("noting where the runtime's state is: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	return nil
}

// privateDir makes the directory unless it exists, and makes sure that it is this user's alone.
func privateDir(dir string) (string, error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", &sdk.SettingError{Key: "root", Err: err}
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", &sdk.SettingError{Key: "root", Err: err}
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(owner.Uid) != os.Geteuid() || info.Mode().Perm()&0o077 != 0 {
		return "", &sdk.SettingError{Key: "root", Err: fmt.Errorf("%q is not a directory of this user alone, mode 0700", dir)}
	}
	return dir, nil
}

// exists says whether the runtime has a container of this ID: runc and crun alike keep a directory
// of its name below root.
func exists(root, id string) (bool, error) {
	_, err := os.Lstat(filepath.Join(root, id))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for a container of this ID: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	return true, nil
}

// discard removes what is left of a container below root where the runtime cannot. It follows no
// link out of root.
func discard(root, id string) error {
	dir, err := os.OpenRoot(root)
	if err != nil {
		return fmt.Errorf("opening the runtime's state directory: %w", err)
	}
	defer dir.Close()
	if err := dir.RemoveAll(id); err != nil {
		return fmt.Errorf("removing the runtime's state of %q: %w", id, err)
	}
	return nil
}
