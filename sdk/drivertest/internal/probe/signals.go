package probe

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk/drivertest/internal/pty"
)

// wait says "ready", then "got N" for each signal that it gets, and ends with status when stdin
// does: a kit that dies takes its containers along. On a terminal it also says the size, at the end too.
func wait(status int) int {
	caught := make(chan os.Signal, 256)
	signal.Notify(caught)
	if group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP); err == nil && group == unix.Getpgrp() {
		_ = pty.KeepOutput(0) // what it says of Ctrl-C; a terminal that takes no modes needs none
	}
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	fmt.Printf("ready%s\n", size())
	for {
		select {
		case s := <-caught:
			fmt.Printf("got %d%s\n", s.(syscall.Signal), size())
		case <-ended:
			return drain(caught, status)
		}
	}
}

// drain says which signals had come when stdin ended.
func drain(caught chan os.Signal, status int) int {
	for {
		select {
		case s := <-caught:
			fmt.Printf("got %d\n", s.(syscall.Signal))
		default:
			if at := size(); at != "" {
				fmt.Printf("end%s\n", at)
			}
			return status
		}
	}
}

// size is the terminal's, as " ROWSxCOLS", or nothing.
func size() string {
	ws, err := unix.IoctlGetWinsize(1, unix.TIOCGWINSZ)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" %dx%d", ws.Row, ws.Col)
}

// die ends the process by the default action of a signal.
func die(n int) int {
	sig := syscall.Signal(n)
	signal.Reset(sig)
	if err := syscall.Kill(os.Getpid(), sig); err != nil {
		return fail(122, "sending %v to itself: %v", sig, err)
	}
	time.Sleep(time.Hour) // Go's handler takes a moment; only the kit, which knows how to wait, can tell that it is in vain
	return fail(122, "signal %v did not end it", sig)
}

// family starts n children that wait as this process itself does, and waits.
func family(n int) int {
	self, err := os.Executable()
	if err != nil {
		return fail(123, "finding itself: %v", err)
	}
	for range n {
		child := exec.Command(self, "wait", "0")
		child.Args[0] = Name
		child.Stdin, child.Stdout, child.Stderr = os.Stdin, os.Stdout, os.Stderr
		if err := child.Start(); err != nil {
			return fail(123, "starting a child: %v", err)
		}
	}
	return wait(0)
}

// profiled says "ready" and is ended by SIGPROF. Package signal cannot have that: Go's runtime
// keeps the signal for its profiler, so the default action is put back behind its back.
func profiled() int {
	var defaultAction struct {
		handler, flags, restorer uintptr
		mask                     uint64
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(unix.SIGPROF), uintptr(unsafe.Pointer(&defaultAction)), 0, 8, 0, 0)
	if errno != 0 {
		return fail(122, "resetting SIGPROF: %v", errno)
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}
