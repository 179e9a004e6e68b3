package slurm

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestBackendStatus(t *testing.T) {
	backend(t, "none", func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		for script, want := range map[string]int{"exit 0": 0, "exit 42": 42, "exit 255": 255, "kill -TERM $$": 128 + 15, "kill -KILL $$": 128 + 9} {
			r := s.job(t, call{}, bundle, "sh", "-c", "echo out; echo err >&2; "+script).wait()
			if r.status != want || r.stdout != "out\n" || !strings.Contains(r.stderr, "err\n") {
				t.Errorf("%s: want status %d, got %+v", script, want, r)
			}
		}
		for command, want := range map[string]int{"no-such-thing": 127, "/etc": 126} {
			if r := s.job(t, call{}, bundle, command).wait(); r.status != want || !strings.Contains(r.stderr, command) {
				t.Errorf("%s: want status %d, got %+v", command, want, r)
			}
		}
	})
}

func TestBackendStreams(t *testing.T) {
	backend(t, "none", func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		input := strings.Repeat("a line \x00\xff of input\n", 5000)
		if r := s.job(t, call{stdin: strings.NewReader(input)}, bundle, "cat").wait(); r.status != 0 || r.stdout != input || r.stderr != "" {
			t.Errorf("status %d, %d of %d bytes came back, stderr %q", r.status, len(r.stdout), len(input), r.stderr)
		}
		const script = "dd if=/dev/urandom of=/tmp/data bs=1048576 count=5 2>/dev/null; sha256sum </tmp/data >&2; cat /tmp/data; printf end"
		r := s.job(t, call{}, bundle, "sh", "-c", script).wait()
		out := strings.TrimSuffix(r.stdout, "end")
		sum := sha256.Sum256([]byte(out))
		if r.status != 0 || len(out) != 5<<20 || !strings.HasPrefix(r.stderr, hex.EncodeToString(sum[:])) {
			t.Errorf("status %d, %d bytes with sum %x, stderr %q", r.status, len(r.stdout), sum, r.stderr)
		}
	})
}

// The program has what config.json says, byte for byte, and what Slurm says of the job: not what the caller
// has, and not what another job of the caller's has.
func TestBackendProcess(t *testing.T) {
	backend(t, "none", func(t *testing.T, s *site) {
		env := list{"PATH=/bin", "A=b c 'd' \"e\" $F\ng", "E=", "HOME=/h", "SLURM_PROCID=9", "SLURM_NTASKS=9", "SLURM_CPU_BIND=x"}
		bundle := s.bundle(t, set(env, "process", "env"), set("/work", "process", "cwd"))
		r := s.job(t, call{}, bundle, "sh", "-c", `pwd; printf '<%s>' "$@"; cat /proc/self/environ`, "0", "", "a b", "--jobid=1", "it's\n").wait()
		text, ok := strings.CutPrefix(r.stdout, "/work\n<><a b><--jobid=1><it's\n>")
		if r.status != 0 || !ok {
			t.Errorf("%+v", r)
		}
		got := strings.Split(strings.TrimSuffix(text, "\x00"), "\x00")
		for _, entry := range env {
			if strings.HasPrefix(entry.(string), "SLURM_") == slices.Contains(got, entry.(string)) {
				t.Errorf("variable %q: in %q", entry, got)
			}
		}
		for _, entry := range got {
			name, _, _ := strings.Cut(entry, "=")
			ours := slices.ContainsFunc(env, func(e any) bool { return strings.HasPrefix(e.(string), name+"=") })
			slurms := strings.HasPrefix(name, "SLURM") || name == "TMPDIR" || name == "PWD" || name == "SHLVL" || name == "SRUN_DEBUG"
			if !ours && !slurms && name != "BERTH_TEST" && name != "BERTH_SLURM_JOB_NAME" {
				t.Errorf("variable %q", entry)
			}
		}
	})
}

// Options come from the site, from annotations and from variables, the later ones first.
func TestBackendOptions(t *testing.T) {
	backend(t, "none", func(t *testing.T, s *site) {
		bundle := s.bundle(t, set("1:00", "annotations", "org.berth.slurm.time"), set("2", "annotations", "org.berth.slurm.nodes"))
		const script = `echo $SLURM_JOB_NUM_NODES $SLURM_NTASKS $SLURM_PROCID $SLURMD_NODENAME`
		r := s.job(t, call{}, bundle, "sh", "-c", script).wait()
		lines := strings.Fields(strings.ReplaceAll(r.stdout, " ", "-"))
		slices.Sort(lines)
		if r.status != 0 || !slices.Equal(lines, []string{"2-2-0-n1", "2-2-1-n2"}) {
			t.Errorf("%+v", r)
		}
		if r := s.job(t, call{env: []string{"BERTH_SLURM_NUM_NODES=1", "BERTH_SLURM_NODELIST=n2"}}, bundle, "sh", "-c", script).wait(); r.stdout != "1 1 0 n2\n" {
			t.Errorf("%+v", r)
		}
		for env, want := range map[string]string{
			"BERTH_SLURM_PARTITIONS=x": `variable BERTH_SLURM_PARTITIONS: there is no option "PARTITIONS"`,
			"BERTH_SLURM_TIME=":        "variable BERTH_SLURM_TIME: --time needs a value",
			"BERTH_SLURM_EXACT=maybe":  `variable BERTH_SLURM_EXACT: "maybe" is neither "true" nor "false"`,
			"BERTH_SLURM_PARTITION=no": "srun: error: Unable to allocate resources: Invalid partition name specified",
		} {
			job := s.job(t, call{env: []string{env}}, bundle, "true")
			if r := job.wait(); r.status != 125 || !strings.Contains(r.stderr, want) {
				t.Errorf("%s: %+v", env, r)
			}
			s.deleted(t, job)
		}
	})
}

func TestBackendTerminal(t *testing.T) {
	backend(t, "none", func(t *testing.T, s *site) {
		const script = `trap 'echo interrupted; exit 9' INT; tty; stty size; echo ready; while :; do sleep 0.1; done`
		job, keyboard := s.onTerminal(t, "berth", "run", "--driver", "slurm", "--tty", "--env", "BERTH_TEST", s.bundle(t), "--", "sh", "-c", script)
		job.says("ready")
		if out := job.out.String(); !strings.Contains(out, "/dev/") || !strings.Contains(out, "33 101") {
			t.Errorf("no terminal, or not its size: %q", out)
		}
		fmt.Fprint(keyboard, "\x03") // Ctrl-C
		job.says("interrupted")
		if r := job.wait(); r.status != 9 {
			t.Errorf("got %+v", r)
		}
	})
}

// A further program runs in the container on the compute node.
func TestBackendExec(t *testing.T) {
	backend(t, "none", func(t *testing.T, s *site) {
		job := s.job(t, call{env: []string{"BERTH_SLURM_NODELIST=n2"}}, s.bundle(t), "sh", "-c", "echo inside >/tmp/f; echo ready; exec sleep 100000")
		job.says("ready")
		further := s.prepare(t, call{stdin: strings.NewReader("text")})
		further.cmd.Args = append(further.cmd.Args, "berth", "exec", "--env", "A=b c", "--workdir", "/tmp", job.name, "--", "sh", "-c", `cat f; cat; echo "$A"; ps; exit 7`)
		further.begin()
		if r := further.wait(); r.status != 7 || !strings.HasPrefix(r.stdout, "inside\ntextb c\n") || !strings.Contains(r.stdout, "sleep 100000") {
			t.Errorf("%+v", r)
		}
		if files, _ := filepath.Glob(s.common + "/berth-*/process-*"); len(files) > 0 {
			t.Errorf("left behind: %q", files)
		}
		s.deleted(t, job)
		job.wait()
	})
}
