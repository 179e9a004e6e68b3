package bundle

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/internal/golden"
)

// TestGoldenShared: what an MPI library needs, in an image that has no place for two of the three.
func TestGoldenShared(t *testing.T) {
	dir := write(t, "stock")
	for path, mode := range map[string]os.FileMode{
		"run": 0o755, "run/lock": 0o777 | os.ModeSticky, "run/systemd": 0o755, "var/spool": 0o755, "var/spool/cron": 0o700,
	} {
		populate(t, dir, path+"/")
		if err := os.Chmod(filepath.Join(dir, "rootfs", path), mode); err != nil {
			t.Fatal(err)
		}
	}
	populate(t, dir, "run/systemd/container", "var/spool/mail@")
	o := callers()["user"]
	o.InitPath, o.Init, o.PID = dir+"/init", true, 65
	o.Shared = []Mount{{Source: dir + "/data", Destination: "/dev/shm"}, {Source: dir + "/data", Destination: "/run/munge"}, {Destination: "/var/spool/slurmd/job"}}
	golden.Check(t, "testdata/golden/shared.txt", adaptText(t, dir, o))
}

// TestSharedPlace: nothing that an image or a bundle has is hidden for a mount that nobody asked for.
func TestSharedPlace(t *testing.T) {
	const stock = `{"destination": "/proc", "type": "proc"}`
	for name, c := range map[string]struct {
		image  []string // "/" ends a directory, "@" a symbolic link
		mounts string
		want   []string // where what is added is mounted
	}{
		"there":               {[]string{"run/munge/", "run/file"}, stock, []string{"/run/munge"}},
		"empty":               {[]string{"run/"}, stock, []string{"/run", "/run/munge"}},
		"empty directories":   {[]string{"run/a/b/"}, stock, []string{"/run", "/run/a", "/run/a/b", "/run/munge"}},
		"a file":              {[]string{"run/a/file"}, stock, nil},
		"no /run":             {nil, stock, nil},
		"/run a link":         {[]string{"run@", "elsewhere/munge/"}, stock, nil},
		"bundle has tmpfs":    {[]string{"run/file"}, `{"destination": "/run", "type": "tmpfs"}`, []string{"/run/munge"}},
		"bundle binds it":     {[]string{"run/"}, `{"destination": "/run", "type": "bind", "source": "data"}`, nil},
		"bundle mounts below": {[]string{"run/"}, `{"destination": "/run/x", "type": "tmpfs"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeText(t, `{"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "process": {"args": ["a"], "cwd": "/"}, "mounts": [`+c.mounts+`]}`)
			populate(t, dir, c.image...)
			o := callers()["user"]
			o.Shared = []Mount{{Source: dir + "/data", Destination: "/run/munge"}}
			b, err := Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Adapt(o); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, change := range b.Changes() {
				if change.Why == whyShared || change.Why == whyPlace {
					got = append(got, strings.TrimSuffix(strings.TrimPrefix(change.Path, `mounts["`), `"]`))
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("mounted on %q, want %q", got, c.want)
			}
		})
	}
}

// populate makes directories ("a/"), symbolic links ("a@") and files in a bundle's root file system.
func populate(t *testing.T, dir string, paths ...string) {
	t.Helper()
	for _, path := range paths {
		at := filepath.Join(dir, "rootfs", strings.TrimSuffix(path, "@"))
		above := filepath.Dir(at)
		if strings.HasSuffix(path, "/") {
			above = at
		}
		err := os.MkdirAll(above, 0o755)
		switch {
		case err != nil || strings.HasSuffix(path, "/"):
		case strings.HasSuffix(path, "@"):
			err = os.Symlink("elsewhere", at)
		default:
			err = os.WriteFile(at, nil, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
