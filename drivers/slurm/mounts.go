package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// mounts decides for each mount what becomes of it on another node.
func (p *portable) mounts() error {
	for i := range p.spec.Mounts {
		m := &p.spec.Mounts[i]
		m.UIDMappings, m.GIDMappings = nil, nil
		m.Options = slices.DeleteFunc(slices.Clone(m.Options), func(o string) bool { return strings.HasPrefix(o, "uid=") || strings.HasPrefix(o, "gid=") })
		switch {
		case isBind(m):
			if err := p.bind(i, m); err != nil {
				return err
			}
		case m.Type == "sysfs" && !p.has(specs.NetworkNamespace):
			// It can be mounted only with a network namespace of its own.
			m.Type, m.Source = "bind", "/sys"
			m.Options = append(slices.DeleteFunc(m.Options, func(o string) bool { return !isFlag(o) }), "rbind")
		case m.Type == "overlay":
			return unsupported(fmt.Sprintf("mounts[%d]", i), "the layers of %s are not on the compute node", m.Destination)
		}
	}
	return nil
}

func isBind(m *specs.Mount) bool {
	return m.Type == "bind" || slices.Contains(m.Options, "bind") || slices.Contains(m.Options, "rbind")
}

func isFlag(o string) bool { return slices.Contains([]string{"ro", "nosuid", "nodev", "noexec"}, o) }

// bind finds the source of a bind mount a place on the compute node. The node's own devices, processes and
// kernel are there under the same name; what the site says is shared is there too.
func (p *portable) bind(i int, m *specs.Mount) error {
	source := filepath.Clean(m.Source)
	switch {
	case m.Destination == "/dev/shm" && !within(source, "/dev"): // an engine's, for this container alone
		m.Type, m.Source = "tmpfs", "shm"
		m.Options = []string{"nosuid", "nodev", "noexec", "mode=1777"}
		return nil
	case within(source, "/dev"), within(source, "/proc"), within(source, "/sys"), p.shared(source):
		return nil
	case p.nodeNetwork && (m.Destination == "/etc/resolv.conf" || m.Destination == "/etc/hosts"):
		m.Source = m.Destination
		return nil
	}
	info, err := os.Stat(source)
	if err != nil {
		return fmt.Errorf("mounts[%d].source: %w", i, sdk.Mark(err, sdk.ErrInvalid))
	}
	switch {
	case info.IsDir() && p.settings.Staging == stageSbcast:
		return sdk.WithAdvice(
			unsupported(fmt.Sprintf("mounts[%d].source", i), "sbcast sends files, and %s is a directory", source),
			"put it into the image, or name it in shared_paths in [drivers.slurm] of berth.toml where compute nodes see it")
	case info.Mode().IsRegular(), info.IsDir() && slices.Contains(m.Options, "ro"):
		p.copies = append(p.copies, transfer{from: source, mount: i})
		return nil
	case info.IsDir():
		return sdk.WithAdvice(
			unsupported(fmt.Sprintf("mounts[%d].source", i), "%s is not on the compute node, and what the program writes into a copy of it would be lost", source),
			"mount it read-only, take a directory that compute nodes see, or name this one in shared_paths in [drivers.slurm] of berth.toml")
	}
	return unsupported(fmt.Sprintf("mounts[%d].source", i), "%s is neither a file nor a directory, and is not on the compute node", source)
}

// shared says whether the compute nodes see a path. Where they see the root file system they see the bundle
// that it is part of.
func (p *portable) shared(path string) bool {
	shared := p.settings.SharedPaths
	bundle := filepath.Dir(p.spec.Root.Path)
	if _, err := os.Stat(filepath.Join(bundle, sdk.ConfigFile)); p.settings.Staging == stageNone && err == nil {
		shared = append(slices.Clip(shared), bundle)
	}
	real, err := filepath.EvalSymlinks(path)
	for _, dir := range shared {
		if within(path, dir) || err == nil && within(real, dir) {
			return true
		}
	}
	return false
}

// within says whether path is dir or below it.
func within(path, dir string) bool {
	dir = filepath.Clean(dir)
	return path == dir || strings.HasPrefix(path, strings.TrimSuffix(dir, "/")+"/")
}
