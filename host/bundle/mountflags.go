package bundle

import (
	"slices"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/host/bundle/tree"
)

// sourceFlags lets bind mounts with flags survive in a user namespace. A runtime makes them in two
// steps, the bind and a remount with the flags, and the kernel refuses a remount that would clear
// nosuid, nodev, noexec or ro, or change the atime mode, of a mount from outside the namespace
// (mount_namespaces(7), "locked"). runc knows that from 1.2 on.
func (a *adaptation) sourceFlags() error {
	if !a.inUserns() {
		return nil
	}
	for _, m := range a.mounts().Items() {
		options := m.Get("options").Texts()
		if !isBind(m) || !slices.ContainsFunc(options, isFlag) {
			continue
		}
		var fs unix.Statfs_t
		if err := unix.Statfs(m.Get("source").Text(), &fs); err != nil {
			continue // the runtime will say why, if it minds
		}
		at := mountPath(m) + ".options"
		kept, changed := withLocked(options, int64(fs.Flags))
		if changed {
			a.change(at, whySourceFlags)
		}
		if left := withoutAtime(kept, int64(fs.Flags)); len(left) < len(kept) {
			kept, changed = left, true
			a.change(at, whySourceAtime)
		}
		if changed {
			m.Set("options", tree.NewStrings(kept))
		}
	}
	return nil
}

// lock is a flag that can only be added in a user namespace, and the option that says its opposite.
type lock struct {
	flag    int64
	on, off string
}

func locks() [4]lock {
	return [4]lock{
		{unix.ST_RDONLY, "ro", "rw"},
		{unix.ST_NOSUID, "nosuid", "suid"},
		{unix.ST_NODEV, "nodev", "dev"},
		{unix.ST_NOEXEC, "noexec", "exec"},
	}
}

// withLocked adds what the source has and options lack.
func withLocked(options []string, source int64) (kept []string, changed bool) {
	kept = slices.Clone(options)
	for _, l := range locks() {
		if source&l.flag == 0 || slices.Contains(kept, l.on) && !slices.Contains(kept, l.off) {
			continue
		}
		kept = slices.DeleteFunc(kept, func(option string) bool { return option == l.off })
		kept = append(kept, l.on)
		changed = true
	}
	return kept, changed
}

// atimeMode returns the flag of an option about access times, 0 for one that takes a flag back.
// Without any such option a remount keeps the source's mode.
func atimeMode(option string) (flag int64, is bool) {
	switch option {
	case "noatime":
		return unix.ST_NOATIME, true
	case "nodiratime":
		return unix.ST_NODIRATIME, true
	case "relatime":
		return unix.ST_RELATIME, true
	case "strictatime", "atime", "diratime", "norelatime", "nostrictatime":
		return 0, true
	}
	return 0, false
}

// withoutAtime removes the atime options unless they say just what the source has.
func withoutAtime(options []string, source int64) []string {
	const all = unix.ST_NOATIME | unix.ST_NODIRATIME | unix.ST_RELATIME
	var asked int64
	for _, option := range options {
		flag, _ := atimeMode(option)
		asked |= flag
	}
	if asked != 0 && asked == source&all {
		return options
	}
	return slices.DeleteFunc(slices.Clone(options), func(option string) bool {
		_, is := atimeMode(option)
		return is
	})
}

// isFlag says whether an option makes a runtime remount; what only names the kind of bind, the
// propagation or the absence of a flag does not.
func isFlag(option string) bool {
	for _, l := range locks() {
		if option == l.on {
			return true
		}
	}
	_, atime := atimeMode(option)
	return atime
}
