package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/sdk"
)

func TestProcess(t *testing.T) {
	cmd := blocked(t)
	rec, err := NewRecord(cmd.Process.Pid)
	must(t, err)
	p, err := rec.Process()
	must(t, err)
	defer p.Close()
	if alive, err := rec.Alive(); !alive || err != nil {
		t.Errorf("alive %v, %v", alive, err)
	}
	must(t, p.Signal(0))
	if err := p.Signal(65); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("signal 65: %v, want ErrInvalid", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond) // waited for in full: the process runs
	defer cancel()
	if err := p.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("wait for what runs: %v, want DeadlineExceeded", err)
	}

	must(t, p.Signal(syscall.SIGKILL))
	must(t, p.Wait(await.Context(t))) // a zombie: nobody has waited for it
	if alive, err := rec.Alive(); alive || err != nil {
		t.Errorf("zombie: alive %v, %v", alive, err)
	}
	if _, err := NewRecord(cmd.Process.Pid); !errors.Is(err, sdk.ErrState) {
		t.Errorf("record of a zombie: %v, want ErrState", err)
	}
	cmd.Wait()
	if _, err := rec.Process(); !errors.Is(err, sdk.ErrState) {
		t.Errorf("reaped: %v, want ErrState", err)
	}
	if err := p.Signal(syscall.SIGTERM); !errors.Is(err, sdk.ErrState) {
		t.Errorf("signal to what was reaped: %v, want ErrState", err)
	}
}

// A process that creates a container and then becomes it by exec is still the recorded one, and has
// let go of the lock.
func TestRecordOutlivesExec(t *testing.T) {
	p := place(t)
	r := open(t, p)
	cmd := child(t, "become", "BERTH_TEST_SYSTEM="+p.System)
	must(t, cmd.Start())
	defer cmd.Wait()
	defer cmd.Process.Kill()
	var comm []byte
	await.True(t, func() string { return fmt.Sprintf("the child is still %q", comm) }, func() bool {
		var err error
		comm, err = os.ReadFile(fmt.Sprintf("/proc/%d/comm", cmd.Process.Pid))
		must(t, err)
		return string(comm) == "sleep\n"
	})
	d, err := r.Find("x")
	must(t, err)
	defer d.Close()
	rec, err := d.Record()
	must(t, err)
	if alive, err := rec.Alive(); !alive || err != nil || rec.Pid != cmd.Process.Pid {
		t.Errorf("record %+v: alive %v, %v", rec, alive, err)
	}
	must(t, d.Lock(await.Context(t))) // the kernel lets go a moment after the exec
	if dead, err := d.Dead(); dead || err != nil {
		t.Errorf("dead %v, %v", dead, err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	if dead, err := d.Dead(); !dead || err != nil {
		t.Errorf("after its end: dead %v, %v", dead, err)
	}
}

func become() {
	r, err := Open(Place{System: os.Getenv("BERTH_TEST_SYSTEM"), UID: os.Geteuid()})
	check(err)
	rec, err := NewRecord(os.Getpid())
	check(err)
	rec.ID = "x"
	_, err = r.Create(rec)
	check(err)
	check(syscall.Exec("/bin/sleep", []string{"sleep", "60"}, nil))
}

// Whoever has the recorded pid now, it gets no signal.
func TestForgedRecords(t *testing.T) {
	cmd := blocked(t)
	good, err := NewRecord(cmd.Process.Pid)
	must(t, err)
	tests := []struct {
		name  string
		forge func(*Record)
		kind  error
	}{
		{"start time", func(r *Record) { r.StartTime-- }, sdk.ErrState},
		{"boot", func(r *Record) { r.BootID = "00000000-0000-0000-0000-000000000000" }, sdk.ErrState},
		{"pid namespace", func(r *Record) { r.PidNamespace++ }, sdk.ErrUnavailable},
		{"pid of another", func(r *Record) { r.Pid = os.Getpid() }, sdk.ErrState},
		{"pid 1", func(r *Record) { r.Pid = 1 }, sdk.ErrState},
		{"pid 0", func(r *Record) { r.Pid = 0 }, sdk.ErrState},
		{"negative pid", func(r *Record) { r.Pid = -1 }, sdk.ErrState},
		{"huge pid", func(r *Record) { r.Pid = 1 << 30 }, sdk.ErrState},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rec := good
			test.forge(&rec)
			p, err := rec.Process()
			if err == nil {
				p.Close()
			}
			if !errors.Is(err, test.kind) {
				t.Errorf("error %v, want %v", err, test.kind)
			}
			alive, err := rec.Alive()
			if unknown := err != nil; alive || unknown != (test.kind == sdk.ErrUnavailable) {
				t.Errorf("alive %v, %v", alive, err)
			}
		})
	}
}

func TestNoSignalToAnotherUsersProcess(t *testing.T) {
	rec, err := NewRecord(blocked(t).Process.Pid)
	must(t, err)
	rec.UID += 4242
	p, err := rec.Process()
	must(t, err)
	defer p.Close()
	if err := p.Signal(syscall.SIGKILL); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("error %v, want ErrInvalid", err)
	}
	if alive, err := rec.Alive(); !alive || err != nil {
		t.Errorf("alive %v, %v: it must never be swept", alive, err)
	}
}

// A container's program may have any uid of a user namespace that is the user's.
func TestSignalIntoOnesOwnNamespace(t *testing.T) {
	needRoot(t, "maps a subordinate uid")
	cmd := child(t, "block")
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
	cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: 100000, Size: 1}}
	cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: 100000, Size: 1}}
	cmd.SysProcAttr.Credential = &syscall.Credential{NoSetGroups: true}
	stdin, err := cmd.StdinPipe()
	must(t, err)
	if err := cmd.Start(); err != nil {
		t.Skipf("needs user namespaces: %v", err)
	}
	defer cmd.Wait()
	defer stdin.Close()
	rec, err := NewRecord(cmd.Process.Pid)
	must(t, err)
	p, err := rec.Process()
	must(t, err)
	defer p.Close()
	if uids, err := p.uids(); err != nil || uids[0] != 100000 {
		t.Fatalf("uids %v, %v", uids, err)
	}
	must(t, p.Signal(syscall.SIGKILL))
}

func TestPidReuse(t *testing.T) {
	needRoot(t, "makes a pid namespace")
	cmd := child(t, "reuse")
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID
	run(t, cmd)
}

// reusePids runs in a pid namespace of its own, with the /proc of another, and gives the recorded
// pid to strangers.
func reusePids() {
	const rounds = 100
	start := func() (*exec.Cmd, Record) {
		cmd := exec.Command("/bin/sleep", "600")
		check(cmd.Start())
		rec, err := NewRecord(cmd.Process.Pid)
		check(err)
		return cmd, rec
	}
	for reused := 0; reused < rounds; {
		first, rec := start()
		p, err := rec.Process()
		check(err)
		first.Process.Kill()
		first.Wait()
		check(os.WriteFile("/proc/sys/kernel/ns_last_pid", []byte(strconv.Itoa(rec.Pid-1)), 0))
		second, other := start()
		// Within one clock tick no node uses all its pids up; this test does.
		if other.Pid == rec.Pid && other.StartTime != rec.StartTime {
			reused++
			if err := p.Signal(syscall.SIGKILL); !errors.Is(err, sdk.ErrState) {
				check(fmt.Errorf("held process: %v, want ErrState", err))
			}
			if _, err := rec.Process(); !errors.Is(err, sdk.ErrState) {
				check(fmt.Errorf("recorded process: %v, want ErrState", err))
			}
			if alive, err := other.Alive(); !alive || err != nil {
				check(fmt.Errorf("the stranger: alive %v, %v", alive, err))
			}
		}
		p.Close()
		second.Process.Kill()
		second.Wait()
	}
}

// A record from outside says nothing about pids inside, nor is it taken for dead.
func TestOtherPidNamespace(t *testing.T) {
	needRoot(t, "makes a pid namespace")
	p := place(t)
	r := open(t, p)
	d := create(t, r, "x")
	must(t, d.WriteRecord(deadRecord(t, "x")))
	d.Close()
	cmd := child(t, "other namespace", "BERTH_TEST_SYSTEM="+p.System)
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID
	run(t, cmd)
	if removed, err := r.Sweep(Budget{10, 10_000}); removed != 1 || err != nil {
		t.Errorf("outside: removed %d, %v, want 1", removed, err)
	}
}

func lookFromOtherNamespace() {
	r, err := Open(Place{System: os.Getenv("BERTH_TEST_SYSTEM"), UID: os.Geteuid()})
	check(err)
	d, err := r.Find("x")
	check(err)
	if dead, err := d.Dead(); dead || !errors.Is(err, sdk.ErrUnavailable) {
		check(fmt.Errorf("dead %v, %v; want false and ErrUnavailable", dead, err))
	}
	if removed, _ := r.Sweep(Budget{10, 10_000}); removed != 0 {
		check(fmt.Errorf("removed %d", removed))
	}
}
