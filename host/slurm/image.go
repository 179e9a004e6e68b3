package slurm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/host/bundle"
	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/sdk"
)

// startup is where a container finds the batch script that Slurm keeps on the node: in the /dev that
// every container has of its own.
const startup = "/dev/.slurm/startup"

// image completes the request for a container of IgnoreFileConfigJson: a bundle, or a directory that
// is a root file system. It returns the job's environment.
func (l Launch) image(r *dispatch.Request) ([]string, error) {
	env, err := readEnvFile(l.EnvFile)
	if err != nil {
		return nil, err
	}
	r.Bundle, r.Args = newJob(env).value("SLURM_CONTAINER"), l.Args
	r.DeletePromised = false // Slurm deletes nothing in this form
	if r.Loaded, err = load(r.Bundle); err != nil {
		return nil, err
	}
	// What the image sets wins, as it does where Slurm reads config.json itself.
	image := newJob(r.Loaded.Env())
	r.Env = slices.DeleteFunc(slices.Clone(env), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		_, set := image[name]
		return set
	})
	if l.Step == batchStep && len(l.Args) > 0 && filepath.IsAbs(l.Args[0]) {
		r.Mounts = append(r.Mounts, bundle.Mount{Source: l.Args[0], Destination: startup, Options: []string{"bind", "ro"}})
		r.Args = append([]string{startup}, l.Args[1:]...)
	}
	return env, nil
}

func load(dir string) (*bundle.Bundle, error) {
	b, err := bundle.Load(dir)
	if errors.Is(err, fs.ErrNotExist) {
		if info, statErr := os.Stat(dir); statErr == nil && info.IsDir() {
			return bundle.LoadImage(dir)
		}
	}
	return b, err
}

// maxEnvFile bounds the file that CreateEnvFile makes, in bytes.
const maxEnvFile = 16 << 20

// readEnvFile reads the environment in either of CreateEnvFile's forms: entries that end in NUL, or
// in newline where none ends in NUL.
func readEnvFile(path string) ([]string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("reading the job's environment: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the job's environment: %w", err)
	case !info.Mode().IsRegular() || info.Size() > maxEnvFile:
		return nil, sdk.Mark(fmt.Errorf("reading the job's environment: %s is no regular file of at most %d MiB", path, maxEnvFile>>20), sdk.ErrInvalid)
	}
	data := make([]byte, info.Size())
	n, err := f.ReadAt(data, 0)
	if n < len(data) {
		return nil, fmt.Errorf("reading the job's environment: %w", err)
	}
	text, separator := string(data), "\n"
	if strings.Contains(text, "\x00") {
		separator = "\x00"
	}
	var env []string
	for _, entry := range strings.Split(text, separator) {
		if strings.IndexByte(entry, '=') > 0 {
			env = append(env, entry)
		}
	}
	return env, nil
}
