package slurm

import (
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// With "berth slurm conf --ignore-config" --container names an image, a directory without a
// config.json, or a bundle. Its limits are Slurm's.
func TestImages(t *testing.T) {
	eachOwn(t, plain, func(t *testing.T, s *site) {
		if s.release.before("23.02") {
			_, err := s.node().Output(t.Context(), "root", "berth", "slurm", "conf", "--ignore-config")
			if err == nil || !strings.Contains(err.Error(), "23.02 or later") {
				t.Errorf("%s has no IgnoreFileConfigJson: %v", s.release.name, err)
			}
			return
		}
		conf := s.asRoot(t, "berth", "slurm", "conf", "--ignore-config")
		if !strings.Contains(conf, "Limits of this form") {
			t.Errorf("its limits are not said:\n%s", conf)
		}
		if err := s.node().WriteFile("/etc/slurm/oci.conf", conf, 0o644); err != nil {
			t.Fatal(err)
		}
		s.leaves = true // nobody but the hook removes a container
		bundle := s.bundle(t, set(list{"PATH=/bin", "OF=image"}, "process", "env"))
		s.checkImage(t, bundle, "container")
		s.checkImage(t, filepath.Join(bundle, "rootfs"), "n1")
		if out := s.ok(t, "srun", "--export=ALL,OF=job", "--container", bundle, "/bin/sh", "-c", "echo $OF"); out != "image\n" {
			t.Errorf("what the image sets has to win: %q", out)
		}
		r := s.run(t, "srun", "--container", "/srv/no such image", "hostname")
		refusal(t, "no image", r, "no such image")
		s.checkImageLimits(t, bundle)
	})
}

// checkImage checks steps and batch jobs in a container of an image.
func (s *site) checkImage(t *testing.T, image, hostname string) {
	t.Helper()
	r := s.run(t, "srun", "--container", image, "/bin/sh", "-c", `echo out; echo "$1" >&2; hostname; [ $SLURM_PROCID = 0 ] && exit 42`, "sh", "a  b $HOME \"q\" #%j")
	if r.status != 42 || r.stdout != "out\n"+hostname+"\n" || !strings.HasPrefix(r.stderr, "a  b $HOME \"q\" #%j\n") {
		t.Errorf("%s, step: %+v", image, r)
	}
	if out := s.ok(t, "srun", "--ntasks=2", "--container", image, "/bin/echo", "task"); out != "task\ntask\n" {
		t.Errorf("%s, two tasks: %q", image, out)
	}
	script := "/home/berthtest/image.sh"
	if err := s.node().WriteFile(script, "#!/bin/sh\nhostname; echo \"$1\"; exit 3\n", 0o755); err != nil {
		t.Fatal(err)
	}
	batch := s.submit(t, call{args: []string{"--container", image, script, "two words"}})
	if r := batch.result(); r.status != 3 || r.stdout != hostname+"\ntwo words\n" {
		t.Errorf("%s, batch: %+v", image, r)
	}
}

// checkImageLimits checks what oci.conf says of this form: before 26.05 quotes fail, in the shell already, and what
// a killed task leaves waits for "berth gc".
func (s *site) checkImageLimits(t *testing.T, bundle string) {
	t.Helper()
	quoted, want := s.run(t, "srun", "--container", bundle, "/bin/echo", "it's"), result{2, "", ""}
	if !s.release.before("26.05") {
		want = result{0, "it's\n", ""}
	}
	if quoted.status != want.status || quoted.stdout != want.stdout {
		t.Errorf("a single quote: %+v", quoted)
	}
	job := s.start(t, call{args: []string{"srun", "--container", bundle, "/bin/sh", "-c", "echo ready; exec sleep 100000"}})
	job.says("ready")
	for _, pid := range append(s.taskOf(job), s.pidsOf(job)...) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	job.wait()
	if out := s.ok(t, "srun", "--container", bundle, "/bin/echo", "next"); out != "next\n" {
		t.Errorf("the next job: %q", out)
	}
	await.Rarely(t, func() string { return fmt.Sprintf("nothing to be left: %q", s.left("")) }, func() bool {
		_, err := s.node().Output(t.Context(), cluster.User, "berth", "gc")
		return err == nil && len(s.left("")) == 0
	})
}
