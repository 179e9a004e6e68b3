package bundle

// Change is one edit that made the effective config.json different from the bundle's.
type Change struct {
	Path string // of what changed: "process.cwd"; mounts and variables by name: mounts["/dev/pts"].options
	Why  string // one of the reasons in docs/effective-bundle.md
}

// Changes returns what Load and Adapt changed, in the order in which they did.
func (b *Bundle) Changes() []Change { return b.changes }

func (b *Bundle) change(path, why string) {
	b.changes = append(b.changes, Change{Path: path, Why: why})
}

// Every reason for a change. docs/effective-bundle.md explains each, which a test proves.
const (
	whyNull        = "null means absent"
	whyRootPath    = "made absolute and free of symbolic links"
	whySource      = "made absolute"
	whySection     = "section that runtimes require"
	whyMountSpace  = "container gets its own mount namespace"
	whyUserSpace   = "an ordinary user needs a user namespace"
	whyMapped      = "id of the container's process mapped to the caller"
	whyGroups      = "the caller's supplementary groups are kept"
	whyExtraGroups = "an ordinary user cannot add groups; the caller's own are kept"
	whyCgroupsPath = "an ordinary user stays in the caller's cgroup"
	whyNoLimits    = "device rules and empty limits removed: an ordinary user cannot set them"
	whyJobLimits   = "limits removed: the job's cgroup holds them"
	whyFileSystem  = "file system that every container gets"
	whyNodeMount   = "the node's mount, since the container shares the node's namespace"
	whyNoNodeMount = "removed: the container shares the node's namespace, and the node has none"
	whyUnmappedID  = "id that is not mapped in the container's user namespace removed"
	whySourceFlags = "flags of the source's file system, which a user namespace cannot clear"
	whySourceAtime = "the source's own atime mode, which a user namespace cannot change"
	whyOptionMount = "mount asked for by option"
	whyDevice      = "edit of a device that site or user asked for"
	whyApplied     = "its devices are added by berth itself"
	whyScratch     = "place for mounts below it, which the image lacks and the caller cannot make"
	whyShared      = "directory of the node that MPI libraries need"
	whyPlace       = "directory that MPI libraries need and the image lacks"
	whyArgs        = "command given by option"
	whyEnv         = "variable given by option"
	whyEnvTwice    = "duplicate variable removed: the last one counts"
	whyWorkdir     = "working directory given by option"
	whyCwdClean    = "cleaned"
	whyCwdInit     = "berth-init changes to the working directory"
	whyTerminal    = "terminal given by option"
	whySize        = "size of the caller's terminal"
	whyUmask       = "the task's own umask is kept"
	whyOpenFiles   = "the task's own limit of open files is kept"
	whyInit        = "berth-init finds the command"
	whyPids        = "berth-init gives each task of a step another process id"
	whyStatus      = "berth-init writes the exit status"
	whyPoststop    = "removes the container directory at the container's end"
	whyAnnotation  = "annotation set by berth"
	whyVersion     = "oldest version that defines every field in use"
)
