package slurm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/test/slurm/cluster"
)

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
			s := lend(t, r, "charliecloud", o)
			s.spoiled = true
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
	job = s.job(t, call{env: env}, bundle, "sh", "-c", "echo ready; sleep 5") // a killed ch-run may leave it, see its driver's README
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
