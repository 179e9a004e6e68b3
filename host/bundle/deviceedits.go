package bundle

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/host/bundle/tree"
	"github.com/berth-hpc/berth/host/cdi"
)

// deviceEdits adds what o.Devices have for the container.
func (a *adaptation) deviceEdits() error {
	for _, key := range slices.Clone(a.root.Get("annotations").Names()) {
		if strings.HasPrefix(key, cdi.AnnotationPrefix) {
			a.root.Get("annotations").Remove(key)
			a.change(fmt.Sprintf("annotations[%q]", key), whyApplied)
		}
	}
	if a.o.Devices == nil {
		return nil
	}
	uid, _ := a.root.Get("process", "user", "uid").Int()
	gid, _ := a.root.Get("process", "user", "gid").Int()
	add, err := a.o.Devices.Additions(specs.User{UID: uint32(uid), GID: uint32(gid)}, a.o.Rootless)
	if err != nil {
		return err
	}
	a.deviceEnv(add.Process.Env)
	for _, step := range [...]func(*specs.Spec) error{a.deviceMounts, a.deviceNodes, a.deviceHooks, a.deviceExtras} {
		if err := step(add); err != nil {
			return err
		}
	}
	return nil
}

func (a *adaptation) deviceEnv(env []string) {
	if len(env) == 0 {
		return
	}
	list := a.list("process", "env")
	for _, text := range env {
		name, _, _ := strings.Cut(text, "=")
		drop(list, func(v *tree.Value) bool { return strings.HasPrefix(v.Text(), name+"=") })
		list.Append(tree.NewString(text))
		a.change("process.env["+name+"]", whyDevice)
	}
}

func (a *adaptation) deviceMounts(add *specs.Spec) error {
	for _, m := range add.Mounts {
		v, err := valueOf(m)
		if err != nil {
			return err
		}
		drop(a.mounts(), func(other *tree.Value) bool { return destination(other) == destination(v) })
		a.addMount(v, whyDevice)
	}
	return nil
}

func (a *adaptation) deviceNodes(add *specs.Spec) error {
	for _, d := range add.Linux.Devices {
		v, err := valueOf(d)
		if err != nil {
			return err
		}
		drop(a.list("linux", "devices"), func(other *tree.Value) bool { return other.Get("path").Text() == d.Path })
		a.append(v, "linux", "devices")
	}
	if add.Linux.Resources == nil || a.o.Rootless {
		return nil
	}
	for _, rule := range add.Linux.Resources.Devices {
		v, err := valueOf(rule)
		if err != nil {
			return err
		}
		a.append(v, "linux", "resources", "devices")
	}
	return nil
}

func (a *adaptation) deviceHooks(add *specs.Spec) error {
	if add.Hooks == nil {
		return nil
	}
	hooks, err := valueOf(add.Hooks)
	if err != nil {
		return err
	}
	for stage, list := range members(hooks) {
		for _, hook := range list.Items() {
			a.append(hook, "hooks", stage)
		}
	}
	return nil
}

// deviceExtras adds what only root's containers get.
func (a *adaptation) deviceExtras(add *specs.Spec) error {
	for _, gid := range add.Process.User.AdditionalGids {
		a.append(tree.NewInt(int64(gid)), "process", "user", "additionalGids")
	}
	for _, name := range slices.Sorted(maps.Keys(add.Linux.NetDevices)) {
		v, err := valueOf(add.Linux.NetDevices[name])
		if err != nil {
			return err
		}
		a.object("linux", "netDevices").Set(name, v)
		a.change("linux.netDevices["+name+"]", whyDevice)
	}
	if add.Linux.IntelRdt != nil {
		v, err := valueOf(add.Linux.IntelRdt)
		if err != nil {
			return err
		}
		a.linux().Set("intelRdt", v)
		a.change("linux.intelRdt", whyDevice)
	}
	return nil
}

// append adds an item to the array at a path of names.
func (a *adaptation) append(item *tree.Value, names ...string) {
	list := a.list(names...)
	list.Append(item)
	a.change(fmt.Sprintf("%s[%d]", strings.Join(names, "."), len(list.Items())-1), whyDevice)
}

// list returns the array at a path of names, made where it is missing.
func (a *adaptation) list(names ...string) *tree.Value {
	return a.member(tree.NewArray, names)
}

// object returns the object at a path of names, likewise.
func (a *adaptation) object(names ...string) *tree.Value {
	return a.member(func(...*tree.Value) *tree.Value { return tree.NewObject() }, names)
}

func (a *adaptation) member(empty func(...*tree.Value) *tree.Value, names []string) *tree.Value {
	last := len(names) - 1
	at := a.root
	if last > 0 {
		at = a.object(names[:last]...)
	}
	if at.Get(names[last]) == nil {
		at.Set(names[last], empty())
	}
	return at.Get(names[last])
}

// drop removes the items of an array that match.
func drop(list *tree.Value, match func(*tree.Value) bool) {
	for i := len(list.Items()) - 1; i >= 0; i-- {
		if match(list.Items()[i]) {
			list.RemoveItem(i)
		}
	}
}

// valueOf makes a tree of what the specification's types hold.
func valueOf(v any) (*tree.Value, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("writing the edits of a device: %w", err)
	}
	return tree.Parse(string(data), limits)
}
