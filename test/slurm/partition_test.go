package slurm

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// One cluster, whose partitions use different drivers side by side, by rules alone: each container is the
// one of its driver. Those of gpu and nvidia have the device that a CDI specification describes, by berth
// itself and by nvidia-container-runtime; those of sif run out of a SIF image that Apptainer has made.
func TestPartitions(t *testing.T) {
	var lines []string
	for _, name := range []string{"cpu", "gpu", "nvidia", "directory", "sif"} {
		lines = append(lines, "PartitionName="+name+" Nodes=ALL OverSubscribe=FORCE:64 MaxTime=INFINITE")
	}
	needRoot(t)
	t.Parallel()
	for _, r := range chosen(t) {
		if r.before("23.02") {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			o := cluster.Options{Lines: lines, Config: partitions}
			below(t, r, &o, "charliecloud", "nvidia", "singularity")
			s := lend(t, r, "runc", o)
			s.provide(t, "nvidia")
			s.gpu(t)
			s.partitions(t)
		})
	}
}

const partitions = `
[[rules]]
partition = ["gpu"]
driver = "crun"
devices = ["nvidia.com/gpu=0"]
[[rules]]
partition = ["nvidia"]
driver = "nvidia"
[[rules]]
partition = ["directory"]
driver = "charliecloud"
[[rules]]
partition = ["sif"]
driver = "singularity"
`

// sif makes a SIF image of a bundle's root filesystem, and a bundle of that image.
func (s *site) sif(t *testing.T, bundle string) string {
	t.Helper()
	image := bundle + "/image.sif"
	for _, n := range s.Nodes() {
		if _, err := n.Output(t.Context(), "root", "apptainer", "--silent", "build", image, bundle+"/rootfs"); err != nil {
			t.Fatal(err)
		}
	}
	return s.bundle(t, set(image, "root", "path"))
}

// gpu has a CDI specification for the GPU 0 on each node: a variable and a device, which is /dev/zero.
func (s *site) gpu(t *testing.T) {
	t.Helper()
	text, err := json.Marshal(object{
		"cdiVersion": "0.6.0", "kind": "nvidia.com/gpu",
		"devices": list{object{"name": "0", "containerEdits": object{
			"env": list{"GPU=zero"}, "deviceNodes": list{object{"path": "/dev/zero"}},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range s.Nodes() {
		if err := n.WriteFile("/etc/cdi/nvidia.json", string(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func (s *site) partitions(t *testing.T) {
	bundle := s.bundle(t)
	bundles := map[string]string{"cpu": bundle, "gpu": bundle, "nvidia": bundle, "directory": bundle, "sif": s.sif(t, bundle)}
	const script = "echo ready $GPU; read end; exit 7"
	jobs := map[string]*running{}
	stdins := map[string]*io.PipeWriter{}
	for partition, c := range map[string]struct{ driver, gpu, visible string }{
		"cpu": {"runc", "", ""}, "gpu": {"crun", "zero", ""}, "nvidia": {"nvidia", "zero", "0"},
		"directory": {"charliecloud", "", ""}, "sif": {"singularity", "", ""},
	} {
		in, out := io.Pipe()
		t.Cleanup(func() { _ = out.Close() })
		job := s.start(t, call{
			args:  []string{"srun", "--partition=" + partition, "--container", bundles[partition], "/bin/sh", "-c", script},
			env:   []string{"NVIDIA_VISIBLE_DEVICES=" + c.visible},
			stdin: in,
		})
		jobs[partition], stdins[partition] = job, out
		job.says("ready")
		if want := strings.TrimSuffix("ready "+c.gpu, " ") + "\n"; job.out.String() != want {
			t.Errorf("%s: says %q, want %q", partition, job.out.String(), want)
		}
		if got := s.record(t, job)["driver"]; got != c.driver {
			t.Errorf("%s: driver %v, want %s", partition, got, c.driver)
		}
	}
	// All run at the same time; each ends with its own status.
	for partition, job := range jobs {
		if _, err := io.WriteString(stdins[partition], "end\n"); err != nil {
			t.Fatal(err)
		}
		_ = stdins[partition].Close()
		if r := job.wait(); r.status != 7 {
			t.Errorf("%s: %+v", partition, r)
		}
	}
	for partition, status := range map[string]int{"cpu": 3, "gpu": 4, "nvidia": 5, "directory": 6, "sif": 8} {
		job := s.submit(t, call{args: []string{"--partition=" + partition, "--container", bundles[partition], "--wrap", fmt.Sprintf("echo $0; exit %d", status)}})
		if r := job.result(); r.status != status || r.stdout != "/tmp/slurm/startup\n" || r.stderr != "" {
			t.Errorf("%s: batch: %+v", partition, r)
		}
	}
}
