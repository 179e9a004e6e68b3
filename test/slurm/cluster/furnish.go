package cluster

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// furnish writes what the daemons and berth read on a node.
func (n *Node) furnish(conf settings, key []byte, o Options) error {
	if err := n.WriteFile("/etc/munge/munge.key", string(key), 0o400); err != nil {
		return err
	}
	for name, text := range conf {
		if err := n.WriteFile(filepath.Join("/etc/slurm", name), text, 0o644); err != nil {
			return err
		}
	}
	for name, text := range o.Files {
		if err := n.WriteFile(filepath.Join("/etc/slurm", name), text, 0o755); err != nil {
			return err
		}
	}
	if o.Config != "" {
		if err := n.WriteFile("/etc/berth/berth.toml", o.Config, 0o644); err != nil {
			return err
		}
	}
	if o.Programs == "" {
		return nil
	}
	return n.install(o.Programs)
}

// install puts berth's programs where "make install" puts them.
func (n *Node) install(programs string) error {
	names, err := filepath.Glob(filepath.Join(programs, "berth*"))
	if err != nil || len(names) == 0 {
		return errors.Join(err, fmt.Errorf("no programs in %q", programs))
	}
	for _, path := range names {
		if filepath.Ext(path) != "" {
			continue
		}
		if err := n.installOne(path); err != nil {
			return fmt.Errorf("installing %s: %w", filepath.Base(path), err)
		}
	}
	return nil
}

// installOne copies a program to the node, or the link that it is.
func (n *Node) installOne(path string) error {
	to := filepath.Join("/usr/local", installed(filepath.Base(path)))
	if target, err := os.Readlink(path); err == nil {
		_ = os.Remove(n.Path(to)) // the root filesystem may have one
		return os.Symlink(target, n.Path(to))
	}
	from, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer from.Close()
	if err := n.WriteFile(to, "", 0o755); err != nil {
		return err
	}
	out, err := os.OpenFile(n.Path(to), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	// All of them have a hundred megabytes: bit by bit they stay in the processor's caches.
	_, err = io.CopyBuffer(struct{ io.Writer }{out}, struct{ io.Reader }{from}, make([]byte, 256<<10))
	return errors.Join(err, out.Close())
}

func installed(program string) string {
	switch {
	case strings.HasPrefix(program, "berth-driver-"):
		return filepath.Join("libexec/berth/drivers", program)
	case program == "berth-init":
		return filepath.Join("libexec/berth", program)
	}
	return filepath.Join("bin", program)
}
