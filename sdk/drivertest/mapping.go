package drivertest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// idMaps are the user namespace of a container of this caller's.
type idMaps struct {
	needed     bool // the caller is not root
	uids, gids []specs.LinuxIDMapping
}

// callersMaps maps container root to the caller, and the rest to the caller's subordinate IDs
// where there are any and newuidmap to use them.
func callersMaps() (idMaps, error) {
	m := idMaps{needed: os.Geteuid() != 0}
	if !m.needed {
		return m, nil
	}
	m.uids = []specs.LinuxIDMapping{{ContainerID: 0, HostID: uint32(os.Geteuid()), Size: 1}}
	m.gids = []specs.LinuxIDMapping{{ContainerID: 0, HostID: uint32(os.Getegid()), Size: 1}}
	_, uidErr := exec.LookPath("newuidmap")
	_, gidErr := exec.LookPath("newgidmap")
	if uidErr != nil || gidErr != nil {
		return m, nil
	}
	uids, err := subordinate("/etc/subuid")
	if err != nil {
		return m, err
	}
	gids, err := subordinate("/etc/subgid")
	if err != nil {
		return m, err
	}
	if uids != nil && gids != nil {
		m.uids, m.gids = append(m.uids, *uids), append(m.gids, *gids)
	}
	return m, nil
}

// subordinate returns the caller's first range of a file in the form of subuid(5), or nil.
func subordinate(file string) (*specs.LinuxIDMapping, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading subordinate IDs: %w", err)
	}
	uid := strconv.Itoa(os.Geteuid())
	name := uid
	if u, err := user.LookupId(uid); err == nil {
		name = u.Username
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) != 3 || fields[0] != name && fields[0] != uid {
			continue
		}
		first, err1 := strconv.ParseUint(fields[1], 10, 32)
		count, err2 := strconv.ParseUint(fields[2], 10, 32)
		if err1 == nil && err2 == nil && count > 0 {
			return &specs.LinuxIDMapping{ContainerID: 1, HostID: uint32(first), Size: uint32(count)}, nil
		}
	}
	return nil, nil
}
