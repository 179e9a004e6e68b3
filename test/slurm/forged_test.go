package slurm

import (
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// forgery is what a user makes of the directory of a container of his that has run.
type forgery struct {
	name  string
	stays bool // what he made of it may stay, as his own
	// make changes dir, the container's directory on this machine; record is what was in it.
	make func(s *site, v *victim, dir string, record object) error
}

var forgeries = []forgery{
	{"the pid of root's daemon", false, func(s *site, v *victim, dir string, record object) error {
		record["pid"] = v.pid
		record["startTime"] = startTime(s, v.pid)
		return writeRecord(dir, record)
	}},
	{"a record of root's", false, func(s *site, v *victim, dir string, record object) error {
		record["pid"], record["startTime"], record["uid"] = v.pid, startTime(s, v.pid), 0
		return writeRecord(dir, record)
	}},
	{"the record a link to root's file", false, func(_ *site, v *victim, dir string, _ object) error {
		_ = os.Remove(filepath.Join(dir, "record"))
		return os.Symlink(v.file, filepath.Join(dir, "record"))
	}},
	{"the record a fifo", false, func(_ *site, _ *victim, dir string, _ object) error {
		_ = os.Remove(filepath.Join(dir, "record"))
		return unix.Mkfifo(filepath.Join(dir, "record"), 0o600)
	}},
	{"an empty record", false, func(_ *site, _ *victim, dir string, _ object) error {
		return os.Truncate(filepath.Join(dir, "record"), 0)
	}},
	{"half a record", false, func(_ *site, _ *victim, dir string, _ object) error {
		return os.Truncate(filepath.Join(dir, "record"), 40)
	}},
	{"a record of a later format", false, func(_ *site, _ *victim, dir string, record object) error {
		record["version"] = 99
		return writeRecord(dir, record)
	}},
	{"a record of another boot", false, func(s *site, v *victim, dir string, record object) error {
		record["bootId"] = "00000000-0000-0000-0000-000000000000"
		return writeRecord(dir, record)
	}},
	{"the container's directory a link", true, func(_ *site, v *victim, dir string, _ object) error {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		return os.Symlink(filepath.Dir(v.file), dir)
	}},
	{"links to root's directory within", true, func(_ *site, v *victim, dir string, _ object) error {
		_ = os.RemoveAll(filepath.Join(dir, "rt"))
		return os.Symlink(filepath.Dir(v.file), filepath.Join(dir, "rt"))
	}},
	{"a driver that does not exist", true, func(_ *site, _ *victim, dir string, record object) error {
		record["driver"] = "../../../../tmp/evil"
		return writeRecord(dir, record)
	}},
}

// The user forges what he can; Slurm's callbacks, which run as root, harm nobody, answer in one
// document and remove what is his. Requirements S-01, S-32; faults F-61 to F-65.
func TestForgedState(t *testing.T) {
	eachOwn(t, plain, func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		v := s.victim(t)
		for _, f := range forgeries {
			t.Run(f.name, func(t *testing.T) { s.tryForgery(t, f, v, bundle) })
		}
	})
}

func (s *site) tryForgery(t *testing.T, f forgery, v *victim, bundle string) {
	job := s.start(t, call{args: []string{"srun", "--container", bundle, "/bin/sh", "-c", "echo ready; exec sleep 100000"}})
	job.mayLeave = f.stays
	job.says("ready")
	dir := s.containerDir(t, job)
	if err := f.make(s, v, dir, readRecord(t, dir)); err != nil {
		t.Fatal(err)
	}
	_ = filepath.WalkDir(dir, func(path string, _ os.DirEntry, _ error) error {
		return os.Lchown(path, s.UID(), s.GID())
	})
	s.checkQuery(t, job.id())
	for _, what := range []string{"kill", "delete", "delete"} {
		if _, err := s.callback(t, what, job.id()); err != nil {
			t.Logf("%s: %v", what, err)
		}
		v.unharmed(t, what)
	}
	_, _ = s.node().Output(t.Context(), "root", "scancel", "--signal=KILL", job.id()) // it may have ended
	job.wait()
	v.unharmed(t, "the end of the job")
	if f.stays {
		for _, pid := range s.pidsOf(job) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	}
}

// checkQuery checks that query prints one JSON document.
func (s *site) checkQuery(t testing.TB, job string) {
	t.Helper()
	out, err := s.callback(t, "query", job)
	var state object
	if err != nil || json.Unmarshal([]byte(out), &state) != nil || state["status"] == nil {
		t.Errorf("query: %v, %q", err, out)
	}
}
