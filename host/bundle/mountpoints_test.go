package bundle

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/berth-hpc/berth/internal/golden"
)

// slurms is a document with the mounts that Slurm adds to a batch job's.
const slurms = `{
	"ociVersion": "1.0.2",
	"process": {"args": ["/tmp/slurm/startup"], "cwd": "/"},
	"root": {"path": "rootfs"},
	"mounts": [
		{"destination": "/var/run/slurm/", "type": "none", "source": "data", "options": ["bind"]},
		{"destination": "/tmp/slurm/startup", "type": "none", "source": "config.json", "options": ["bind", "ro"]},
		{"destination": "/tmp/slurm/stdout", "type": "none", "source": "status", "options": ["bind"]},
		{"destination": "/var/spool/slurmd/oci-job1-0", "type": "none", "source": "data", "options": ["bind"]},
		{"destination": "/opt/app", "type": "none", "source": "data", "options": ["bind"]},
		{"destination": "/etc/app", "type": "none", "source": "data", "options": ["bind"]}
	]
}`

// image makes the directories of a root file system and takes the right to write into them away.
func image(t *testing.T, bundle string, mode os.FileMode) {
	t.Helper()
	for _, dir := range []string{"tmp", "run", "etc/app", "opt", "var/spool"} {
		if err := os.MkdirAll(filepath.Join(bundle, "rootfs", dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/run", filepath.Join(bundle, "rootfs/var/run")); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{"tmp", "run", "opt", "var/spool"} {
		if err := os.Chmod(filepath.Join(bundle, "rootfs", dir), mode); err != nil {
			t.Fatal(err)
		}
	}
}

func TestGoldenMountPoints(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root can write everywhere")
	}
	dir := writeText(t, slurms)
	image(t, dir, 0o555)
	golden.Check(t, "testdata/golden/mountpoints.txt", adaptText(t, dir, callers()["slurm"]))
}

// Where the runtime can make the mount points nothing is hidden.
func TestMountPointsThatCanBeMade(t *testing.T) {
	for name, c := range map[string]struct {
		mode   os.FileMode
		caller string
	}{
		"writable image": {0o755, "slurm"},
		"root":           {0o555, "root"},
	} {
		dir := writeText(t, slurms)
		image(t, dir, c.mode)
		b, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Adapt(callers()[c.caller]); err != nil {
			t.Fatal(err)
		}
		for _, change := range b.Changes() {
			if change.Why == whyScratch {
				t.Errorf("%s: %v", name, change)
			}
		}
	}
}
