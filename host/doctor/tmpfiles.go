package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// tmpfiles looks for what makes the container directory after a boot: /run is empty then.
func tmpfiles() check {
	const write = "echo 'd DIR 1777 root root -' > /etc/tmpfiles.d/berth.conf"
	missing := fault{
		when: "no file of tmpfiles.d makes the container directory", status: StatusWarning,
		why:  "/run is empty after a boot: the directory has to be made again before the first container",
		mend: write,
	}
	wrong := fault{
		when: "the line that makes it gives it another mode than 1777, or an age", status: StatusWarning,
		why:  "with another mode users cannot start containers after the next boot; with an age systemd removes the files of running ones",
		mend: write,
	}
	return check{
		name: "tmpfiles", about: "Whether systemd makes the node's container directory at boot (tmpfiles.d(5)).",
		faults: []fault{missing, wrong},
		look: func(e *examination) {
			file, fields := e.tmpfilesLine(e.State.System)
			fill := []string{"DIR", e.State.System}
			switch {
			case !e.systemd():
				e.ok("process 1 is not systemd: %s is made by whatever prepares the node", e.State.System)
			case fields == nil:
				e.found(missing, fmt.Sprintf("no file of tmpfiles.d makes %s", e.State.System), fill...)
			case len(fields) < 3 || strings.TrimLeft(fields[2], ":~0") != "1777" || len(fields) > 5 && fields[5] != "-":
				e.found(wrong, fmt.Sprintf("%s says %q", file, strings.Join(fields, " ")), fill...)
			default:
				e.ok("%s makes %s at boot", file, e.State.System)
			}
		},
	}
}

// tmpfilesLine finds the line that makes a directory. A file in an earlier directory hides those of
// the same name in later ones.
func (n *Node) tmpfilesLine(dir string) (file string, fields []string) {
	seen := map[string]bool{}
	for _, place := range [...]string{"etc/tmpfiles.d", "run/tmpfiles.d", "usr/local/lib/tmpfiles.d", "usr/lib/tmpfiles.d"} {
		entries, err := os.ReadDir(n.path(place))
		if err != nil {
			continue
		}
		for _, entry := range entries {
			if seen[entry.Name()] || filepath.Ext(entry.Name()) != ".conf" {
				continue
			}
			seen[entry.Name()] = true
			for text := range strings.Lines(n.read(place, entry.Name())) {
				fields := strings.Fields(text)
				if len(fields) > 1 && strings.Trim(fields[0], "dD!+-=~^") == "" && filepath.Clean(fields[1]) == dir {
					return n.path(place, entry.Name()), fields
				}
			}
		}
	}
	return "", nil
}
