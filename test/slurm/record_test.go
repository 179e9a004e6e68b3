package slurm

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
)

// containerDir is the directory, on this machine, of the container of a job's task 0 in step 0.
func (s *site) containerDir(t testing.TB, job *running) string {
	t.Helper()
	var found []string
	await.True(t, func() string { return "the container directory of job " + job.id() }, func() bool {
		found, _ = filepath.Glob(s.node().Path("/run/berth/*/" + job.id() + ".0.0.n1"))
		return len(found) == 1
	})
	return found[0]
}

// record reads the record of a job's container.
func (s *site) record(t testing.TB, job *running) object {
	t.Helper()
	return readRecord(t, s.containerDir(t, job))
}

func readRecord(t testing.TB, dir string) object {
	t.Helper()
	text := read(filepath.Join(dir, "record"))
	line, _, _ := strings.Cut(text, "\n") // a checksum follows
	decoder := json.NewDecoder(strings.NewReader(line))
	decoder.UseNumber()
	var record object
	if err := decoder.Decode(&record); err != nil {
		t.Fatalf("the record is no JSON: %v\n%s", err, text)
	}
	return record
}

// writeRecord replaces a record by one that looks like berth's own.
func writeRecord(dir string, record object) error {
	line, err := json.Marshal(record)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	return os.WriteFile(filepath.Join(dir, "record"), fmt.Appendf(line, "crc32 %08x\n", crc32.ChecksumIEEE(line)), 0o600)
}

// callback makes one of the three calls of oci.conf that Slurm makes as root at the end of a step.
func (s *site) callback(t testing.TB, what, job string) (stdout string, err error) {
	t.Helper()
	args := []string{"berth", "slurm", what, "--job", job, "--step", "0", "--task", "-1", "--node", "n1"}
	if !s.release.before("23.02") {
		args = append(args, "--uid", fmt.Sprint(s.UID()))
	}
	return s.node().Output(t.Context(), "root", args...)
}
