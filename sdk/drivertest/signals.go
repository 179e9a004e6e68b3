package drivertest

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

func signalCases() []Case {
	return []Case{
		{"signals/forwarded",
			"Every signal that can be caught, sent to the task's process, reaches the program once, as itself, and ends neither; those that nobody acts on by default may be lost.",
			"Nomad turns unknown signals into SIGINT; a shell between Slurm and the runtime dies of SIGUSR1 and leaves the container running.",
			(*trial).signalsForwarded},
		{"signals/fatal",
			"SIGKILL, sent to the task's process, ends the task with 137; a driver without its own state leaves nothing, the others nothing after delete.",
			"SIGKILL of a foreground runc leaves its container running for ever.",
			(*trial).signalsFatal},
		{"signals/lifecycle",
			"Every signal that can be caught reaches the program once through the driver's Kill, real-time signals too.",
			"A table of signal names that lacks some, or numbers of another architecture.",
			(*trial).signalsLifecycle},
		{"signals/profiling",
			"SIGPROF through the driver's Kill reaches the program too.",
			"A runtime in Go swallows the SIGPROF that it is to pass on.",
			(*trial).signalsProfiling},
		{"signals/kill",
			"SIGKILL through the driver's Kill ends the task with 137.",
			"crun 1.8 calls a container running whose first process was killed and not yet reaped.",
			(*trial).signalsKill},
		{"signals/all",
			"Kill of all reaches every process of the container, not only the first.",
			"Rootless runc kill --all finds no control group and kills nothing; crun says success and kills nothing.",
			(*trial).signalsAll},
		{"signals/unknown",
			"A signal that does not exist is refused as invalid.",
			"crun 1.8 answers kill ID BOGUS with success.",
			(*trial).signalsUnknown},
	}
}

// catchable are the signals that a program can catch, and some real-time ones: the C library keeps
// the first few of those for itself (nptl(7)), and Go's runtime SIGPROF, which the probe therefore
// cannot count; signals/profiling looks at that one.
func catchable() []syscall.Signal {
	var all []syscall.Signal
	for n := syscall.Signal(1); n <= 31; n++ {
		if n != syscall.SIGKILL && n != syscall.SIGSTOP && n != syscall.SIGPROF {
			all = append(all, n)
		}
	}
	return append(all, 35, 40, 64)
}

// mayBeLost are signals whose default is to do nothing. A runtime may take them for its own: its
// own children's end, its own terminal, Go's preemption.
func mayBeLost() []syscall.Signal {
	return []syscall.Signal{syscall.SIGCHLD, syscall.SIGURG, syscall.SIGWINCH}
}

func (t *trial) signalsForwarded() {
	if reason, lacks := t.cfg.Lacks[Signals]; lacks {
		t.signalsLacking(reason)
	}
	c := t.container([]string{"wait", "33"})
	task := c.waiting()
	send := func(sig syscall.Signal) error { return task.cmd.Process.Signal(sig) }
	optional := mayBeLost()
	if a, err := task.plan(); err == nil && a.Creates {
		optional = append(optional, syscall.SIGPIPE, syscall.SIGTTIN, syscall.SIGTTOU) // which the host keeps
	}
	t.sendEach(task, send, optional)
	task.stdin.Close()
	if status := task.wait(); status != 33 {
		t.Errorf("status %d instead of the program's own 33: %s", status, task.describe())
	}
}

// sendEach sends every signal, waits for the program to say that it got it, and counts.
func (t *trial) sendEach(task *task, send func(syscall.Signal) error, optional []syscall.Signal) {
	sorted := slices.Clone(optional)
	for _, sig := range catchable() {
		if !slices.Contains(optional, sig) {
			sorted = append(sorted, sig) // after the optional ones, so that those have had their time
		}
	}
	conts := 0 // of ours besides
	for _, sig := range sorted {
		if task.hasEnded() {
			t.Fatalf("the task has ended: %s", task.describe())
		}
		if err := send(sig); err != nil {
			t.Errorf("sending signal %d: %v", sig, err)
			continue
		}
		reached := func() bool {
			got := task.got(sig) > 0 || task.hasEnded()
			if task.resume(sig, got) {
				conts++
			}
			return got
		}
		if !slices.Contains(optional, sig) && !t.until(reached) {
			t.Fatalf("signal %d (%s) did not reach the program", sig, unix.SignalName(sig))
		}
	}
	for _, sig := range sorted {
		switch n := task.got(sig); {
		case n > 1 && sig == syscall.SIGURG:
			t.Notef("SIGURG reaches the program %d times: the runtime, a Go program, passes on what it sends itself", n)
		case sig == syscall.SIGCONT && n > 1 && n <= 1+conts:
			t.Notef("at SIGTSTP the runtime stops itself too, as a shell's job does")
		case n > 1:
			t.Errorf("signal %d (%s) reached the program %d times", sig, unix.SignalName(sig), n)
		case n == 0 && slices.Contains(optional, sig):
			t.Notef("%s is not passed on", unix.SignalName(sig))
		}
	}
}

// resume lets the task's process go on where sig has stopped it, and says whether it had. SIGCONT would
// take back a SIGTSTP under way (signal(7)), so the program has got that first, or does not get it.
func (t *task) resume(sig syscall.Signal, got bool) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", t.cmd.Process.Pid))
	_, after, _ := strings.Cut(string(text), ") ") // proc(5): the state follows the name
	return err == nil && strings.HasPrefix(after, "T") && (got || !t.c.awaits(sig)) && t.cmd.Process.Signal(syscall.SIGCONT) == nil
}

// awaits says whether a signal has been sent to any of the container's processes that has not got it yet.
func (c *container) awaits(sig syscall.Signal) bool {
	for _, pid := range c.programs() {
		status := statusFields(fmt.Sprint(pid))
		for _, field := range []string{"SigPnd", "ShdPnd"} {
			pending, err := strconv.ParseUint(status[field], 16, 64)
			if err == nil && pending&(1<<(sig-1)) != 0 {
				return true
			}
		}
	}
	return false
}

// got counts how often the program has said that it got a signal. A terminal may have put its echo
// before that, on the same line.
func (t *task) got(sig syscall.Signal) int {
	n := 0
	for line := range strings.Lines(t.out.String()) {
		_, number, _ := strings.Cut(strings.TrimSpace(line), "got ")
		number, _, _ = strings.Cut(number, " ")
		if number == fmt.Sprint(int(sig)) {
			n++
		}
	}
	return n
}

// signalsLacking checks what has to hold where signals do not reach the program: they must not be
// turned into something else, and one that ends the runtime must end the container.
func (t *trial) signalsLacking(reason string) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGUSR1} {
		c := t.container([]string{"wait", "33"})
		task := c.waiting()
		t.must(task.cmd.Process.Signal(sig))
		if !t.until(func() bool { return task.hasEnded() || task.got(sig) > 0 }) {
			t.Fatalf("signal %d to the task's process is lost: it ends nothing and reaches nobody", sig)
		}
		if !task.hasEnded() {
			t.Fatalf("signal %d does reach the program: remove %q from the configured lacks", sig, Signals)
		}
		if got := task.status(); got != 128+int(sig) {
			t.Errorf("status %d instead of %d after signal %d: %s", got, 128+int(sig), sig, task.describe())
		}
		if !t.until(func() bool { return len(c.programs()) == 0 }) {
			t.Errorf("the program outlives the task's process, which signal %d has ended", sig)
		}
	}
	t.Lacks("%s (checked: a signal that ends the task's process ends the container)", reason)
}

func (t *trial) signalsFatal() {
	c := t.container([]string{"wait", "0"})
	task := c.waiting()
	t.must(task.cmd.Process.Signal(syscall.SIGKILL))
	<-task.ended
	if got := task.status(); got != 137 {
		t.Errorf("status %d instead of 137: %s", got, task.describe())
	}
	if t.can("lifecycle") {
		t.must(c.delete(true))
	}
	t.must(os.RemoveAll(c.scratch())) // of a task that supervised, which may have been asking the driver
	if !t.until(func() bool { return len(c.programs()) == 0 }) {
		t.Errorf("the program outlives the task")
	}
}

func (t *trial) signalsLifecycle() {
	t.needs("lifecycle")
	c := t.container([]string{"wait", "33"})
	task := c.waiting()
	t.together(func() {
		t.sendEach(task, func(sig syscall.Signal) error { return c.kill(sig, false) }, nil)
	})
	task.stdin.Close()
	if status := task.wait(); status != 33 {
		t.Errorf("status %d instead of the program's own 33: %s", status, task.describe())
	}
}

func (t *trial) signalsProfiling() {
	t.needs("lifecycle")
	c := t.container([]string{"profiled"}, withoutPidNamespace)
	task := c.waiting()
	t.must(c.kill(syscall.SIGPROF, false))
	if got := task.wait(); got != 128+int(syscall.SIGPROF) {
		t.Errorf("status %d instead of %d: %s", got, 128+int(syscall.SIGPROF), task.describe())
	}
}

func (t *trial) signalsKill() {
	t.needs("lifecycle")
	c := t.container([]string{"wait", "0"})
	task := c.waiting()
	t.must(c.kill(syscall.SIGKILL, false))
	if got := task.wait(); got != 137 {
		t.Errorf("status %d instead of 137: %s", got, task.describe())
	}
}

func (t *trial) signalsAll() {
	t.needs("lifecycle")
	const children = 3
	c := t.container([]string{"family", fmt.Sprint(children)})
	task := c.waiting()
	if !t.eventually("every process of the container is ready", func() bool {
		return strings.Count(task.out.String(), "ready") == children+1
	}) {
		return
	}
	if err := c.kill(syscall.SIGUSR1, true); errors.Is(err, sdk.ErrUnsupported) {
		t.Lacks("%v", err)
	} else if err != nil {
		t.Fatalf("kill of all: %v", err)
	}
	t.eventually("every process of the container has got the signal", func() bool {
		return task.got(syscall.SIGUSR1) == children+1
	})
}

func (t *trial) signalsUnknown() {
	t.needs("lifecycle")
	c := t.container([]string{"wait", "0"})
	c.waiting()
	t.together(func() {
		for _, sig := range []syscall.Signal{-1, 65, 1000} {
			if err := c.kill(sig, false); !errors.Is(err, sdk.ErrInvalid) {
				t.Errorf("signal %d: %s instead of %q: %v", sig, kindName(err), sdk.ErrInvalid, err)
			}
		}
	})
}
