package slurm

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// A line for each container's start and one for its end, in a file or in the syslog, never in what the
// job writes.
func TestAccounting(t *testing.T) {
	eachOwn(t, plain, func(t *testing.T, s *site) {
		const file, log = "/srv/accounting", "/srv/syslog"
		for _, path := range []string{file, log} {
			if err := s.node().WriteFile(path, "", 0o666); err != nil {
				t.Fatal(err)
			}
		}
		s.syslog(t, log)
		bundle := s.bundle(t)
		for where, path := range map[string]string{file: file, "syslog": log} {
			config := "default_driver = \"" + s.driver + "\"\n[slurm]\naccounting = \"" + where + "\"\n"
			if err := s.node().WriteFile("/etc/berth/berth.toml", config, 0o644); err != nil {
				t.Fatal(err)
			}
			args := []string{"srun", "--container", bundle, "/bin/sh", "-c", "echo out; sleep 0.1; exit 7"}
			if !s.release.before("23.02") {
				args = append(args[:1:1], append([]string{"--container-id=chosen"}, args[1:]...)...)
			}
			job := s.start(t, call{args: args})
			if r := job.wait(); r.status != 7 || r.stdout != "out\n" || strings.Contains(r.stderr, "event") {
				t.Errorf("the job's own output: %+v", r)
			}
			s.checkAccounted(t, path, job.id(), bundle)
			batch := s.submit(t, call{args: []string{"--container", bundle, "--wrap", "kill -TERM $$"}})
			batch.result()
			if end := s.accounted(t, path, batch.id(), "end"); end["step"] != "4294967291" || end["status"] != "143" {
				t.Errorf("a batch job that a signal ends: %v", end)
			}
		}
	})
}

// begun is when this program began.
var begun = time.Now()

// checkAccounted checks the two lines about a job's only step.
func (s *site) checkAccounted(t *testing.T, path, job, bundle string) {
	t.Helper()
	start, end := s.accounted(t, path, job, "start"), s.accounted(t, path, job, "end")
	for _, line := range []object{start, end} {
		for name, want := range map[string]any{
			"job": job, "step": "0", "task": 0.0, "node": "n1", "uid": float64(s.UID()), "driver": s.driver, "bundle": bundle,
		} {
			if line[name] != want {
				t.Errorf("%s is %v, want %v: %v", name, line[name], want, line)
			}
		}
		if !s.release.before("23.02") && line["containerId"] != "chosen" {
			t.Errorf("no --container-id: %v", line)
		}
	}
	if version, _ := end["runtime"].(string); version == "" || end["status"] != "7" {
		t.Errorf("the end has to tell the runtime's version and status 7: %v", end)
	}
	times := make([]time.Time, 3)
	for i, text := range []any{start["time"], end["started"], end["time"]} {
		text, _ := text.(string)
		var err error
		if times[i], err = time.Parse(time.RFC3339Nano, text); err != nil || times[i].Before(begun) {
			t.Errorf("%q is not when it was: %v", text, err)
		}
	}
	if times[2].Sub(times[1]) < 100*time.Millisecond || times[2].Before(times[0]) {
		t.Errorf("it ran for 100 ms at least: started %v, planned %v, ended %v", times[1], times[0], times[2])
	}
}

// syslog serves the node's syslog, which is appended to a file, until the end of the test.
func (s *site) syslog(t *testing.T, file string) {
	t.Helper()
	socket := s.node().Path("/run/log")
	listener, err := net.ListenPacket("unixgram", socket)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(socket, 0o666); err != nil {
		t.Fatal(err)
	}
	out, err := os.OpenFile(s.node().Path(file), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		message := make([]byte, 64<<10)
		for {
			n, _, err := listener.ReadFrom(message)
			if err != nil {
				return // the listener is closed
			}
			_, _ = out.Write(append(message[:n:n], '\n'))
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-done
		_ = out.Close()
	})
}
