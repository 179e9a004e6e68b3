package slurm

import (
	"strings"
	"testing"

	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// limited are clusters where Slurm kills soon what does not listen to SIGTERM. A limit is two minutes, so that a
// program on a busy machine is there when the first signal comes, a minute or more before.
var limited = cluster.Options{Lines: []string{killWait}}

// What --signal=B: asks for goes to the batch job's task alone, SIGTERM to every process.
func TestTimeLimitOfBatch(t *testing.T) {
	if testing.Short() {
		t.Skip("Slurm's shortest time limit is a minute")
	}
	each(t, func(t *testing.T, s *site) {
		job := s.submit(t, call{args: []string{"--time=2", "--signal=B:USR1@20", "--container", s.signalBundle(t), "--wrap", "exec " + counting[0]}})
		job.wrote("ready\n")
		// Slurm looks at time limits twice a minute.
		if r := job.result(); r.stdout != "ready\nUSR1\nTERM\n" {
			t.Errorf("each signal has to arrive once: %+v", r)
		}
	})
}

// At its time limit a job gets what --signal asks for, SIGTERM, and SIGKILL after KillWait.
func TestTimeLimit(t *testing.T) {
	if testing.Short() {
		t.Skip("Slurm's shortest time limit is a minute")
	}
	eachOwn(t, limited, func(t *testing.T, s *site) {
		args := []string{"srun", "--time=2", "--signal=USR1@20", "--container", s.signalBundle(t)}
		job := s.start(t, call{args: append(args, counting[0], "stubborn")})
		job.says("ready")
		job.says("USR1")
		r := job.wait()
		// The controller and srun each send a SIGTERM, to a program without a container too.
		said := strings.TrimSuffix(r.stdout, "TERM\n")
		if said != "ready\nUSR1\nTERM\n" && said != "ready\nUSR1\n" || r.status == 0 {
			t.Errorf("got %+v", r)
		}
		if state := s.finished(job).State; state != "TIMEOUT" {
			t.Errorf("the job's state is %s", state)
		}
	})
}
