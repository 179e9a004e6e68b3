package ociruntime

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// process is what /proc tells of a process: see proc_pid_stat(5) and namespaces(7).
type process struct {
	pid, parent int
	start       string // start time in clock ticks since boot: with the pid, it names the process
	dead        bool   // ended but not yet reaped
	mounts      string // its mount namespace; empty where we may not look
	pids        string // its pid namespace; likewise
}

// processAt reads one process; ok is false where there is none.
func processAt(pid int) (p process, ok bool) {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return process{}, false
	}
	// The second field is the program's name in parentheses, which may hold anything.
	text := string(stat)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 20 {
		return process{}, false
	}
	p = process{pid: pid, start: fields[19], dead: strings.Contains("ZXx", fields[0])}
	p.parent, _ = strconv.Atoi(fields[1])
	p.mounts, _ = os.Readlink(dir + "/ns/mnt")
	p.pids, _ = os.Readlink(dir + "/ns/pid")
	return p, true
}

// Dead says whether the process has ended, reaped or not.
func Dead(pid int) bool {
	p, ok := processAt(pid)
	return !ok || p.dead
}

// processes returns every living process that /proc shows.
func processes() ([]process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	var all []process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if p, ok := processAt(pid); ok && !p.dead {
			all = append(all, p)
		}
	}
	return all, nil
}

// members returns the processes of the container whose first process is first: those that share
// its mount namespace, which every container has for itself, or the pid namespace that it is
// process 1 of, and all their descendants.
func members(first process, all []process, own process) []process {
	mounts, pids := first.mounts, ""
	if mounts == own.mounts {
		mounts = ""
	}
	if first.pids != own.pids && innermostPid(first.pid) == 1 {
		pids = first.pids
	}
	in := map[int]bool{first.pid: true}
	for _, p := range all {
		if mounts != "" && p.mounts == mounts || pids != "" && p.pids == pids {
			in[p.pid] = true
		}
	}
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if in[p.parent] && !in[p.pid] {
				in[p.pid], grown = true, true
			}
		}
	}
	var list []process
	for _, p := range all {
		if in[p.pid] {
			list = append(list, p)
		}
	}
	return list
}

// innermostPid is the process's pid in its own pid namespace, 0 where unknown.
func innermostPid(pid int) int {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "\nNSpid:")
	line, _, _ := strings.Cut(rest, "\n")
	fields := strings.Fields(line)
	if len(fields) == 0 {
		return 0
	}
	inner, _ := strconv.Atoi(fields[len(fields)-1])
	return inner
}
