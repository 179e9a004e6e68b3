package slurm

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Before the callbacks are the job's user they open nothing of his (S-01).
func TestCallbackDropsRightsFirst(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		needPrograms(t, "strace")
		job := s.start(t, call{args: []string{"srun", "--container", s.bundle(t), "/bin/sh", "-c", "echo ready; exec sleep 100000"}})
		job.says("ready")
		dir := filepath.Base(filepath.Dir(s.containerDir(t, job)))
		args := []string{"berth", "slurm", "query", "--job", job.id(), "--step", "0", "--task", "-1", "--node", "n1"}
		if !s.release.before("23.02") {
			args = append(args, "--uid", fmt.Sprint(s.UID()))
		}
		cmd := s.node().Command(t.Context(), "root", args...)
		trace := filepath.Join(t.TempDir(), "trace")
		traced := exec.Command("strace", append([]string{"-f", "-o", trace, "-e", "trace=%file,%creds,kill,pidfd_open,pidfd_send_signal"}, cmd.Args...)...)
		traced.Env = cmd.Env
		if out, err := traced.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		become, dropped := regexp.MustCompile(fmt.Sprintf(`set(res)?uid\(%d.*= 0`, s.UID())), false
		for line := range strings.Lines(read(trace)) {
			dropped = dropped || become.MatchString(line)
			if !dropped && strings.Contains(line, job.id()+".0.0.n1") && !strings.Contains(line, "execve") {
				t.Errorf("as root: %s", line)
			}
		}
		if !dropped {
			t.Errorf("it did not become the user of %s", dir)
		}
		s.asRoot(t, "scancel", job.id())
		job.wait()
	})
}

// kill and delete at the same time, again and again, hurt nobody and leave nothing (F-64).
func TestCallbacksAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		job := s.start(t, call{args: []string{"srun", "--container", s.bundle(t), "/bin/sh", "-c", "echo ready; exec sleep 100000"}})
		job.says("ready")
		ended := make(chan error, 12)
		for i := range cap(ended) {
			go func() {
				_, err := s.callback(t, []string{"query", "kill", "delete"}[i%3], job.id())
				ended <- err
			}()
		}
		for range cap(ended) {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
		if r := job.wait(); r.status == 0 {
			t.Errorf("it was killed, and yet: %+v", r)
		}
	})
}

// A container that has ended by itself needs no driver for query and delete: the record says enough.
func TestEndedContainerNeedsNoDriver(t *testing.T) {
	eachOwn(t, plain, func(t *testing.T, s *site) {
		const mark = "/srv/started"
		if err := s.node().WriteFile(mark, "", 0o666); err != nil {
			t.Fatal(err)
		}
		driver := "/usr/local/libexec/berth/drivers/berth-driver-" + s.driver
		s.asRoot(t, "mv", driver, "/usr/local/libexec/berth/driver")
		t.Cleanup(func() { s.asRoot(t, "mv", "/usr/local/libexec/berth/driver", driver) })
		script := "#!/bin/sh\necho started >>" + mark + "\nexec /usr/local/libexec/berth/driver\n"
		if err := s.node().WriteFile(driver, script, 0o755); err != nil {
			t.Fatal(err)
		}
		bundle := s.bundle(t)
		const jobs = 3
		for range jobs {
			job := s.start(t, call{args: []string{"srun", "--container", bundle, "/bin/true"}})
			if r := job.wait(); r.status != 0 {
				t.Errorf("got %+v", r)
			}
			s.checkLeft(t, job.name, []string{job.id()}) // the calls are over
		}
		if got := read(s.node().Path(mark)); got != strings.Repeat("started\n", jobs) {
			t.Errorf("%d jobs started their driver so often: %q", jobs, got)
		}
	})
}
