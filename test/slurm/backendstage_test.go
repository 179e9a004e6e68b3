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

// In an allocation the container is a step of it: one task, on what the allocation has, and the job goes on.
// What is said of the job comes from the caller's variables, if he hands them on as podman's --env-host does.
func TestBackendAllocation(t *testing.T) {
	backend(t, "none", func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		for name, env := range map[string][]string{"caller's": nil, "handed on": {"SLURM_JOB_ID", "SLURM_JOB_NUM_NODES", "SLURM_NTASKS"}} {
			r := s.prepare(t, call{})
			line := strings.Join(s.berthRun(r, env, bundle, "sh", "-c", `'echo $SLURM_JOB_ID $SLURM_NTASKS $SLURM_JOB_NUM_NODES; exit 4'`), " ")
			r.cmd.Args = append(r.cmd.Args, "salloc", "--quiet", "--nodes=2", "--ntasks=7", "--job-name="+r.name, "sh", "-c",
				line+`; echo $? $SLURM_JOB_ID; berth delete --force `+r.name+`; squeue --noheader --jobs=$SLURM_JOB_ID --format=%T`)
			r.begin()
			got := r.wait()
			nodes := ""
			if env != nil {
				nodes = " 2"
			}
			if id := r.id(); got.stdout != id+" 1"+nodes+"\n4 "+id+"\nRUNNING\n" {
				t.Errorf("%s: job %s, got %+v", name, id, got)
			}
		}
	})
}

// A container in an allocation of somebody's is killed and deleted without the job.
func TestBackendStepKilled(t *testing.T) {
	backend(t, "none", func(t *testing.T, s *site) {
		allocation := s.prepare(t, call{})
		allocation.cmd.Args = append(allocation.cmd.Args, "salloc", "--quiet", "--job-name="+allocation.name, "--no-shell")
		allocation.begin()
		allocation.wait()
		id := allocation.id()
		job := s.job(t, call{env: []string{"SLURM_JOB_ID=" + id}}, s.bundle(t), "sh", "-c", "echo ready; exec sleep 600")
		job.says("ready")
		if r := s.kill(t, job, "KILL"); r.status != 0 || r.stderr != "" {
			t.Errorf("%+v", r)
		}
		if r := job.wait(); r.status != 128+9 {
			t.Errorf("%+v", r)
		}
		s.over(t, job)
		if state := s.asRoot(t, "squeue", "--noheader", "--jobs="+id, "--format=%T"); state != "RUNNING\n" {
			t.Errorf("the job is %q", state)
		}
		s.asRoot(t, "scancel", id)
	})
}

// The image is sent to the compute node, whose driver has to take it; the end of the job removes it there.
func TestBackendSbcast(t *testing.T) {
	needRoot(t)
	t.Parallel()
	for _, r := range chosen(t) {
		if r.before("23.02") { // see furtherDrivers
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			o := cluster.Options{Nodes: 2, Config: "[drivers.slurm]\nstaging = \"sbcast\"\n"}
			s := newSite(t, r, sharing{driver: "charliecloud"}, o)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			})
			s.sbcast(t)
		})
	}
}

func (s *site) sbcast(t *testing.T) {
	if err := s.node().WriteFile("/srv/only/file", "a file\n", 0o644); err != nil {
		t.Fatal(err)
	}
	bundle := s.bundle(t, func(config object) {
		config["mounts"] = append(config["mounts"].(list), object{"destination": "/etc/file", "type": "none", "source": "/srv/only/file", "options": list{"bind"}})
	})
	for _, n := range s.Nodes() {
		if err := os.MkdirAll(n.Path(bundle+"/rootfs/etc"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(n.Path(bundle+"/rootfs/etc/file"), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.RemoveAll(s.Node(1).Path(bundle)); err != nil {
		t.Fatal(err)
	}
	env := []string{"BERTH_SLURM_NODELIST=n2", "BERTH_SLURM_PARTITION=main", "BERTH_SLURM_LABEL=false"}
	job := s.job(t, call{env: env, stdin: strings.NewReader("text")}, bundle, "sh", "-c", "echo $SLURM_JOB_NODELIST; cat /etc/file; cat; exit 6")
	if r := job.wait(); r.status != 6 || r.stdout != "n2\na file\ntext" {
		t.Errorf("%+v", r)
	}
	s.over(t, job)
	job = s.job(t, call{env: env}, bundle, "sh", "-c", "echo ready; sleep 600")
	job.says("ready")
	s.deleted(t, job)
	job.wait()
	if r := s.job(t, call{env: append(env, "BERTH_SLURM_RESERVATION=none")}, bundle, "true").wait(); r.status != 125 || !strings.Contains(r.stderr, "salloc: ") {
		t.Errorf("no job: %+v", r)
	}
	if err := s.Node(1).WriteFile("/etc/berth/berth.toml", "default_driver = \"crun\"\n", 0o644); err != nil {
		t.Fatal(err)
	}
	if r := s.job(t, call{env: env}, bundle, "true").wait(); r.status != 125 || !strings.Contains(r.stderr, "SquashFS") {
		t.Errorf("a driver that takes no image: %+v", r)
	}
	for _, n := range s.Nodes() {
		if left, _ := filepath.Glob(n.Path("/tmp/berth-*")); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
}

// Where there is no room for a copy the container is refused, and nothing of the copy is left.
func TestBackendDiskFull(t *testing.T) {
	backendOwn(t, cluster.Options{}, `staging = "shared"`, func(t *testing.T, s *site) {
		s.asRoot(t, "mount", "-t", "tmpfs", "-o", "mode=1777,size=256k", "tmpfs", cluster.Shared)
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
		s.leaves = true // the guide's templates do
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
