package slurm

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
)

func TestStdin(t *testing.T) {
	eachOfAll(t, func(t *testing.T, s *site) {
		input := strings.Repeat("a line \x00\xff of input\n", 5000)
		r := s.start(t, call{args: []string{"srun", "--container", s.bundle(t), "cat"}, stdin: strings.NewReader(input)}).wait()
		if r.status != 0 || r.stdout != input {
			t.Errorf("status %d, %d of %d bytes came back, stderr %q", r.status, len(r.stdout), len(input), r.stderr)
		}
	})
}

func TestLargeOutput(t *testing.T) {
	eachOfAll(t, func(t *testing.T, s *site) {
		const script = "dd if=/dev/urandom of=/tmp/data bs=1048576 count=20 2>/dev/null; sha256sum </tmp/data >&2; cat /tmp/data"
		r := s.run(t, "srun", "--container", s.bundle(t), "/bin/sh", "-c", script)
		sum := sha256.Sum256([]byte(r.stdout))
		if r.status != 0 || len(r.stdout) != 20<<20 || !strings.HasPrefix(chatter.ReplaceAllString(r.stderr, ""), hex.EncodeToString(sum[:])) {
			t.Errorf("status %d, %d bytes with sum %x, stderr %q", r.status, len(r.stdout), sum, r.stderr)
		}
	})
}

// Slurm opens the files of a batch job itself; the container writes into them.
func TestBatchFiles(t *testing.T) {
	eachOfAll(t, func(t *testing.T, s *site) {
		r := s.submit(t, call{args: []string{"--container", s.bundle(t), "--wrap", "echo to stdout; echo to stderr >&2; cat"}}).result()
		if want := (result{0, "to stdout\n", "to stderr\n"}); r != want {
			t.Errorf("got %+v", r)
		}
	})
}
