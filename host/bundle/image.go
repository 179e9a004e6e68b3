package bundle

import (
	"fmt"

	"github.com/berth-hpc/berth/host/bundle/tree"
	"github.com/berth-hpc/berth/sdk"
)

// imageConfig is the configuration of an image that has none of its own: file systems that programs
// expect, and the node's own name. The image stays as it is, whoever runs it.
const imageConfig = `{
	"ociVersion": "1.0.2",
	"process": {"user": {"uid": 0, "gid": 0}, "args": ["sh"], "cwd": "/"},
	"root": {"path": ".", "readonly": true},
	"mounts": [
		{"destination": "/proc", "type": "proc", "source": "proc"},
		{"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro", "nosuid", "nodev", "noexec"]},
		{"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
		{"destination": "/dev/shm", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "noexec", "nodev", "mode=1777"]},
		{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "mode=1777"]}
	],
	"linux": {"namespaces": [{"type": "mount"}, {"type": "pid"}]}
}`

// LoadImage makes the bundle of a directory that is a root file system, for callers that have images
// without a config.json. All errors are ErrInvalid.
func LoadImage(dir string) (*Bundle, error) {
	abs, err := realDirectory(dir)
	if err != nil {
		return nil, sdk.Mark(fmt.Errorf("reading image: %w", err), sdk.ErrInvalid)
	}
	b := &Bundle{dir: abs, file: abs, source: imageConfig}
	if b.root, err = tree.Parse(b.source, limits); err != nil {
		return nil, err
	}
	return b, b.conform()
}
