package cli

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/host/cmdline"
	"github.com/berth-hpc/berth/sdk"
)

// maxTasks bounds one launch; a machine that takes more wants a cluster's scheduler.
const maxTasks = 4096

// launch starts berth run several times at once, each with its number in the environment, and
// returns the first status that is not 0. It is a launcher and nothing else: every task is a
// "berth run" of its own.
func (c *call) launch(o options, args []string) error {
	if o.tasks < 1 || o.tasks > maxTasks {
		return sdk.Mark(fmt.Errorf("--tasks %d is not between 1 and %d", o.tasks, maxTasks), sdk.ErrInvalid)
	}
	if o.dryRun || o.tty || o.files > 0 || o.pidFile != "" {
		return sdk.Mark(fmt.Errorf("--tasks does not go together with --dry-run, --tty, --preserve-fds or --pid-file"), sdk.ErrInvalid)
	}
	if o.id == "" {
		o.id = newID()
	}
	l := launcher{options: o, args: args}
	stop := l.forwardSignals()
	defer stop()
	for i := range o.tasks {
		if err := l.start(i); err != nil {
			l.signal(syscall.SIGTERM)
			l.tasks.Wait()
			return fmt.Errorf("starting task %d: %w", i, err)
		}
	}
	l.tasks.Wait()
	if err := c.releaseLaunch(o.id); err != nil {
		cmdline.Report("berth", err) // the status is the tasks'
	}
	if l.first != 0 {
		return exitStatus(l.first)
	}
	return nil
}

// releaseLaunch undoes what a driver may have prepared for all tasks.
func (c *call) releaseLaunch(id string) error {
	h, err := c.host(0)
	if err != nil {
		return err
	}
	return h.ReleaseLaunch(id)
}

type launcher struct {
	options options
	args    []string

	tasks  sync.WaitGroup
	output sync.Mutex // one labelled line at a time

	mu      sync.Mutex
	running []*exec.Cmd
	first   int // the first status that is not 0
}

func (l *launcher) start(task int) error {
	cmd := exec.Command("/proc/self/exe", l.taskArgs(task)...)
	cmd.Args[0] = os.Args[0]
	// Only one task can read the input; the others find its end.
	if task == 0 {
		cmd.Stdin = os.Stdin
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	var copied sync.WaitGroup
	var theirs []*os.File
	if l.options.label {
		for _, to := range []struct {
			stream *io.Writer
			file   *os.File
		}{{&cmd.Stdout, os.Stdout}, {&cmd.Stderr, os.Stderr}} {
			r, w, err := os.Pipe()
			if err != nil {
				return err
			}
			*to.stream = w
			theirs = append(theirs, w)
			copied.Add(1)
			go l.copyLabelled(&copied, r, to.file, task)
		}
	}
	err := cmd.Start()
	for _, w := range theirs {
		w.Close()
	}
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.running = append(l.running, cmd)
	l.mu.Unlock()
	l.tasks.Add(1)
	go l.await(cmd, &copied)
	return nil
}

// taskArgs is the command line of one task.
func (l *launcher) taskArgs(task int) []string {
	o := l.options
	args := []string{"run", "--id", fmt.Sprintf("%s-%d", o.id, task), "--launch", o.id}
	option := func(name, value string) {
		if value != "" {
			args = append(args, name, value)
		}
	}
	option("--driver", o.driver)
	option("--workdir", o.workdir)
	option("--runtime-log", o.runtimeLog)
	option("--runtime-log-format", o.runtimeFormat)
	for _, m := range o.mounts {
		option("--mount", m)
	}
	for _, d := range o.devices {
		option("--device", d)
	}
	for _, e := range o.env {
		option("--env", e)
	}
	if o.init {
		args = append(args, "--init")
	}
	if o.terminal != nil { // a terminal is refused above
		args = append(args, "--tty=false")
	}
	n := strconv.Itoa(task)
	option("--env", "BERTH_PROCID="+n)
	option("--env", "BERTH_LOCALID="+n)
	option("--env", "BERTH_NTASKS="+strconv.Itoa(o.tasks))
	args = append(args, l.args[0])
	if len(l.args) > 1 {
		args = append(append(args, "--"), l.args[1:]...)
	}
	return args
}

func (l *launcher) await(cmd *exec.Cmd, copied *sync.WaitGroup) {
	defer l.tasks.Done()
	copied.Wait()
	_ = cmd.Wait() // the state tells more than the error
	status := cmd.ProcessState.ExitCode()
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		status = 128 + int(ws.Signal())
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.first == 0 {
		l.first = status
	}
}

// copyLabelled puts the task's number in front of each line, whole lines at a time.
func (l *launcher) copyLabelled(done *sync.WaitGroup, from *os.File, to io.Writer, task int) {
	defer done.Done()
	defer from.Close()
	r := bufio.NewReaderSize(from, 64<<10)
	for {
		line, err := r.ReadSlice('\n')
		if len(line) > 0 {
			l.output.Lock()
			fmt.Fprintf(to, "%d: %s", task, line)
			if line[len(line)-1] != '\n' {
				fmt.Fprintln(to)
			}
			l.output.Unlock()
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

func (l *launcher) signal(sig os.Signal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, cmd := range l.running {
		_ = cmd.Process.Signal(sig) // one that has ended needs none
	}
}

// forwardSignals passes on what the launcher alone is sent. What a terminal sends goes to the tasks
// by itself: they are in the launcher's process group.
func (l *launcher) forwardSignals() (stop func()) {
	incoming := make(chan os.Signal, 16)
	signal.Notify(incoming, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2)
	foreground := inForeground()
	go func() {
		for sig := range incoming {
			if foreground && (sig == syscall.SIGINT || sig == syscall.SIGQUIT) {
				continue
			}
			l.signal(sig)
		}
	}()
	return func() {
		signal.Stop(incoming)
		close(incoming)
	}
}

// inForeground says whether a terminal sends its signals to our process group.
func inForeground() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}
