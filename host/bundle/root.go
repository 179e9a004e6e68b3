package bundle

import (
	"os"
	"path/filepath"

	"github.com/berth-hpc/berth/host/bundle/tree"
)

// rootPath makes root.path absolute, because the effective document lies in another directory,
// and free of symbolic links, because runc refuses those.
func (a *adaptation) rootPath() error {
	v := a.root.Get("root", "path")
	if v.Text() == "" {
		return a.wrong(a.root.Get("root"), "root.path", "is missing: it names the directory of the container's root file system")
	}
	real, err := filepath.EvalSymlinks(a.absolute(v.Text()))
	if err != nil {
		return a.wrong(v, "root.path", "cannot be used: %w", err)
	}
	info, err := os.Stat(real)
	if err != nil {
		return a.wrong(v, "root.path", "cannot be used: %w", err)
	}
	if !info.IsDir() && !info.Mode().IsRegular() { // a file may be an image that the driver takes
		return a.wrong(v, "root.path", "is %q, which is neither a directory nor a file", real)
	}
	if real != v.Text() {
		a.root.Get("root").Set("path", tree.NewString(real))
		a.change("root.path", whyRootPath)
	}
	return nil
}
