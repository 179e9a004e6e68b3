package doctor

import (
	"fmt"
	"maps"
	"slices"
)

// sudo looks for drivers that make ordinary users root.
func sudo() check {
	root := fault{
		when: "a driver's setting sudo is on", status: StatusWarning,
		why:  "who may run a container runtime as root is root on the node, by a bundle of his own: no policy of berth's stands in between",
		mend: "sed -i '/^ *sudo *=/d' FILE",
	}
	return check{
		name: "sudo", about: "Drivers of berth.toml that call their runtime by sudo, so that ordinary users' containers are root's.",
		faults: []fault{root},
		look: func(e *examination) {
			if e.Host == nil {
				e.ok("no configuration was looked at: see above")
				return
			}
			good := true
			for _, name := range slices.Sorted(maps.Keys(e.Host.Config.Drivers)) {
				if program := e.Host.Config.Drivers[name].Sudo(); program != "" {
					e.found(root, fmt.Sprintf("driver %q calls its runtime by %s", name, program), "FILE", quote(e.Host.Config.Source))
					good = false
				}
			}
			if good {
				e.ok("no driver calls its runtime by sudo")
			}
		},
	}
}
