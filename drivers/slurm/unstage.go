package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/berth-hpc/berth/sdk"
)

// unstage removes a staged directory. One that is gone, or was never made, is no error.
func unstage(dir string) error {
	if dir == "" || !strings.HasPrefix(filepath.Base(dir), stagedPrefix) {
		return nil
	}
	parent, err := os.OpenRoot(filepath.Dir(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		defer parent.Close()
		err = removeTree(parent, filepath.Base(dir))
	}
	if err != nil {
		return fmt.Errorf("removing the staged bundle: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	return nil
}

// removeTree removes name, also where the container has left directories that its user cannot write.
func removeTree(parent *os.Root, name string) error {
	if err := parent.RemoveAll(name); err == nil || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	root, err := parent.OpenRoot(name)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := openDirectories(root, "."); err != nil {
		return err
	}
	return parent.RemoveAll(name)
}

// openDirectories lets the owner read, write and enter every directory below dir.
func openDirectories(root *os.Root, dir string) error {
	if err := root.Chmod(dir, 0o700); err != nil {
		return err
	}
	entries, err := fs.ReadDir(root.FS(), dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		if err := openDirectories(root, filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}
