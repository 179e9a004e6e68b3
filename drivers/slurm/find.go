package main

import (
	"os"
	"path/filepath"
	"strings"
)

// found is the program of the image that name means, as a path in the container. Slurm would look for it on
// the compute node and hand on what it finds there. It stays as it is where the image does not tell.
func found(rootfs, name, path string) string {
	if name == "" || strings.Contains(name, "/") {
		return name
	}
	root, err := os.OpenRoot(rootfs)
	if err != nil {
		return name
	}
	defer root.Close()
	for dir := range strings.SplitSeq(path, ":") {
		if !filepath.IsAbs(dir) {
			continue
		}
		candidate := filepath.Join(dir, name)
		if isProgram(root, strings.TrimPrefix(candidate, "/")) {
			return candidate
		}
	}
	return name
}

// isProgram takes a link for one: where it leads is the container's business.
func isProgram(root *os.Root, name string) bool {
	info, err := root.Lstat(name)
	if err != nil {
		return false
	}
	return info.Mode()&os.ModeSymlink != 0 || info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
