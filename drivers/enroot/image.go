package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/drivers/internal/imagefile"
	"github.com/berth-hpc/berth/sdk"
)

// imageAnnotation names an image that is no file: a URI that enroot imports, or a container of the user's.
const imageAnnotation = "org.berth.image"

// image is where a container's root file system comes from; one of the three is set.
type image struct {
	uri  string // to be imported
	file string // a SquashFS image, to be unpacked
	dir  string // a root file system that is there already
}

// shared says whether there is work that the tasks of a step share.
func (i *image) shared() bool { return i.dir == "" }

// name is that of the directory for what is unpacked, the same for all tasks that use the image.
func (i *image) name() string {
	sum := sha256.Sum256([]byte(i.uri + i.file))
	return hex.EncodeToString(sum[:8])
}

// image finds out which one the bundle means.
func (d *driver) image(spec *specs.Spec, c *sdk.Container) (*image, error) {
	info, err := os.Stat(spec.Root.Path)
	if err != nil {
		return nil, fmt.Errorf("root.path: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	name, named := c.Annotations[imageAnnotation]
	switch {
	case named:
		return namedImage(spec.Root.Path, name, c.Step)
	case info.IsDir():
		return directory(spec.Root.Path)
	}
	return &image{file: spec.Root.Path}, imagefile.Check(spec.Root.Path, imagefile.SquashFS())
}

// namedImage is the one of the annotation, beside which root.path can name nothing.
func namedImage(root, name string, step *sdk.Step) (*image, error) {
	entries, err := os.ReadDir(root)
	if err != nil || len(entries) > 0 {
		return nil, sdk.WithAdvice(
			sdk.Mark(fmt.Errorf("annotation %s names the image %q, and root.path another one", imageAnnotation, name), sdk.ErrInvalid),
			"let root.path name an empty directory")
	}
	scheme, _, isURI := strings.Cut(name, "://")
	switch {
	case isURI && slices.Contains([]string{"docker", "dockerd", "podman"}, scheme):
		return &image{uri: name}, nil
	case isURI:
		return nil, sdk.Mark(fmt.Errorf("annotation %s: enroot imports docker://, dockerd:// and podman://, not %q", imageAnnotation, name), sdk.ErrUnsupported)
	case name == "" || name == "." || name == ".." || strings.Contains(name, "/"):
		return nil, sdk.Mark(fmt.Errorf("annotation %s: %q is neither a URI nor the name of a container", imageAnnotation, name), sdk.ErrInvalid)
	}
	dir := filepath.Join(containers(step), name)
	if _, err := os.Stat(dir); err != nil {
		return nil, sdk.WithAdvice(
			sdk.Mark(fmt.Errorf("annotation %s: there is no container %s", imageAnnotation, dir), sdk.ErrInvalid),
			"enroot list shows those that there are")
	}
	return directory(dir)
}

// containers is where the user's own enroot keeps containers (enroot.in, ENROOT_DATA_PATH).
func containers(step *sdk.Step) string {
	if dir := variable(step, "ENROOT_DATA_PATH"); dir != "" {
		return dir
	}
	if dir := variable(step, "XDG_DATA_HOME"); dir != "" {
		return filepath.Join(dir, "enroot")
	}
	return filepath.Join(home(step), ".local/share/enroot")
}

// home is the user's home directory, or "" where nobody knows it.
func home(step *sdk.Step) string {
	if dir := variable(step, "HOME"); dir != "" {
		return dir
	}
	if u, err := user.Current(); err == nil {
		return u.HomeDir
	}
	return ""
}

// variable is one of the job's.
func variable(step *sdk.Step, name string) string {
	if step != nil {
		for _, entry := range step.Env {
			if value, ok := strings.CutPrefix(entry, name+"="); ok {
				return value
			}
		}
	}
	return ""
}

// directory is a root file system that is started where it is: enroot makes a lock and places for
// mounts in it.
func directory(dir string) (*image, error) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, fmt.Errorf("root.path: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	if unix.Access(real, unix.W_OK|unix.X_OK) != nil {
		return nil, sdk.WithAdvice(
			unsupported("root.path", "enroot has to make places for mounts in the image, and %s cannot be written", real),
			"make a SquashFS image of it (mksquashfs) and name that one, or one of a registry")
	}
	return &image{dir: real}, nil
}
