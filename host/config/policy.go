package config

// Policy is what jobs may choose, and what the bundles that users bring may ask for. It judges
// what a user brings, not what the host and the drivers add themselves. Package host/bundle is
// where all of it but UserDrivers is enforced.
type Policy struct {
	UserDrivers     []string // patterns, as path.Match takes them; empty: jobs may not choose
	AnyHooks        bool
	Hooks           []string // absolute paths of programs
	Annotations     []string // prefixes; the empty one allows all
	NamespacePaths  bool
	SeccompListener bool
	NetDevices      bool
	Devices         []string // patterns, as path.Match takes them
	MountSources    []string // absolute paths of directories; nil: any
}

func (p *Policy) keys() table {
	return table{
		{"user_drivers", "patterns for the drivers that a job may ask for; an empty array leaves jobs no choice", list{to: &p.UserDrivers, check: pattern, empty: true}},
		{"any_hooks", "let bundles have any hooks", toggle{&p.AnyHooks}},
		{"hooks", "absolute paths of the programs that bundles may have as hooks; they and their directories must belong to root and be writable by nobody else", list{to: &p.Hooks, check: absolutePath, empty: true}},
		{"annotations", "prefixes of the annotations that bundles may have besides org.opencontainers.image. and org.berth.; \"\" allows all", list{to: &p.Annotations, check: anything, empty: true}},
		{"namespace_paths", "let bundles join namespaces that exist already", toggle{&p.NamespacePaths}},
		{"seccomp_listener", "let bundles hand system calls to a program that listens for them", toggle{&p.SeccompListener}},
		{"net_devices", "let bundles move network devices into the container", toggle{&p.NetDevices}},
		{"devices", "patterns for the devices that jobs and bundles may add, such as \"/dev/fuse\" or \"nvidia.com/gpu=*\"", list{to: &p.Devices, check: pattern, empty: true}},
		{"mount_sources", "absolute paths of the directories that may be mounted, with what is below them; any where the key is not set", list{to: &p.MountSources, check: absolutePath, empty: true}},
	}
}
