package doctor

import (
	"fmt"
	"strings"
)

// runtimeVersions compares what the drivers found with the list of known vulnerabilities.
func runtimeVersions() check {
	vulnerable := fault{
		when: "one is older than the fix of a known vulnerability", status: StatusWarning,
		why:  "an image or its user may get at what is outside the container; a distribution's package can have the fix under an older number, as Debian's runc 1.1.5+ds1-1+deb12u1 has that of CVE-2024-21626",
		mend: "UPGRADE PACKAGE",
	}
	return check{
		name: "runtime-versions", about: "The versions of the runtimes that drivers found, against the list of known vulnerabilities below.",
		faults: []fault{vulnerable},
		look: func(e *examination) {
			good := true
			var versions []string
			for _, found := range e.runtimes {
				p, known := productOf(found.Name)
				v, ok := parseVersion(found.Version)
				if !known || !ok {
					continue
				}
				versions = append(versions, found.Name+" "+found.Version)
				ids := p.open(v)
				if len(ids) > 0 {
					e.found(vulnerable, fmt.Sprintf("%s %s is older than the fixes of %s", found.Name, found.Version, strings.Join(ids, ", ")), e.packageFill(p.pkg)...)
					good = false
				}
			}
			switch {
			case !good:
			case len(versions) == 0:
				e.ok("no runtime that the list knows was found")
			default:
				e.ok("no vulnerability is listed for %s", strings.Join(versions, ", "))
			}
		},
	}
}
