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

// mounts turns the mounts and devices of config.json into options. The runtime itself mounts /proc,
// /sys and a /dev with terminals and shared memory; what config.json does not name of these is left out.
func (b *binds) mounts(spec *specs.Spec) error {
	for n, m := range spec.Mounts {
		if err := b.mount(m, path.Clean(m.Destination)); err != nil {
			return fmt.Errorf("mounts[%d].%w", n, err)
		}
	}
	if !b.nodesDev {
		if err := b.add("/dev/full", "/dev/full", false); err != nil { // which the runtime forgets
			return err
		}
	}
	for n, dev := range spec.Linux.Devices {
		err := sameDevice(dev)
		if err == nil && !b.nodesDev && !slices.Contains([]string{"null", "zero", "full", "random", "urandom", "tty"}, dev.Path[len("/dev/"):]) {
			err = b.add(dev.Path, dev.Path, false)
		}
		if err != nil {
			return fmt.Errorf("linux.devices[%d].%w", n, err)
		}
	}
	return nil
}

// mount does one mount. Errors begin with the name of the mount's field.
func (b *binds) mount(m specs.Mount, target string) error {
	switch kind := m.Type + " " + target; {
	case len(m.UIDMappings)+len(m.GIDMappings) > 0:
		return unsupported("uidMappings", "the runtime cannot map the owners of what it mounts")
	case isBind(m):
		return b.bind(m, target)
	case kind == "proc /proc":
		b.given["proc"] = true
		return b.options(m)
	case kind == "tmpfs /dev" || kind == "tmpfs /dev/shm" || kind == "mqueue /dev/mqueue":
		return b.options(m)
	case kind == "devpts /dev/pts":
		b.given["devpts"] = true
		return b.options(m)
	case kind == "sysfs /sys" || kind == "cgroup /sys/fs/cgroup" || kind == "cgroup2 /sys/fs/cgroup":
		b.given["sys"] = true
		return b.isolation("type", "the runtime mounts no %s of the container's own", m.Type)
	case m.Type == "tmpfs" && !strings.HasPrefix(target+"/", "/dev/"):
		return b.tmpfs(m, target)
	}
	return unsupported("type", "the runtime mounts no %s at %s", m.Type, target)
}

func isBind(m specs.Mount) bool {
	return slices.Contains(m.Options, "bind") || slices.Contains(m.Options, "rbind") || m.Type == "bind"
}

func (b *binds) bind(m specs.Mount, target string) error {
	if m.Source == target && slices.Contains([]string{"/proc", "/sys"}, target) {
		b.given[target[1:]] = true
		return b.flags(m, false)
	}
	if m.Source == "/dev/pts" && target == m.Source {
		return b.add(target, target, false) // the runtime's own is left out
	}
	own := strings.HasPrefix(target, "/dev/.berth-") // a file of berth's, which may lie where programs cannot be executed, or not
	if err := b.flags(m, true); err != nil && !own {
		return err
	}
	readonly := slices.Contains(m.Options, "ro")
	switch name := path.Base(target); {
	case target == "/dev" && m.Source == target:
		b.nodesDev = true
		return b.add(target, target, false)
	case own: // the runtime makes no place in its /dev
		b.moved[target] = "/" + name
		return b.add(m.Source, "/"+name, readonly)
	case target == "/dev/shm" && m.Source == target: // by its own name it would be taken for there already
		return b.add("/proc/self/root"+m.Source, target, readonly)
	case strings.HasPrefix(target, "/dev/") && m.Source != target && !b.nodesDev:
		return b.belowDev(m.Source, target, readonly)
	}
	return b.add(m.Source, target, readonly)
}

// movedDev is where lies what the container is to have in /dev and the runtime has no place for there,
// such as Slurm's spool directory.
const movedDev = "/.berth-dev"

// belowDev binds source elsewhere: berth-init makes a link to it, in a /dev that the container can write.
func (b *binds) belowDev(source, target string, readonly bool) error {
	name, _, _ := strings.Cut(strings.TrimPrefix(target, "/dev/"), "/")
	if _, err := os.Lstat("/dev/" + name); err == nil { // the runtime, or another mount, may have put it there
		return unsupported("destination", "the runtime has no place for it in its /dev, at %s", target)
	}
	if link := movedDev + "/" + name; !slices.Contains(b.links, link) {
		b.links = append(b.links, link)
	}
	return b.add(source, movedDev+strings.TrimPrefix(target, "/dev"), readonly)
}

// flags refuses the options of a bind mount that the runtime would pass over. It makes all of them
// nosuid and nodev. A flag that the source's file system has already need not be set.
func (b *binds) flags(m specs.Mount, sets bool) error {
	harmless := []string{"bind", "rbind", "rw", "suid", "dev", "exec", "private", "rprivate", "slave", "rslave", "relatime", "none"}
	known := map[string]int64{"ro": unix.ST_RDONLY, "nosuid": unix.ST_NOSUID, "nodev": unix.ST_NODEV, "noexec": unix.ST_NOEXEC}
	var source unix.Statfs_t
	if err := unix.Statfs(m.Source, &source); err != nil {
		return fmt.Errorf("source: %q: %w", m.Source, sdk.Mark(err, sdk.ErrInvalid))
	}
	for _, option := range m.Options {
		flag, isFlag := known[option]
		switch {
		case slices.Contains(harmless, option), isFlag && source.Flags&flag != 0, sets && isFlag && option != "noexec":
		case isFlag && !sets:
			if err := b.isolation("options", "the runtime mounts %s without %q", m.Destination, option); err != nil {
				return err
			}
		default:
			return unsupported("options", "the runtime mounts %s without %q", m.Destination, option)
		}
	}
	return nil
}

// options refuses those of a file system that the runtime mounts in its own way.
func (b *binds) options(m specs.Mount) error {
	harmless := []string{"rw", "nosuid", "noexec", "nodev", "strictatime", "relatime", "noatime", "newinstance", "private", "rprivate"}
	for _, option := range m.Options {
		name, _, _ := strings.Cut(option, "=")
		if !slices.Contains(harmless, option) && !slices.Contains([]string{"mode", "size", "ptmxmode", "gid"}, name) {
			return unsupported("options", "the runtime mounts %s without %q", m.Destination, option)
		}
	}
	return nil
}

// tmpfs gives the container a directory of its bundle, which goes with it: the runtime's own scratch
// directories come after all binds, and would hide those below them.
func (b *binds) tmpfs(m specs.Mount, target string) error {
	mode := uint64(0o1777)
	for _, option := range m.Options {
		name, value, _ := strings.Cut(option, "=")
		switch {
		case name == "mode":
			if _, err := fmt.Sscanf(value, "%o", &mode); err != nil {
				return sdk.Mark(fmt.Errorf("options: %q is no mode", option), sdk.ErrInvalid)
			}
		case name != "size" && !slices.Contains([]string{"rw", "nosuid", "nodev", "exec", "relatime", "strictatime", "noatime"}, option):
			return unsupported("options", "the runtime mounts %s without %q", m.Destination, option)
		}
	}
	dir, err := os.MkdirTemp(b.bundle, "tmpfs-")
	if err == nil {
		err = os.Chmod(dir, os.FileMode(mode&0o777)|map[bool]os.FileMode{true: os.ModeSticky}[mode&0o1000 != 0])
	}
	if err != nil {
		return fmt.Errorf("making a directory of the container: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	if err := b.add(dir, target, false); err != nil {
		return err
	}
	b.own = append(b.own, b.all[len(b.all)-1])
	return nil
}

// sameDevice says whether the node's device at the path is the one that config.json means: that one
// is what the container gets.
func sameDevice(dev specs.LinuxDevice) error {
	var st unix.Stat_t
	if err := unix.Lstat(dev.Path, &st); err != nil {
		return fmt.Errorf("path: %q: %w", dev.Path, sdk.Mark(err, sdk.ErrUnavailable))
	}
	kind := map[string]uint32{"c": unix.S_IFCHR, "u": unix.S_IFCHR, "b": unix.S_IFBLK}[dev.Type]
	same := uint64(st.Rdev) == unix.Mkdev(uint32(dev.Major), uint32(dev.Minor))
	if st.Mode&unix.S_IFMT != kind || !same || !strings.HasPrefix(filepath.Clean(dev.Path), "/dev/") {
		return unsupported("path", "the node's %s is not the device %s %d:%d, and the runtime makes none", dev.Path, dev.Type, dev.Major, dev.Minor)
	}
	return nil
}
