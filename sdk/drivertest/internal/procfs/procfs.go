// Package procfs reads the node's processes from /proc (proc_pid_stat(5)).
package procfs

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Process is a process as it was when it was read.
type Process struct {
	Pid, Parent int
	Dead        bool     // ended, and perhaps not reaped
	Args        []string // never empty; as the process itself has left them
}

// List reads every process.
func List() []Process {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	var all []Process
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		if p, ok := Read(pid); ok {
			all = append(all, p)
		}
	}
	return all
}

// Read reads one process; ok is false where there is none.
func Read(pid int) (p Process, ok bool) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Process{}, false
	}
	// The name stands in parentheses and may hold anything, parentheses too.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 2 {
		return Process{}, false
	}
	p = Process{Pid: pid, Dead: strings.Contains("ZXx", fields[0])}
	p.Parent, _ = strconv.Atoi(fields[1])
	cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	p.Args = strings.Split(strings.TrimSuffix(string(cmdline), "\x00"), "\x00")
	return p, true
}
