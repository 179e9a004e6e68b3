package bundle

import (
	"maps"
	"slices"
	"strconv"

	"github.com/berth-hpc/berth/host/bundle/tree"
)

// keepGroups sees to it that an ordinary user's supplementary groups, which open the project
// directories of a cluster, hold in the container too. runc never drops them (and refuses
// additionalGids); crun drops them unless told not to.
//
// Not for root: there the container's process may be somebody else, who must not get root's groups.
func (a *adaptation) keepGroups() error {
	if !a.o.Rootless {
		return nil
	}
	if user := a.root.Get("process", "user"); user.Get("additionalGids") != nil {
		user.Remove("additionalGids")
		a.change("process.user.additionalGids", whyExtraGroups)
	}
	const key = "run.oci.keep_original_groups"
	if a.root.Get("annotations", key) == nil {
		a.annotation(key, "1", whyGroups)
	}
	return nil
}

// annotate sets what the caller of Adapt wants, in a stable order.
func (a *adaptation) annotate() error {
	for _, name := range slices.Sorted(maps.Keys(a.o.SetAnnotations)) {
		a.annotation(name, a.o.SetAnnotations[name], whyAnnotation)
	}
	return nil
}

func (a *adaptation) annotation(name, text, why string) {
	if a.root.Get("annotations") == nil {
		a.root.Set("annotations", tree.NewObject())
	}
	a.root.Get("annotations").Set(name, tree.NewString(text))
	a.change("annotations["+strconv.Quote(name)+"]", why)
}
