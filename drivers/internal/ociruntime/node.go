package ociruntime

import (
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/drivers/internal/userns"
	"github.com/berth-hpc/berth/sdk"
)

// usable says, from a handful of system calls, whether the runtime could make a container here.
func (d *Driver) usable() error {
	if err := d.present(); err != nil {
		return err
	}
	if d.runtime.needsOneCgroupLayout && hybridCgroups("/sys/fs/cgroup") {
		return sdk.WithAdvice(
			sdk.Mark(fmt.Errorf("%s not usable on this node: /sys/fs/cgroup has the hybrid layout, in which it refuses every container", d.runtime.name), sdk.ErrUnavailable),
			"umount /sys/fs/cgroup/unified, or boot with systemd.unified_cgroup_hierarchy=1, or use the driver runc")
	}
	if os.Geteuid() != 0 {
		return userns.Allowed("/proc/sys")
	}
	return nil
}

// present says whether the runtime's program can be executed.
func (d *Driver) present() error {
	_, err := exec.LookPath(d.settings.Runtime)
	if err == nil {
		return nil
	}
	return sdk.WithAdvice(
		fmt.Errorf("runtime not usable on this node: %w", sdk.Mark(err, sdk.ErrUnavailable)),
		fmt.Sprintf("%s, or name it as %s of berth.toml", d.runtime.install, d.key))
}

// hybridCgroups recognises what crun recognises: version 1 controllers with version 2 mounted
// beside them.
func hybridCgroups(mount string) bool {
	return fileSystem(mount) == unix.TMPFS_MAGIC && fileSystem(mount+"/unified") == unix.CGROUP2_SUPER_MAGIC
}

func fileSystem(path string) int64 {
	var s unix.Statfs_t
	if err := unix.Statfs(path, &s); err != nil {
		return 0
	}
	return s.Type
}
