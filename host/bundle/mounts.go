package bundle

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/berth-hpc/berth/host/bundle/tree"
	"github.com/berth-hpc/berth/sdk"
)

// bundleMounts checks the bundle's own mounts and makes their sources independent of where the
// document lies. It comes before anything adds mounts: errors count as the user does.
func (a *adaptation) bundleMounts() error {
	for i, m := range a.mounts().Items() {
		at := fmt.Sprintf("mounts[%d]", i)
		if m.Get("destination").Text() == "" {
			return a.wrong(m, at+".destination", "is missing: it names the place in the container")
		}
		if !isBind(m) {
			continue
		}
		v := m.Get("source")
		if v.Text() == "" {
			return a.wrong(m, at+".source", "is missing: it names what to bind")
		}
		source := a.absolute(v.Text())
		if _, err := os.Stat(source); err != nil {
			return a.wrong(v, at+".source", "cannot be mounted: %w", err)
		}
		if pinned, ok := a.pinned[source]; ok {
			source = pinned
		}
		if source != v.Text() {
			m.Set("source", tree.NewString(source))
			a.change(mountPath(m)+".source", whySource)
		}
	}
	return nil
}

// optionMounts adds what the caller's options ask for, after the bundle's own.
func (a *adaptation) optionMounts() error {
	for _, m := range a.o.Mounts {
		if !filepath.IsAbs(m.Source) || !path.IsAbs(m.Destination) {
			return sdk.Mark(fmt.Errorf("mount %q on %q: both paths must be absolute", m.Source, m.Destination), sdk.ErrInvalid)
		}
		if _, err := os.Stat(m.Source); err != nil {
			return sdk.Mark(fmt.Errorf("mount on %q: %w", m.Destination, err), sdk.ErrInvalid)
		}
		source := m.Source
		if pinned, ok := a.pinned[source]; ok {
			source = pinned
		}
		options := m.Options
		if !slices.Contains(options, "bind") && !slices.Contains(options, "rbind") {
			options = append([]string{"rbind"}, options...)
		}
		a.addMount(newMount(path.Clean(m.Destination), "bind", source, options), whyOptionMount)
	}
	return nil
}

func (a *adaptation) addMount(m *tree.Value, why string) {
	a.mounts().Append(m)
	a.change(mountPath(m), why)
}

// mountIDs removes the options uid= and gid= that name an id the container does not have, such as
// the gid=5 of a stock devpts: the kernel refuses the whole mount.
func (a *adaptation) mountIDs() error {
	uids, gids, known := a.containerIDs()
	if !known {
		return nil
	}
	for _, m := range a.mounts().Items() {
		options := m.Get("options").Texts()
		left := slices.DeleteFunc(slices.Clone(options), func(option string) bool {
			return unmapped(option, "uid=", uids) || unmapped(option, "gid=", gids)
		})
		if len(left) < len(options) {
			m.Set("options", tree.NewStrings(left))
			a.change(mountPath(m)+".options", whyUnmappedID)
		}
	}
	return nil
}

// mountPath names a mount in a Change: its index may still move.
func mountPath(m *tree.Value) string {
	return "mounts[" + strconv.Quote(m.Get("destination").Text()) + "]"
}

func unmapped(option, key string, ids []Range) bool {
	text, found := strings.CutPrefix(option, key)
	id, err := strconv.Atoi(text)
	return found && err == nil && !contains(ids, Range{id, 1})
}

// containerIDs returns the ids that exist in the container; known is false where that is all of
// them, or nobody can tell before the container joins its user namespace.
func (a *adaptation) containerIDs() (uids, gids []Range, known bool) {
	ns, c := a.namespace("user"), a.o.Caller
	switch {
	case ns.Get("path").Text() != "":
		return nil, nil, false
	case ns != nil:
		return containerIDs(a.linux().Get("uidMappings")), containerIDs(a.linux().Get("gidMappings")), true
	case !c.InitialUserns:
		return append([]Range{{c.UID, 1}}, c.SubUIDs...), append([]Range{{c.GID, 1}}, c.SubGIDs...), true
	}
	return nil, nil, false
}
