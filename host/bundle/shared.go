package bundle

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berth-hpc/berth/host/bundle/tree"
)

// sharedMounts adds what an MPI library needs beyond what the bundle has. Nobody asked for these
// mounts by name: one for which the container has no place is left out, and none leaves a trace in
// the image.
func (a *adaptation) sharedMounts() error {
	for _, m := range a.o.Shared {
		switch {
		case !a.makePlace(m):
		case m.Source == "":
			a.addTmpfs(m.Destination, 0o777|fs.ModeSticky)
		default:
			a.addMount(newMount(m.Destination, "bind", m.Source, []string{"rbind"}), whyShared)
		}
	}
	return nil
}

// makePlace sees to a directory that m can be mounted on, and says whether there is one and m is
// still to be mounted.
func (a *adaptation) makePlace(m Mount) bool {
	for _, over := range slices.Backward(a.mounts().Items()) {
		d := destination(over)
		switch {
		case d == "/" || !within(d, m.Destination):
			continue
		case !isBind(over):
			return over.Get("type").Text() == "tmpfs"
		}
		source := path.Join(over.Get("source").Text(), strings.TrimPrefix(m.Destination, d))
		return source != m.Source && isDirectory(source)
	}
	root := a.root.Get("root", "path").Text()
	at := m.Destination
	for !isDirectory(root + at) {
		if at == "/" {
			return false
		}
		at = path.Dir(at)
	}
	return at == m.Destination || (at == "/run" || strings.Count(at, "/") > 1) && a.cover(root, at)
}

// cover puts a tmpfs on a directory of the image in which there are only empty directories, as in
// /run and /var/spool, and on that these directories: so that runtimes can make another.
func (a *adaptation) cover(root, at string) bool {
	inside := func(m *tree.Value) bool { return within(at, destination(m)) }
	if slices.ContainsFunc(a.mounts().Items(), inside) {
		return false
	}
	modes := map[string]fs.FileMode{}
	err := filepath.WalkDir(root+at, func(name string, e fs.DirEntry, err error) error {
		below := strings.TrimPrefix(name, root)
		switch {
		case err != nil || below == whoseImage || e.Type()&fs.ModeSymlink != 0:
			return err
		case !e.IsDir() || len(modes) > mostDirectories:
			return fs.ErrInvalid
		}
		info, err := e.Info()
		if err == nil {
			modes[below] = info.Mode()
		}
		return err
	})
	if err != nil {
		return false
	}
	directories := slices.Sorted(maps.Keys(modes))
	for _, d := range directories {
		a.addTmpfs(d, modes[d])
	}
	return true
}

func (a *adaptation) addTmpfs(at string, mode fs.FileMode) {
	bits := mode.Perm()
	if mode&fs.ModeSticky != 0 {
		bits |= 0o1000
	}
	options := []string{"nosuid", "nodev", "noexec", fmt.Sprintf("mode=%o", bits)}
	a.addMount(newMount(at, "tmpfs", "tmpfs", options), whyPlace)
}

const (
	whoseImage      = "/run/systemd/container" // a file of Ubuntu's images, which says "docker"
	mostDirectories = 16
)

// isDirectory says whether there is a directory at a path without symbolic links.
func isDirectory(dir string) bool {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil || real != filepath.Clean(dir) {
		return false
	}
	info, err := os.Stat(dir)
	return err == nil && info.IsDir()
}
