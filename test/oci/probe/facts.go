package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// facts are what this process sees, by name.
func facts() map[string]any {
	cwd, _ := os.Getwd()
	var names unix.Utsname
	_ = unix.Uname(&names)
	return map[string]any{
		"argv":        os.Args,
		"env":         os.Environ(),
		"cwd":         cwd,
		"ids":         ids(),
		"umask":       fmt.Sprintf("%04o", umask()),
		"status":      status(),
		"limits":      limits(),
		"hostname":    unix.ByteSliceToString(names.Nodename[:]),
		"domainname":  unix.ByteSliceToString(names.Domainname[:]),
		"namespaces":  namespaces(),
		"mounts":      mounts(),
		"devices":     devices(),
		"root":        directory("/"),
		"sysctls":     sysctls(),
		"cgroups":     lines("/proc/self/cgroup"),
		"descriptors": descriptors(),
		"terminal":    terminal(),
		"scheduling":  scheduling(),
		"process": map[string]string{
			"oom_score_adj": text("/proc/self/oom_score_adj"),
			"apparmor":      text("/proc/self/attr/current"),
			"personality":   text("/proc/self/personality"),
			"uid_map":       text("/proc/self/uid_map"),
			"gid_map":       text("/proc/self/gid_map"),
			"setgroups":     text("/proc/self/setgroups"),
			"timens":        text("/proc/self/timens_offsets"),
			"stat":          relations(),
		},
	}
}

func ids() map[string]any {
	ruid, euid, suid := unix.Getresuid()
	rgid, egid, sgid := unix.Getresgid()
	groups, _ := unix.Getgroups()
	return map[string]any{"uid": fmt.Sprint(ruid, euid, suid), "gid": fmt.Sprint(rgid, egid, sgid), "groups": fmt.Sprint(groups)}
}

func umask() int {
	mask := unix.Umask(0)
	unix.Umask(mask)
	return mask
}

// status are the lines of /proc/self/status that a runtime decides: proc(5).
func status() []string {
	var chosen []string
	for _, line := range lines("/proc/self/status") {
		name, _, _ := strings.Cut(line, ":")
		switch name {
		case "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters",
			"Cpus_allowed_list", "Mems_allowed_list":
			chosen = append(chosen, strings.Join(strings.Fields(line), " "))
		}
	}
	return chosen
}

// limits are all resource limits but that of open files, which the Go runtime changes.
func limits() map[string]string {
	of := map[string]string{}
	for n, name := range [...]string{"cpu", "fsize", "data", "stack", "core", "rss", "nproc", "", "memlock", "as", "locks",
		"sigpending", "msgqueue", "nice", "rtprio", "rttime"} {
		var limit unix.Rlimit
		if name != "" && unix.Getrlimit(n, &limit) == nil {
			of[name] = fmt.Sprint(limit.Cur, limit.Max)
		}
	}
	return of
}

func namespaces() map[string]string {
	of := map[string]string{}
	for _, name := range [...]string{"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"} {
		of[name], _ = os.Readlink("/proc/self/ns/" + name)
	}
	return of
}

// relations tell whether the process leads its session and its group: proc_pid_stat(5).
func relations() string {
	sid, _ := unix.Getsid(0)
	return fmt.Sprintf("pid %d parent %d leads session %v group %v", os.Getpid(), os.Getppid(), sid == os.Getpid(), unix.Getpgrp() == os.Getpid())
}

// sysctls are some that each namespace has for itself.
func sysctls() map[string]string {
	of := map[string]string{}
	for _, name := range [...]string{"kernel/msgmax", "kernel/sem", "kernel/shm_rmid_forced", "fs/mqueue/msg_max",
		"net/ipv4/ip_forward", "net/ipv4/ping_group_range", "net/ipv4/ip_unprivileged_port_start", "net/ipv4/ip_local_port_range"} {
		of[name] = text(filepath.Join("/proc/sys", name))
	}
	return of
}

func text(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return unwrapped(err)
	}
	return strings.Join(strings.Fields(strings.TrimRight(string(content), "\x00")), " ")
}

func lines(path string) []string {
	content, err := os.ReadFile(path)
	if err != nil {
		return []string{unwrapped(err)}
	}
	return strings.Split(strings.TrimSpace(string(content)), "\n")
}
