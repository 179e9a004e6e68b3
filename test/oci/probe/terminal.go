package main

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// terminal describes standard input where it is one: tty_ioctl(4).
func terminal() map[string]any {
	size, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ)
	if err != nil {
		return nil
	}
	name, _ := os.Readlink("/proc/self/fd/0")
	settings, err := unix.IoctlGetTermios(0, unix.TCGETS)
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	group, err := unix.IoctlGetInt(0, unix.TIOCGPGRP)
	return map[string]any{
		"name":        name,
		"size":        fmt.Sprint(size.Row, size.Col),
		"modes":       fmt.Sprintf("%o %o %o %o", settings.Iflag, settings.Oflag, settings.Cflag, settings.Lflag),
		"controlling": err == nil && group == unix.Getpgrp(),
		"owner":       describe("/dev/pts/0"),
		"console":     describe("/dev/console"),
	}
}

// scheduling is the policy of sched(7), nice value and I/O priority of ioprio_set(2).
func scheduling() map[string]any {
	var attr unix.SchedAttr
	if got, err := unix.SchedGetAttr(0, 0); err == nil {
		attr = *got
	}
	const self = 1 // IOPRIO_WHO_PROCESS
	io, _, _ := unix.Syscall(unix.SYS_IOPRIO_GET, self, 0, 0)
	var memory int
	_, _, _ = unix.Syscall6(unix.SYS_GET_MEMPOLICY, uintptr(unsafe.Pointer(&memory)), 0, 0, 0, 0, 0)
	return map[string]any{
		"policy": fmt.Sprint(attr.Policy, attr.Nice, attr.Priority), "ioPriority": io >> 13, "ioLevel": io & 0x1fff, "memory": memory,
	}
}
