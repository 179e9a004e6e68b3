package main

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// mount does one mount of config.json. Errors begin with the name of the mount's field.
func (d *driver) mount(b *binds, m specs.Mount) error {
	target := path.Clean(m.Destination)
	switch {
	case len(m.UIDMappings)+len(m.GIDMappings) > 0:
		return unsupported("uidMappings", "ch-run cannot map the owners of what it mounts")
	case isBind(m):
		return d.bind(b, m, target)
	case m.Type == "tmpfs" && target == "/dev":
		return b.ownDev()
	case m.Type == "tmpfs" && target == "/tmp":
		return emptyDirectory(m) // --private-tmp, always
	case m.Type == "tmpfs" && isScratch(target):
		return b.ownScratch(m, target)
	case isNodes(m.Type, target):
		if d.settings.Isolation != share {
			return isolation("type", "ch-run mounts no %s of the container's own at %s", m.Type, target)
		}
		return b.nodes(target)
	}
	return unsupported("type", "ch-run mounts no %s at %s", m.Type, target)
}

// isScratch says whether berth mounts a tmpfs there where an image has no place for Slurm's mounts.
func isScratch(target string) bool {
	return slices.Contains([]string{"/var/tmp", "/run", "/var/run", "/var/spool"}, target)
}

// emptyDirectory refuses options that an empty directory does not have: one of mode 1777, nosuid and nodev
// because it is mounted in a user namespace, or devices cannot be made in it (user_namespaces(7)).
func emptyDirectory(m specs.Mount) error {
	for _, option := range m.Options {
		switch option {
		case "rw", "suid", "dev", "exec", "nosuid", "nodev", "relatime", "strictatime", "mode=1777", "mode=01777":
		default:
			return unsupported("options", "ch-run mounts %s without %q", path.Clean(m.Destination), option)
		}
	}
	return nil
}

func isBind(m specs.Mount) bool {
	return slices.Contains(m.Options, "bind") || slices.Contains(m.Options, "rbind") || m.Type == "bind"
}

// isNodes says whether a mount has a counterpart on the node that can be shared.
func isNodes(kind, target string) bool {
	return slices.Contains([]string{
		"proc /proc", "sysfs /sys", "cgroup /sys/fs/cgroup", "cgroup2 /sys/fs/cgroup",
		"devpts /dev/pts", "tmpfs /dev/shm", "mqueue /dev/mqueue",
	}, kind+" "+target)
}

// nodes gives the container what the node has at target.
func (b *binds) nodes(target string) error {
	if !strings.HasPrefix(target, "/dev/") {
		return nil // below /proc or /sys, which ch-run mounts
	}
	if over, _ := b.over(target); over == nil {
		return nil // likewise: the container has the node's /dev
	}
	if _, err := os.Stat(target); err != nil {
		return nil // the node has none, and nobody misses it
	}
	if target == "/dev/pts" {
		if err := b.add("/dev/ptmx", "/dev/ptmx"); err != nil {
			return err
		}
	}
	return b.add(target, target)
}

func (d *driver) bind(b *binds, m specs.Mount, target string) error {
	own := strings.HasPrefix(path.Base(target), ".berth-") // which cannot be written, see copyInit, or is there for that
	own = own || b.isBatchScript(m.Source, target)
	if err := d.checkOptions(m, own); err != nil {
		return err
	}
	if isInit(target) && unix.Access(m.Source, unix.W_OK) == nil {
		return b.copyInit(m.Source, target)
	}
	if over, _ := b.over(target); over == nil && isNode(target) && m.Source == target {
		return nil // it is there
	}
	return b.add(m.Source, m.Destination)
}

// isBatchScript says whether Slurm mounts a batch job's script, read-only. It is a copy of Slurm's for this job,
// which belongs to its user: a container that changes it harms nobody else.
func (b *binds) isBatchScript(source, target string) bool {
	var st unix.Stat_t
	return b.inJob && target == "/tmp/slurm/startup" && unix.Stat(source, &st) == nil &&
		st.Mode&unix.S_IFMT == unix.S_IFREG && int(st.Uid) == os.Geteuid()
}

// checkOptions refuses what ch-run, whose binds have no options, would pass over. A flag that the
// source's file system has already need not be set.
func (d *driver) checkOptions(m specs.Mount, own bool) error {
	harmless := []string{"bind", "rbind", "rw", "suid", "dev", "exec", "nosuid", "private", "rprivate", "slave", "rslave", "relatime", "none"}
	flags := map[string]int64{"ro": unix.ST_RDONLY, "nodev": unix.ST_NODEV, "noexec": unix.ST_NOEXEC}
	var source unix.Statfs_t
	if err := unix.Statfs(m.Source, &source); err != nil {
		return fmt.Errorf("source: %q: %w", m.Source, sdk.Mark(err, sdk.ErrInvalid))
	}
	virtual := source.Type == unix.PROC_SUPER_MAGIC || source.Type == unix.SYSFS_MAGIC
	for _, option := range m.Options {
		flag, isFlag := flags[option]
		switch {
		case slices.Contains(harmless, option), isFlag && (own || source.Flags&flag != 0):
		case isFlag && virtual:
			if d.settings.Isolation != share {
				return isolation("options", "ch-run mounts %s without %q", m.Destination, option)
			}
		default:
			return unsupported("options", "ch-run mounts %s without %q", m.Destination, option)
		}
	}
	return nil
}
