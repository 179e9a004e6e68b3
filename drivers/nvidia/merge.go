package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// merge puts into the document what edited has more than spec, and returns how many devices, mounts
// and hooks that were. Everything else, the order of mounts and unknown keys too, stays as it is.
func merge(document map[string]any, spec, edited *specs.Spec, config string) (int, error) {
	setEnv(document, edited.Process.Env)
	mounts := news(spec.Mounts, edited.Mounts, func(m specs.Mount) string { return m.Destination + "\x00" + m.Source })
	for i := range mounts {
		// They belong to the node. An ordinary user could not map their owners anyway.
		mounts[i].Options = slices.DeleteFunc(mounts[i].Options, func(o string) bool { return o == "idmap" || o == "ridmap" })
	}
	devices := news(spec.Linux.Devices, edited.Linux.Devices, func(d specs.LinuxDevice) string { return d.Path })
	added := len(mounts) + len(devices)
	if os.Geteuid() != 0 {
		// The kernel lets an ordinary user make no device, so runtimes mount the node's of the same
		// path. crun 1.8 fails at it, but not where it is told so.
		bound, err := bound(devices)
		if err != nil {
			return 0, err
		}
		mounts, devices = append(mounts, bound...), nil
	}
	if len(edited.Linux.NetDevices) > len(spec.Linux.NetDevices) {
		return 0, sdk.Mark(fmt.Errorf("linux.netDevices: network devices are not given to containers"), sdk.ErrUnsupported)
	}
	hooks, err := addHooks(document, spec.Hooks, edited.Hooks, config)
	if err != nil {
		return 0, err
	}
	extend(document, "mounts", mounts)
	linux := object(document, "linux")
	extend(linux, "devices", devices)
	if os.Geteuid() == 0 { // what others have no right to set, the job's cgroup and groups decide
		if edited.Linux.Resources != nil {
			var before []specs.LinuxDeviceCgroup
			if spec.Linux.Resources != nil {
				before = spec.Linux.Resources.Devices
			}
			extend(object(linux, "resources"), "devices", news(before, edited.Linux.Resources.Devices, whole))
		}
		extend(object(object(document, "process"), "user"), "additionalGids", news(spec.Process.User.AdditionalGids, edited.Process.User.AdditionalGids, whole))
	}
	return added + hooks, nil
}

// bound are mounts of the node's devices.
func bound(devices []specs.LinuxDevice) ([]specs.Mount, error) {
	var mounts []specs.Mount
	for _, device := range devices {
		if _, err := os.Stat(device.Path); err != nil {
			return nil, fmt.Errorf("linux.devices: a container of an ordinary user gets the node's device of the same path: %w", sdk.Mark(err, sdk.ErrUnavailable))
		}
		mounts = append(mounts, specs.Mount{Destination: device.Path, Type: "bind", Source: device.Path, Options: []string{"bind", "nosuid", "noexec"}})
	}
	return mounts, nil
}

// addHooks adds new hooks, which must be there, or the container would start and then fail. NVIDIA's
// own legacy hook is told our configuration.
func addHooks(document map[string]any, before, after *specs.Hooks, config string) (added int, err error) {
	if after == nil {
		return 0, nil
	}
	if before == nil {
		before = &specs.Hooks{}
	}
	for _, kind := range []struct {
		name      string
		old, list []specs.Hook
	}{
		{"prestart", before.Prestart, after.Prestart}, {"createRuntime", before.CreateRuntime, after.CreateRuntime},
		{"createContainer", before.CreateContainer, after.CreateContainer}, {"startContainer", before.StartContainer, after.StartContainer},
		{"poststart", before.Poststart, after.Poststart}, {"poststop", before.Poststop, after.Poststop},
	} {
		hooks := news(kind.old, kind.list, whole)
		for i := range hooks {
			if _, err := exec.LookPath(hooks[i].Path); err != nil {
				return 0, sdk.WithAdvice(
					fmt.Errorf("hooks.%s: %w", kind.name, sdk.Mark(err, sdk.ErrUnavailable)),
					"install the rest of NVIDIA's nvidia-container-toolkit")
			}
			if filepath.Base(hooks[i].Path) == "nvidia-container-runtime-hook" {
				hooks[i].Env = append(hooks[i].Env, searchPath, configName+"="+config)
			}
		}
		if len(hooks) > 0 {
			extend(object(document, "hooks"), kind.name, hooks)
		}
		added += len(hooks)
	}
	return added, nil
}

// news returns what is in after and not in before, by what key makes of it.
func news[T any](before, after []T, key func(T) string) (more []T) {
	for _, one := range after {
		if !slices.ContainsFunc(before, func(other T) bool { return key(one) == key(other) }) {
			more = append(more, one)
		}
	}
	return more
}

// whole is a value of the specification's as its own key.
func whole[T any](value T) string {
	data, _ := json.Marshal(value) // of plain types only
	return string(data)
}

// extend appends to a list of the document.
func extend[T any](in map[string]any, key string, more []T) {
	if len(more) == 0 {
		return
	}
	list, _ := in[key].([]any)
	for _, one := range more {
		list = append(list, one)
	}
	in[key] = list
}

// object returns an object of the document, made where there is none.
func object(in map[string]any, key string) map[string]any { return table(in, key) }

func setEnv(document map[string]any, env []string) { object(document, "process")["env"] = env }
