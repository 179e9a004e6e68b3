package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// theProgram stands among the tests of a part for the part itself, where it fails without a failed test:
// it crashed, or it found something left when all tests had ended.
const theProgram = "(the program)"

// spare is how long after its limit, at which a test program ends itself, a part is ended.
const spare = time.Minute

// do runs a part until its end, or until ctx is cancelled, and measures it. Beyond limit it hangs. What it prints
// goes to the file log; failures are told as they come. An error means that the part could not be run.
func (p part) do(ctx context.Context, limit time.Duration, log string, failed func(failure)) (*result, error) {
	file, err := os.OpenFile(log, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	before, err := below()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	r := &result{part: p, outcomes: map[string]string{}, skipped: map[string]string{}, tests: map[string]time.Duration{}}
	limited, cancel := context.WithTimeoutCause(ctx, limit+spare, fmt.Errorf("still running, or its output held open, after %v", limit))
	defer cancel()
	err = p.run(limited, &follower{r, file, failed, map[string][]string{}})
	r.took = time.Since(began)
	after, costErr := below()
	if err := errors.Join(err, costErr); err != nil {
		return nil, fmt.Errorf("%s: %w", p.name, err)
	}
	r.cost = after - before
	return r, nil
}

// run starts the command in a process group of its own, all of which ends with ctx.
func (p part) run(ctx context.Context, f *follower) error {
	cmd := exec.CommandContext(ctx, p.command[0], p.command[1:]...)
	cmd.Dir, cmd.Env = p.dir, p.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		if cmd.Process == nil {
			return nil
		}
		return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer read.Close()
	cmd.Stdout, cmd.Stderr = write, write
	err = cmd.Start()
	write.Close()
	if err != nil && ctx.Err() == nil {
		return err
	}
	if p.filter != "" {
		if read, err = filtered(p.filter, read); err != nil {
			return err
		}
		defer read.Close()
	}
	// What the program leaves behind may hold its output for ever.
	defer context.AfterFunc(ctx, func() {
		_ = cmd.Cancel()
		_ = read.SetReadDeadline(time.Now())
	})()
	err = f.follow(read)
	ended := cmd.Wait()
	switch {
	case errors.Is(context.Cause(ctx), context.Canceled):
		return context.Canceled
	case ctx.Err() != nil:
		f.failPart(context.Cause(ctx))
	case err != nil:
		return err
	case ended != nil && !errors.As(ended, new(*exec.ExitError)):
		return ended
	case ended != nil && f.count("fail") == 0 || p.kind == check && len(f.said[""]) > 0:
		f.failPart(ended)
	case p.kind != tests:
		f.outcomes[theProgram] = "pass"
	}
	return nil
}

// filtered starts a program that reads from in, and returns what it prints. It ends when in does. (test2json would
// run the tests itself, too, but it makes them ignore SIGINT.)
func filtered(program string, in *os.File) (*os.File, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer write.Close()
	cmd := exec.Command(program)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, write, os.Stderr
	if err := cmd.Start(); err != nil {
		read.Close()
		return nil, err
	}
	go func() { _ = cmd.Wait() }() // its output's end is its own
	return read, nil
}

// failPart fails the part itself.
func (f *follower) failPart(why error) {
	f.outcomes[theProgram] = "fail"
	tail := f.said[""]
	if why != nil {
		tail = append(tail, why.Error()+"\n")
	}
	f.failed(failure{"", tail})
}

// count is how many tests of the part had this outcome.
func (r *result) count(outcome string) (n int) {
	for _, o := range r.outcomes {
		if o == outcome {
			n++
		}
	}
	return n
}

// log is the part's log file in dir.
func (p part) log(dir string) string {
	return filepath.Join(dir, strings.NewReplacer(" as ", ".", "/", "-", " ", "-").Replace(p.name)+".log")
}
