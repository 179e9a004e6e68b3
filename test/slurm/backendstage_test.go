package slurm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// The bundle is on the first node alone, and the container runs on the second.
func TestBackendSharedStaging(t *testing.T) {
	backend(t, "shared", func(t *testing.T, s *site) {
		for name, text := range map[string]string{"/srv/only/file": "a file\n", "/srv/only/dir/file": "a directory's\n"} {
			if err := s.node().WriteFile(name, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		mount := func(source, target string, options ...any) object {
			return object{"destination": target, "type": "none", "source": source, "options": append(list{"bind"}, options...)}
		}
		bundle := s.bundle(t, func(config object) {
			config["root"] = object{"path": "rootfs", "readonly": false}
			config["mounts"] = append(config["mounts"].(list), mount("/srv/only/file", "/etc/file"), mount("/srv/only/dir", "/dir", "ro"), mount("/srv/shared", "/work"))
		})
		if err := os.RemoveAll(s.Node(1).Path(bundle)); err != nil {
			t.Fatal(err)
		}
		env := []string{"BERTH_SLURM_NODELIST=n2"}
		const script = `echo $SLURMD_NODENAME; cat /etc/file /dir/file; echo x >/written; echo y >/etc/file; touch /dir/no 2>/dev/null; echo $?; echo $BERTH_TEST >/work/out.$BERTH_TEST`
		job := s.job(t, call{env: env}, bundle, "sh", "-c", script)
		if r := job.wait(); r.status != 0 || r.stdout != "n2\na file\na directory's\n1\n" {
			t.Errorf("%+v", r)
		}
		out := filepath.Join(s.common, "out."+job.name)
		if read(out) != job.name+"\n" {
			t.Errorf("nothing was written into the shared directory: %q", read(out))
		}
		if err := os.Remove(out); err != nil {
			t.Fatal(err)
		}
		if text, err := s.node().ReadFile(bundle + "/rootfs/written"); err == nil || read(s.node().Path("/srv/only/file")) != "a file\n" {
			t.Errorf("the original was written to: %q", text)
		}
		s.over(t, job)
		refused := s.bundle(t, func(config object) {
			config["mounts"] = append(config["mounts"].(list), mount("/srv/only/dir", "/dir"))
		})
		if r := s.job(t, call{env: env}, refused, "true").wait(); r.status != 125 || !strings.Contains(r.stderr, "what the program writes into a copy of it would be lost") {
			t.Errorf("a directory that can be written: %+v", r)
		}
	})
}

// A bundle that the compute node does not see is said to be that.
func TestBackendBundleNotThere(t *testing.T) {
	backend(t, "none", func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		if err := os.RemoveAll(s.Node(1).Path(bundle)); err != nil {
			t.Fatal(err)
		}
		job := s.job(t, call{env: []string{"BERTH_SLURM_NODELIST=n2"}}, bundle, "true")
		if r := job.wait(); r.status != 125 || !strings.Contains(r.stderr, "root.path cannot be used") {
			t.Errorf("%+v", r)
		}
		s.over(t, job)
	})
}

// Where there is no room for a copy the container is refused, and nothing of the copy is left.
func TestBackendDiskFull(t *testing.T) {
	backendOwn(t, cluster.Options{}, `staging = "shared"`, func(t *testing.T, s *site) {
		s.asRoot(t, "mount", "-t", "tmpfs", "-o", "mode=1777,size=256k", "tmpfs", cluster.Shared)
		t.Cleanup(func() { s.asRoot(t, "umount", cluster.Shared) })
		job := s.job(t, call{}, s.bundle(t), "true")
		if r := job.wait(); r.status != 125 || !strings.Contains(r.stderr, "no space left on device") || !strings.Contains(r.stderr, "make room there") {
			t.Errorf("%+v", r)
		}
		if left := s.node().Find(cluster.Shared, 1); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
		if got := s.berth(t, "state", job.name); got.status == 0 {
			t.Errorf("there is still a container: %s", got.stdout)
		}
	})
}

// The compute nodes need no berth: here they run the guide's runc.
func TestBackendOverGuide(t *testing.T) {
	backendOwn(t, cluster.Options{Nodes: 2}, `staging = "shared"`, func(t *testing.T, s *site) {
		s.leaves, s.spoiled = true, true // the guide's templates leave state, and a directory is unmounted below
		for _, n := range s.Nodes() {
			if err := n.WriteFile("/etc/slurm/oci.conf", cluster.GuideOCI("runc"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		bundle := s.bundle(t, set(list{"PATH=/bin", "A=b"}, "process", "env"), set("/work", "process", "cwd"))
		job := s.job(t, call{env: []string{"BERTH_SLURM_NODELIST=n2"}, stdin: strings.NewReader("text")}, bundle, "sh", "-c", `echo $SLURM_JOB_NODELIST $A; pwd; id -u; cat; exit 5`)
		if r := job.wait(); r.status != 5 || r.stdout != "n2 b\n/work\n0\ntext" {
			t.Errorf("%+v", r)
		}
		s.over(t, job)
		// Slurm itself finds no bundle, says so in its way, and the node stays in service.
		if out, err := s.Node(1).Output(t.Context(), "root", "umount", cluster.Shared); err != nil {
			t.Fatal(out, err)
		}
		job = s.job(t, call{env: []string{"BERTH_SLURM_NODELIST=n2"}}, bundle, "true")
		if r := job.wait(); r.status == 0 || !strings.Contains(r.stderr, "Application launch failed") {
			t.Errorf("a directory that is not there: %+v", r)
		}
		s.over(t, job)
	})
}
