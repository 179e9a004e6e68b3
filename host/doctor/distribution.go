package doctor

import (
	"slices"
	"strings"
)

// distribution is how packages are installed on a family of Linux distributions.
type distribution struct {
	ids      []string // ID or ID_LIKE of os-release(5)
	install  string   // before the name of a package
	upgrade  string
	packages map[string]string // names that differ from those used here
}

// distribution returns the node's, or the first known where the node's is not.
func (n *Node) distribution() distribution {
	known := []distribution{
		{
			[]string{"debian", "ubuntu"}, "apt-get install", "apt-get install --only-upgrade",
			map[string]string{"kernel": "linux-image-*"},
		},
		{
			[]string{"fedora", "rhel", "centos"}, "dnf install", "dnf upgrade",
			map[string]string{"uidmap": "shadow-utils"},
		},
		{
			[]string{"suse", "opensuse", "sles"}, "zypper install", "zypper update",
			map[string]string{"uidmap": "shadow", "kernel": "kernel-default"},
		},
	}
	ids := n.osRelease()
	for _, d := range known {
		if slices.ContainsFunc(d.ids, func(id string) bool { return slices.Contains(ids, id) }) {
			return d
		}
	}
	return known[0]
}

// osRelease returns the distribution's name and those of the ones that it is like.
func (n *Node) osRelease() []string {
	var ids []string
	for entry := range strings.Lines(n.read("etc/os-release")) {
		name, value, _ := strings.Cut(strings.TrimSpace(entry), "=")
		if name == "ID" || name == "ID_LIKE" {
			ids = append(ids, strings.Fields(strings.Trim(value, `"'`))...)
		}
	}
	return ids
}

// packageFill fills INSTALL, UPGRADE and PACKAGE into a command.
func (n *Node) packageFill(name string) []string {
	d := n.distribution()
	if other, ok := d.packages[name]; ok {
		name = other
	}
	return []string{"INSTALL", d.install, "UPGRADE", d.upgrade, "PACKAGE", name}
}
