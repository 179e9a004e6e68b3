package ociruntime

import (
	"fmt"
	"os"
	"os/exec"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// view is what these drivers look at in config.json; the rest is the runtime's to read.
type view struct {
	Root struct {
		Path string `json:"path"`
	} `json:"root"`
	Process struct {
		User specs.User `json:"user"`
	} `json:"process"`
	Linux mappings `json:"linux"`
}

// mappings are the ids that exist in the container's user namespace.
type mappings struct {
	UIDMappings []specs.LinuxIDMapping `json:"uidMappings"`
	GIDMappings []specs.LinuxIDMapping `json:"gidMappings"`
}

// mappable says whether the ids that the container's process wants exist in its user namespace,
// and whether the mapping can be made here.
func (d *Driver) mappable(b *view) error {
	if len(b.Linux.UIDMappings)+len(b.Linux.GIDMappings) == 0 {
		return nil
	}
	if err := covered("user", b.Process.User.UID, b.Linux.UIDMappings, "/etc/subuid"); err != nil {
		return err
	}
	for _, gid := range append([]uint32{b.Process.User.GID}, b.Process.User.AdditionalGids...) {
		if err := covered("group", gid, b.Linux.GIDMappings, "/etc/subgid"); err != nil {
			return err
		}
	}
	if d.runtime.givesToRoot {
		if err := ownsRootsFiles(b.Linux, os.Geteuid(), os.Getegid()); err != nil {
			return err
		}
	}
	return mappers(b.Linux)
}

// ownsRootsFiles says whether this user can give files to container id 0: chown(2) lets an ordinary user
// only keep them.
func ownsRootsFiles(linux mappings, uid, gid int) error {
	if uid == 0 {
		return nil
	}
	for _, ids := range []struct {
		what   string
		ranges []specs.LinuxIDMapping
		own    int
	}{{"user", linux.UIDMappings, uid}, {"group", linux.GIDMappings, gid}} {
		isRoot := func(r specs.LinuxIDMapping) bool { return r.ContainerID == 0 && int(r.HostID) == ids.own }
		if len(ids.ranges) > 0 && !slices.ContainsFunc(ids.ranges, isRoot) {
			return sdk.WithAdvice(
				sdk.Mark(fmt.Errorf("runc runs an ordinary user's process only as %s id 0 of the container, which it makes the owner of pipes", ids.what), sdk.ErrUnsupported),
				"use the driver crun, or set process.user to id 0 in config.json")
		}
	}
	return nil
}

// covered says whether one of the ranges has the container's id.
func covered(what string, id uint32, ranges []specs.LinuxIDMapping, file string) error {
	for _, r := range ranges {
		if id >= r.ContainerID && uint64(id) < uint64(r.ContainerID)+uint64(r.Size) {
			return nil
		}
	}
	return sdk.WithAdvice(
		sdk.Mark(fmt.Errorf("the container's process wants %s id %d, which is not mapped to any id on this node", what, id), sdk.ErrUnavailable),
		fmt.Sprintf("give the user subordinate ids in %s, or set process.user to id 0 in config.json", file))
}

// mappers says whether the programs are there that an ordinary user needs for subordinate ids.
func mappers(linux mappings) error {
	if os.Geteuid() == 0 {
		return nil
	}
	for program, ranges := range map[string][]specs.LinuxIDMapping{
		"/usr/bin/newuidmap": linux.UIDMappings, "/usr/bin/newgidmap": linux.GIDMappings,
	} {
		if len(ranges) == 1 && ranges[0].Size == 1 {
			continue // the kernel takes one's own id without help
		}
		if _, err := exec.LookPath(program); err != nil {
			return sdk.WithAdvice(
				fmt.Errorf("mapping subordinate ids: %w", sdk.Mark(err, sdk.ErrUnavailable)),
				"apt-get install uidmap")
		}
	}
	return nil
}
