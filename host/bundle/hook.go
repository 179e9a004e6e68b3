package bundle

import (
	"fmt"
	"path/filepath"

	"github.com/berth-hpc/berth/host/bundle/tree"
	"github.com/berth-hpc/berth/sdk"
)

// poststop appends our clean-up to the bundle's own poststop hooks.
func (a *adaptation) poststop() error {
	if len(a.o.Poststop) == 0 {
		return nil
	}
	if !filepath.IsAbs(a.o.Poststop[0]) {
		return sdk.Mark(fmt.Errorf("poststop hook %q: the path must be absolute", a.o.Poststop[0]), sdk.ErrInvalid)
	}
	if a.root.Get("hooks") == nil {
		a.root.Set("hooks", tree.NewObject())
	}
	hooks := a.root.Get("hooks")
	if hooks.Get("poststop") == nil {
		hooks.Set("poststop", tree.NewArray())
	}
	hook := tree.NewObject()
	hook.Set("path", tree.NewString(a.o.Poststop[0]))
	hook.Set("args", tree.NewStrings(a.o.Poststop))
	list := hooks.Get("poststop")
	list.Append(hook)
	a.change(fmt.Sprintf("hooks.poststop[%d]", len(list.Items())-1), whyPoststop)
	return nil
}
