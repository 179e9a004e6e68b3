package main

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// mountAll turns mounts and devices into lines for enroot, which makes the places for them.
func (d *driver) mountAll(l *layout, spec *specs.Spec, rootfs string) error {
	for n, m := range spec.Mounts {
		if err := d.mount(l, m); err != nil {
			return fmt.Errorf("mounts[%d].%w", n, err)
		}
	}
	for n, dev := range spec.Linux.Devices {
		err := sameDevice(dev)
		if err == nil {
			err = l.bind(dev.Path, dev.Path, "bind")
		}
		if err != nil {
			return fmt.Errorf("linux.devices[%d].%w", n, err)
		}
	}
	return nil
}

// mount does one mount of config.json. Errors begin with the name of the mount's field.
func (d *driver) mount(l *layout, m specs.Mount) error {
	target := path.Clean(m.Destination)
	switch {
	case len(m.UIDMappings)+len(m.GIDMappings) > 0:
		return unsupported("uidMappings", "enroot cannot map the owners of what it mounts")
	case !path.IsAbs(target) || target == "/":
		return unsupported("destination", "enroot does not mount at %q", m.Destination)
	case !plain(target):
		return unsupported("destination", "enroot's table of mounts cannot hold %q", m.Destination)
	case isBind(m):
		options, err := mountOptions(m.Options, false)
		if err != nil {
			return err
		}
		return l.bind(m.Source, target, options)
	case m.Type == "tmpfs" && target == "/dev":
		return l.ownDev()
	case isNodes(m.Type, target):
		if d.settings.Isolation != share {
			return isolation("type", "enroot mounts no %s of the container's own at %s", m.Type, target)
		}
		return l.nodes(target)
	case m.Type == "tmpfs":
		options, err := mountOptions(m.Options, true)
		if err != nil {
			return err
		}
		l.mounts = append(l.mounts, fstab{"tmpfs", target, "tmpfs", "x-create=dir," + options})
		return nil
	}
	return unsupported("type", "enroot mounts no %s at %s", m.Type, target)
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
func (l *layout) nodes(target string) error {
	if _, err := os.Stat(target); err != nil {
		return nil // the node has none, and nobody misses it
	}
	if target == "/dev/pts" && l.dev != "" {
		if err := l.bind("/dev/ptmx", "/dev/ptmx", "bind"); err != nil {
			return err
		}
	}
	if strings.HasPrefix(target, "/sys/") && slices.ContainsFunc(l.mounts, func(m fstab) bool { return m.target == "/sys" }) {
		return nil // it came with that
	}
	return l.bind(target, target, "rbind")
}

// mountOptions checks that enroot-mount knows all of them as they are meant: what it does not know it
// would hand to the kernel as a file system's own. Errors begin with the field's name.
func mountOptions(options []string, tmpfs bool) (string, error) {
	known := []string{
		"bind", "rbind", "ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "sync", "async", "dirsync", "noatime", "atime",
		"diratime", "nodiratime", "relatime", "norelatime", "strictatime", "nostrictatime",
		"private", "rprivate", "slave", "rslave",
	}
	kept := []string{}
	for _, option := range options {
		name, _, _ := strings.Cut(option, "=")
		own := tmpfs && slices.Contains([]string{"size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "huge", "mpol"}, name)
		if !own && !slices.Contains(known, option) || !plain(option) {
			return "", unsupported("options", "enroot does not mount with %q", option)
		}
		kept = append(kept, option)
	}
	return strings.Join(kept, ","), nil
}

// bind adds a bind mount. Errors begin with the field's name.
func (l *layout) bind(source, target, options string) error {
	info, err := os.Stat(source)
	if err != nil {
		return fmt.Errorf("source: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	if source, err = l.source(source); err != nil {
		return err
	}
	if !strings.HasPrefix(options, "bind") && !strings.Contains(","+options+",", ",bind,") && !strings.Contains(options, "rbind") {
		options = strings.TrimSuffix("bind,"+options, ",")
	}
	create := "x-create=file,"
	if info.IsDir() {
		create = "x-create=dir,"
	}
	l.mounts = append(l.mounts, fstab{source, target, "none", create + options})
	return nil
}

// ownDev gives the container a /dev of its own: a directory onto which the node's devices are mounted
// one by one, those that every container has (runtime-spec, config-linux.md, default devices).
func (l *layout) ownDev() error {
	l.dev = l.path("dev")
	if err := os.Mkdir(l.dev, 0o755); err != nil {
		return making(err)
	}
	for name, to := range map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
	} {
		if err := os.Symlink(to, filepath.Join(l.dev, name)); err != nil {
			return making(err)
		}
	}
	l.mounts = append(l.mounts, fstab{l.dev, "/dev", "none", "x-create=dir,bind,nosuid"})
	for _, device := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		if err := l.bind("/dev/"+device, "/dev/"+device, "bind"); err != nil {
			return err
		}
	}
	return nil
}

// sameDevice says whether the node's device at the path is the one that config.json means: that one
// is what the container gets.
func sameDevice(dev specs.LinuxDevice) error {
	var st unix.Stat_t
	if err := unix.Stat(dev.Path, &st); err != nil {
		return fmt.Errorf("path: %q: %w", dev.Path, sdk.Mark(err, sdk.ErrUnavailable))
	}
	kind := map[string]uint32{"c": unix.S_IFCHR, "u": unix.S_IFCHR, "b": unix.S_IFBLK, "p": unix.S_IFIFO}[dev.Type]
	same := uint64(st.Rdev) == unix.Mkdev(uint32(dev.Major), uint32(dev.Minor)) || dev.Type == "p"
	switch {
	case !plain(dev.Path):
		return unsupported("path", "enroot's table of mounts cannot hold %q", dev.Path)
	case st.Mode&unix.S_IFMT != kind || !same:
		return unsupported("path", "the node's %s is not the device %s %d:%d, and enroot makes none", dev.Path, dev.Type, dev.Major, dev.Minor)
	}
	return nil
}
