package main

import (
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// changes are other values for keys of config.json, by object: "process", "linux". A nil one removes the key.
type changes map[string]map[string]any

// asCaller leaves the user namespace out, in which an ordinary user's containers are, but the runtime's oci
// commands fail. What root starts for the caller is then the caller, by the caller's own number, with the
// caller's groups, and no capability, which would be the node's own.
func (ch changes) asCaller(spec *specs.Spec) error {
	p, l := spec.Process, spec.Linux
	for _, id := range []struct {
		field string
		id    uint32
		own   int
		maps  []specs.LinuxIDMapping
	}{{"uid", p.User.UID, os.Geteuid(), l.UIDMappings}, {"gid", p.User.GID, os.Getegid(), l.GIDMappings}} {
		if outside(id.id, id.maps) != int64(id.own) {
			return unsupported("process.user."+id.field, "without a user namespace the program can only be the caller, %d on this node", id.own)
		}
	}
	groups, err := os.Getgroups()
	if err != nil {
		return sdk.Mark(err, sdk.ErrUnavailable)
	}
	user := specs.User{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}
	for _, gid := range groups {
		user.AdditionalGids = append(user.AdditionalGids, uint32(gid))
	}
	var rest []specs.LinuxNamespace
	for _, n := range l.Namespaces {
		if n.Type != specs.UserNamespace {
			rest = append(rest, n)
		}
	}
	ch["process"]["user"], ch["process"]["noNewPrivileges"], ch["process"]["capabilities"] = user, true, specs.LinuxCapabilities{}
	ch["linux"] = map[string]any{"namespaces": rest, "uidMappings": nil, "gidMappings": nil}
	return nil
}

// outside is what an ID of the container is on the node, -1 where it is nobody.
func outside(id uint32, maps []specs.LinuxIDMapping) int64 {
	if len(maps) == 0 {
		return int64(id)
	}
	for _, m := range maps {
		if id >= m.ContainerID && id-m.ContainerID < m.Size {
			return int64(m.HostID) + int64(id-m.ContainerID)
		}
	}
	return -1
}
