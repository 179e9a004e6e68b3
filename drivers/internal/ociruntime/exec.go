package ociruntime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// Exec implements sdk.Execer.
func (d *Driver) Exec(ctx context.Context, c *sdk.Container, p *sdk.Process) (*sdk.Command, error) {
	if err := checkProcess(p); err != nil {
		return nil, err
	}
	if _, err := d.require(ctx, c, "running a program in", specs.StateRunning, specs.StateCreated); err != nil {
		return nil, err
	}
	root, err := d.root(c)
	if err != nil {
		return nil, err
	}
	file, err := writeProcess(filepath.Join(root, c.ID), p.Spec)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("container %q: %w", c.ID, sdk.ErrNotFound) // ended meanwhile
	}
	if err != nil {
		return nil, fmt.Errorf("writing the process for %s: %w", d.runtime.name, err)
	}
	return d.plan(d.globals(root, c.Log), execArgs(c.ID, file, p)), nil
}

func checkProcess(p *sdk.Process) error {
	var process specs.Process
	if err := json.Unmarshal(p.Spec, &process); err != nil {
		return fmt.Errorf("parsing the process: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	switch {
	case len(process.Args) == 0:
		return sdk.Mark(errors.New("the process has no args"), sdk.ErrInvalid)
	case !filepath.IsAbs(process.Cwd):
		return sdk.Mark(fmt.Errorf("the process's cwd %q is not absolute", process.Cwd), sdk.ErrInvalid)
	case p.IO.NoPivot || p.IO.NoNewKeyring || p.IO.CgroupManager != "":
		return sdk.Mark(errors.New("no-pivot, no-new-keyring and the cgroup manager are choices of a container, not of a further process"), sdk.ErrUnsupported)
	}
	return nil
}

// The runtime reads its process file soon after the host has become it. Nobody is told when, so
// each exec removes those of earlier ones that are older than this.
const processFileAge = time.Hour

// writeProcess writes the process to a file in dir, the runtime's own directory of the container:
// whatever removes the container there removes what is left of such files with it.
func writeProcess(dir string, text []byte) (string, error) {
	old, err := filepath.Glob(filepath.Join(dir, "berth-exec-*"))
	if err != nil {
		return "", err
	}
	for _, file := range old {
		if info, err := os.Lstat(file); err == nil && time.Since(info.ModTime()) > processFileAge {
			_ = os.Remove(file) // another exec may have been faster
		}
	}
	f, err := os.CreateTemp(dir, "berth-exec-*") // mode 0600: it holds the environment
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}
