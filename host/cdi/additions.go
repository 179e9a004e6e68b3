package cdi

import (
	"errors"
	"fmt"
	"os"
	"slices"

	oci "github.com/opencontainers/runtime-spec/specs-go"
	"tags.cncf.io/container-device-interface/pkg/cdi"
	specs "tags.cncf.io/container-device-interface/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// Additions returns what the devices add to a container whose process is user: a configuration that
// has nothing else. A rootless container, for which no device node can be made, gets those of the node
// as bind mounts, and keeps its caller's groups. ErrUnavailable: something is not there; the error
// names the specification.
func (d *Devices) Additions(user oci.User, rootless bool) (*oci.Spec, error) {
	sum := &oci.Spec{Process: &oci.Process{User: oci.User{UID: user.UID, GID: user.GID}}, Linux: &oci.Linux{}}
	for _, e := range d.all {
		err := e.check()
		if err == nil && rootless {
			err = e.bindNodes()
		}
		if err == nil {
			err = (&cdi.ContainerEdits{ContainerEdits: &e.ContainerEdits}).Apply(sum)
		}
		if err != nil {
			return nil, fmt.Errorf("adding devices of %s: %w", e.from, sdk.Mark(err, sdk.ErrUnavailable))
		}
	}
	return sum, nil
}

// check looks whether what the runtime will need is there: its own errors come late, and name no
// specification.
func (e *edits) check() error {
	var paths []string
	for _, h := range e.Hooks {
		paths = append(paths, h.Path)
	}
	for _, m := range e.Mounts {
		if isBind(m) {
			paths = append(paths, m.HostPath)
		}
	}
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			return err
		}
	}
	return nil
}

func isBind(m *specs.Mount) bool {
	return m.Type == "bind" || slices.Contains(m.Options, "bind") || slices.Contains(m.Options, "rbind")
}

// bindNodes makes mounts of device nodes, and refuses what only root may do.
func (e *edits) bindNodes() error {
	switch {
	case len(e.NetDevices) > 0:
		return errors.New("only root can move network devices into a container")
	case e.IntelRdt != nil:
		return errors.New("only root can set a container's resources (intelRdt)")
	}
	var nodes []*specs.Mount
	for _, n := range e.DeviceNodes {
		source := n.HostPath
		if source == "" {
			source = n.Path
		}
		info, err := os.Stat(source)
		if err != nil {
			return err
		}
		if info.Mode()&(os.ModeDevice|os.ModeNamedPipe) == 0 {
			return fmt.Errorf("%s is not a device node", source)
		}
		nodes = append(nodes, &specs.Mount{HostPath: source, ContainerPath: n.Path, Options: []string{"bind", "nosuid"}})
	}
	e.Mounts, e.DeviceNodes, e.AdditionalGIDs = append(nodes, e.Mounts...), nil, nil
	return nil
}
