package bundle

// Policy is what the administrator allows in a user's bundle: the table [policy] of berth.toml.
// The zero Policy allows what changes neither the runtime's behaviour nor what runs outside of
// the container.
type Policy struct {
	AnyHooks        bool     // policy.any_hooks: every hook
	Hooks           []string // policy.hooks: absolute paths of programs that may be hooks
	Annotations     []string // policy.annotations: prefixes of annotations, beside those always allowed; "" allows all
	NamespacePaths  bool     // policy.namespace_paths: join namespaces that exist
	SeccompListener bool     // policy.seccomp_listener: hand system calls to a listening program
	NetDevices      bool     // policy.net_devices: move network devices into the container
	Devices         []string // policy.devices: patterns (path.Match) of device nodes, "/dev/fuse", and of CDI's devices, "nvidia.com/gpu=*"
	MountSources    []string // policy.mount_sources: directories whose content may be mounted; nil: any

	// Trusted says why the program at path could be changed by somebody other than root, nil
	// where it could not. It is asked about every hook that Hooks allows; without it they are
	// refused.
	Trusted func(path string) error
}
