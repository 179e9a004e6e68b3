package bundle

import (
	"fmt"

	"github.com/berth-hpc/berth/host/bundle/tree"
)

// Adapt edits the document into the effective one: portable, fit for o.Caller, and as o wants it.
// Everything it does not know stays as it is. It looks at the node's files (root file system,
// mount sources) and changes none of them. Call it once; after an error the Bundle is of no use.
//
// ErrInvalid: bundle or options ask for something that makes no sense, is not there, or is not for
// this caller. ErrUnsupported, ErrUnavailable: Options.Init, but the container has no place for
// berth-init, or the node has none.
func (b *Bundle) Adapt(o Options) error {
	a := &adaptation{Bundle: b, o: o}
	for _, step := range [...]func() error{
		a.sections,
		a.rootPath,
		a.bundleMounts,
		a.devices,
		a.mapIDs,
		a.keepGroups,
		a.cgroup,
		a.terminal, // before the file systems: it needs one
		a.fileSystems,
		a.nodeMounts,
		a.deviceEdits,
		a.optionMounts,
		a.mountPoints,
		a.sharedMounts,
		a.mountIDs,
		a.sourceFlags,
		a.process,
		a.berthInit,
		a.poststop,
		a.annotate,
		a.version,
		a.checkProcess,
		a.checkStrings,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// InitLeftOut says why berth-init is not in the effective document although Options.InitPath was
// given; empty where it is.
func (b *Bundle) InitLeftOut() string { return b.noInit }

// adaptation is one run of Adapt.
type adaptation struct {
	*Bundle
	o Options
}

func (a *adaptation) linux() *tree.Value  { return a.root.Get("linux") }
func (a *adaptation) mounts() *tree.Value { return a.root.Get("mounts") }

// sections adds what crun refuses to be without, and the namespace without which our own mounts
// would be made on the node.
func (a *adaptation) sections() error {
	if a.root.Get("process") == nil {
		a.root.Set("process", tree.NewObject())
	}
	if a.mounts() == nil {
		a.root.Set("mounts", tree.NewArray())
		a.change("mounts", whySection)
	}
	if a.linux() == nil {
		a.root.Set("linux", tree.NewObject())
		a.change("linux", whySection)
	}
	if a.namespace("mount") == nil {
		a.addNamespace("mount", whyMountSpace)
	}
	return nil
}

// namespace returns the entry of linux.namespaces of one type, nil where there is none.
func (a *adaptation) namespace(kind string) *tree.Value {
	for _, ns := range a.linux().Get("namespaces").Items() {
		if ns.Get("type").Text() == kind {
			return ns
		}
	}
	return nil
}

func (a *adaptation) addNamespace(kind, why string) {
	list := a.linux().Get("namespaces")
	if list == nil {
		list = tree.NewArray()
		a.linux().Set("namespaces", list)
	}
	ns := tree.NewObject()
	ns.Set("type", tree.NewString(kind))
	list.Append(ns)
	a.change(fmt.Sprintf("linux.namespaces[%d]", len(list.Items())-1), why)
}

// inUserns says whether the container's mounts will be made with a user namespace's rights only.
func (a *adaptation) inUserns() bool {
	return a.namespace("user") != nil || !a.o.Caller.InitialUserns
}
