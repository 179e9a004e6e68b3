package bundle

import (
	"github.com/berth-hpc/berth/host/bundle/tree"
)

// mapIDs gives an ordinary user's container a user namespace in which the container's process is
// the caller, and replaces mappings made for somebody else. Mappings that the caller may make are
// the bundle's own business and stay.
func (a *adaptation) mapIDs() error {
	if ns := a.namespace("user"); ns == nil {
		if !a.o.Rootless {
			return nil
		}
		a.addNamespace("user", whyUserSpace)
	} else if ns.Get("path").Text() != "" || !a.o.Rootless && a.o.Caller.InitialUserns {
		return nil // its mappings are made already, or root maps what it likes
	}
	c, user := a.o.Caller, a.root.Get("process", "user")
	a.mapID("uidMappings", user.Get("uid"), c.UID, c.SubUIDs)
	a.mapID("gidMappings", user.Get("gid"), c.GID, c.SubGIDs)
	return nil
}

func (a *adaptation) mapID(key string, process *tree.Value, caller int, subs []Range) {
	id64, _ := process.Int()
	id := int(id64)
	if a.usable(a.linux().Get(key), id, append([]Range{{caller, 1}}, subs...)) {
		return
	}
	a.linux().Set(key, mappings(id, caller, subs))
	a.change("linux."+key, whyMapped)
}

// usable says whether the mappings list can be made by the caller, who owns ids, and holds id.
func (a *adaptation) usable(list *tree.Value, id int, owned []Range) bool {
	if len(list.Items()) == 0 || !contains(containerIDs(list), Range{id, 1}) {
		return false
	}
	for _, m := range list.Items() {
		if !contains(owned, mapped(m, "hostID")) {
			return false
		}
	}
	return true
}

// mappings maps the process's id to the caller, and as many others as there are subordinate ids:
// first those below id, then those above.
func mappings(id, caller int, subs []Range) *tree.Value {
	list := tree.NewArray()
	add := func(container int, ranges []Range) {
		for _, r := range ranges {
			m := tree.NewObject()
			m.Set("containerID", tree.NewInt(int64(container)))
			m.Set("hostID", tree.NewInt(int64(r.First)))
			m.Set("size", tree.NewInt(int64(r.Count)))
			list.Append(m)
			container += r.Count
		}
	}
	below, above := split(subs, id)
	add(0, below)
	add(id, []Range{{caller, 1}})
	add(id+1, above)
	return list
}

// containerIDs returns the ids that exist in a container with the mappings list.
func containerIDs(list *tree.Value) []Range {
	var ids []Range
	for _, m := range list.Items() {
		ids = append(ids, mapped(m, "containerID"))
	}
	return ids
}

func mapped(m *tree.Value, side string) Range {
	first, _ := m.Get(side).Int()
	count, _ := m.Get("size").Int()
	return Range{int(first), int(count)}
}
