package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/host/state"
)

// F-61, F-62, F-65: a record of another boot, or that a reused pid makes name a stranger, or that
// was forged: nobody is signalled who is not the container.
func TestRecordsThatNameStrangers(t *testing.T) {
	t.Parallel()
	need(t, "busybox")
	for name, forge := range map[string]func(rec *state.Record, stranger int){
		"another boot":          func(rec *state.Record, pid int) { rec.BootID = "00000000-0000-4000-8000-000000000000" },
		"another pid namespace": func(rec *state.Record, pid int) { rec.PidNamespace = 1 },
		"reused pid":            func(rec *state.Record, pid int) { rec.Pid, rec.StartTime = pid, rec.StartTime+1_000_000 },
		"process 1":             func(rec *state.Record, pid int) { rec.Pid = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.driver = "plain"
			s.misbehaving(t, "plain")
			s.configure(t, "[drivers.plain]\ncommand = [\"/bin/sleep\", \"100000\"]\n")
			stranger := exec.Command("/bin/sleep", "100000")
			check(t, stranger.Start())
			defer func() { _ = stranger.Process.Kill(); _ = stranger.Wait() }()
			id := s.id()
			container := s.background(t, id, s.bundle(t, ""))
			var truth state.Record
			s.forge(t, id, func(rec *state.Record) { truth = *rec; forge(rec, stranger.Process.Pid) })

			_ = s.berth(t, "kill", id, "KILL")
			_ = s.berth(t, "delete", "--force", id)
			for what, pid := range map[string]int{"the stranger": stranger.Process.Pid, "the process that the record does not name": container.Process.Pid} {
				if err := unix.Kill(pid, 0); err != nil || zombie(pid) {
					t.Errorf("%s was killed", what)
				}
			}
			if _, err := os.Stat(filepath.Join(home(), id)); err == nil { // what cannot be told stays
				s.forge(t, id, func(rec *state.Record) { *rec = truth })
			}
		})
	}
}

// forge rewrites a container's record.
func (s *site) forge(t *testing.T, id string, change func(*state.Record)) {
	t.Helper()
	root, err := state.Open(state.Place{System: state.DefaultSystem, UID: os.Geteuid()})
	check(t, err)
	defer root.Close()
	dir, err := root.Find(id)
	check(t, err)
	defer dir.Close()
	rec, err := dir.Record()
	check(t, err)
	change(&rec)
	check(t, dir.WriteRecord(rec))
}

// F-63: a record that is cut off anywhere: what runs is still found and ended.
func TestTruncatedRecords(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		for _, part := range []int{0, 1, 50, 99} {
			id := s.id()
			s.create(t, id, "sleep 100000")
			s.ok(t, "start", id)
			file := filepath.Join(home(), id, "record")
			size := len(read(file))
			check(t, os.Truncate(file, int64(size*part/100)))
			r := s.berth(t, "delete", "--force", id)
			if r.status != 0 {
				t.Errorf("%d%% of the record: %+v", part, r)
			}
			if left := s.stillThere(t); left != "" {
				t.Errorf("%d%% of the record: left: %s", part, left)
			}
		}
	})
}

// A container directory whose record says another ID, or that is no directory, harms nobody.
func TestStrangeThingsInTheContainerDirectory(t *testing.T) {
	t.Parallel()
	need(t, "runc", "busybox")
	s := newSite(t)
	s.driver = "runc"
	s.berth(t, "ps") // the directory is there from now on
	for name, make := range map[string]func(path string) error{
		"file":    func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"link":    func(path string) error { return os.Symlink("/etc", path) },
		"FIFO":    func(path string) error { return unix.Mkfifo(path, 0o600) },
		"nothing": func(path string) error { return os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			id := s.id()
			path := filepath.Join(home(), id)
			check(t, make(path))
			defer os.Remove(path)
			if r := s.berth(t, "state", id); r.status != 125 || r.stdout != "" {
				t.Errorf("state: %+v", r)
			}
			if r := s.berth(t, "ps"); r.status != 0 {
				t.Errorf("ps: %+v", r)
			}
			_ = s.berth(t, "delete", "--force", id)
			if _, err := os.Stat("/etc/passwd"); err != nil {
				t.Fatal(fmt.Errorf("a link was followed: %w", err))
			}
		})
	}
}
