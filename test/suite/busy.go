package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
)

// busyLoops are processes that compute for ever at the usual priority. They end with this process.
type busyLoops []*exec.Cmd

// add starts one more. It must be called from the goroutine that main started on: a process ends with the
// thread that started it, prctl(2), PR_SET_PDEATHSIG.
func (b *busyLoops) add() error {
	runtime.LockOSThread()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "spin")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	*b = append(*b, cmd)
	return nil
}

func (b *busyLoops) end() {
	for _, cmd := range *b {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// spin computes for ever, on one core.
func spin() {
	runtime.GOMAXPROCS(1)
	for n := 0; ; n++ {
		_ = n
	}
}

// runBetween runs a command with this process's own streams and returns its status, 128+n for a death by
// signal n. With ctx it is told to end.
func runBetween(ctx context.Context, argv []string) (status int, err error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	err = cmd.Run()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		if ws := exit.Sys().(syscall.WaitStatus); ws.Signaled() {
			return 128 + int(ws.Signal()), nil
		}
		return exit.ExitCode(), nil
	}
	return 0, err
}

// exitStatus is the status of a command that was run for the caller.
type exitStatus int

func (e exitStatus) Error() string { return "the command ended with status " + strconv.Itoa(int(e)) }
