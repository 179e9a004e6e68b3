package sdk

import "github.com/opencontainers/runtime-spec/specs-go"

// OnlyCleanUp says whether the container has no hooks but the host's own, a poststop hook that removes
// the directory Bundle. A driver whose runtime knows no hooks leaves that one out: the user's next call
// of berth removes the directory then. Any other hook it refuses.
func (c *Container) OnlyCleanUp(hooks *specs.Hooks) bool {
	if hooks == nil {
		return true
	}
	others := len(hooks.Prestart) + len(hooks.CreateRuntime) + len(hooks.CreateContainer) + len(hooks.StartContainer) + len(hooks.Poststart)
	for _, h := range hooks.Poststop {
		if len(h.Args) != 3 || h.Args[1] != "--rm" || h.Args[2] != c.Bundle {
			others++
		}
	}
	return others == 0
}
