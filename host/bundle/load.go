package bundle

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/host/bundle/tree"
	"github.com/berth-hpc/berth/sdk"
)

// maxConfig is the size in bytes from which a config.json is refused unread. Real ones have less
// than 100 KB; of 100 MB runc makes 6 seconds of work.
const maxConfig = 16 << 20

// limits keep a hostile document from costing more than a few tens of milliseconds and megabytes.
// Real ones are less than 10 deep and have a few thousand values, most of them in seccomp rules.
var limits = tree.Limits{Depth: 64, Values: 100_000}

// Load reads the bundle in directory dir and checks the document against the specification. It
// never blocks and never reads a file that is not regular or too large. A symbolic link may lead
// to dir, as people have images/latest, but not from config.json elsewhere. All errors are
// ErrInvalid.
func Load(dir string) (*Bundle, error) {
	b, err := open(dir)
	if err != nil {
		return nil, sdk.Mark(fmt.Errorf("reading bundle: %w", err), sdk.ErrInvalid)
	}
	if b.root, err = tree.Parse(b.source, limits); err != nil {
		var at *tree.SyntaxError
		if errors.As(err, &at) {
			return nil, sdk.Mark(fmt.Errorf("%s:%w", b.file, err), sdk.ErrInvalid)
		}
		return nil, sdk.Mark(fmt.Errorf("%s: %w", b.file, err), sdk.ErrInvalid)
	}
	if b.root.Kind() != tree.Object {
		return nil, b.wrong(b.root, "the document", "is %s where an object is expected", b.root.Kind())
	}
	if err := b.conform(); err != nil {
		return nil, err
	}
	return b, nil
}

func open(dir string) (*Bundle, error) {
	abs, err := realDirectory(dir)
	if err != nil {
		return nil, err
	}
	// O_PATH: reading the directory may be forbidden where its files may be read.
	fd, err := unix.Open(abs, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: abs, Err: err}
	}
	defer unix.Close(fd)
	b := &Bundle{dir: abs, file: filepath.Join(abs, sdk.ConfigFile)}
	b.source, err = readConfig(fd, b.file)
	return b, err
}

// realDirectory makes a path absolute and resolves its links, once: runc refuses a root file system
// whose path has a symbolic link in it.
func realDirectory(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// readConfig reads config.json in the directory dirfd; name is its path, for errors.
func readConfig(dirfd int, name string) (string, error) {
	// O_NONBLOCK: opening a FIFO must not wait for a writer.
	fd, err := unix.Openat(dirfd, sdk.ConfigFile, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ELOOP):
		return "", sdk.WithAdvice(fmt.Errorf("%s is a symbolic link", name), "put the file itself into the bundle")
	case errors.Is(err, unix.ENXIO):
		return "", fmt.Errorf("%s is not a regular file", name)
	case err != nil:
		return "", &os.PathError{Op: "open", Path: name, Err: err}
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s is not a regular file", name)
	}
	return readBounded(f, info.Size())
}

func readBounded(f *os.File, size int64) (string, error) {
	tooLarge := fmt.Errorf("%s is larger than %d MiB", f.Name(), maxConfig>>20)
	if size > maxConfig {
		return "", tooLarge
	}
	var text strings.Builder
	text.Grow(int(size))
	// One byte more than allowed: the file may have grown since.
	n, err := io.Copy(&text, io.LimitReader(f, maxConfig+1))
	if err != nil {
		return "", err
	}
	if n > maxConfig {
		return "", tooLarge
	}
	return text.String(), nil
}

// conform checks every field that the specification defines for its type, and takes null members
// for what they mean.
func (b *Bundle) conform() error {
	var first error
	type member struct {
		parent *tree.Value
		name   string
	}
	var nulls []member
	w := &visitor{
		found: func(string, *field) {},
		wrong: func(path string, v *tree.Value, problem string) {
			if first == nil {
				first = b.wrong(v, path, "%s", problem)
			}
		},
		null: func(path string, parent *tree.Value, name string) {
			nulls = append(nulls, member{parent, name})
			b.change(path, whyNull)
		},
	}
	b.schema = newSchema()
	w.walk("", b.schema, b.root)
	if first != nil {
		return first
	}
	for _, n := range nulls {
		n.parent.Remove(n.name)
	}
	return b.checkVersion()
}
