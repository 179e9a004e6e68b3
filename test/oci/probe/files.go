package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// mounts are the lines of mountinfo without what the kernel numbers: proc_pid_mountinfo(5).
func mounts() []string {
	var all []string
	for _, line := range lines("/proc/self/mountinfo") {
		before, after, ok := strings.Cut(line, " - ")
		fields := strings.Fields(before)
		if !ok || len(fields) < 6 {
			continue
		}
		kept := fields[3:6]
		for _, optional := range fields[6:] {
			kind, _, _ := strings.Cut(optional, ":")
			kept = append(kept, kind)
		}
		all = append(all, strings.Join(kept, " ")+" - "+after)
	}
	return all
}

// devices are the entries below /dev.
func devices() []string {
	var all []string
	_ = filepath.WalkDir("/dev", func(path string, d os.DirEntry, err error) error {
		if err == nil && path != "/dev" && !strings.HasPrefix(path, "/dev/pts/") {
			all = append(all, describe(path))
		}
		return nil
	})
	return all
}

// directory are the entries of a directory.
func directory(path string) []string {
	entries, err := os.ReadDir(path)
	if err != nil {
		return []string{unwrapped(err)}
	}
	var all []string
	for _, e := range entries {
		all = append(all, describe(filepath.Join(path, e.Name())))
	}
	return all
}

func describe(path string) string {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return path + " " + err.Error()
	}
	of := fmt.Sprintf("%s %07o %d:%d", path, st.Mode, st.Uid, st.Gid)
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFLNK:
		target, _ := os.Readlink(path)
		return of + " -> " + target
	case unix.S_IFCHR, unix.S_IFBLK:
		return fmt.Sprintf("%s %d,%d", of, unix.Major(st.Rdev), unix.Minor(st.Rdev))
	}
	return of
}

// descriptors are those that the process was started with, each with access mode and status flags.
func descriptors() []string {
	var all []string
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil || strings.HasPrefix(target, "anon_inode:[event") || strings.HasSuffix(target, "/fd") && strings.HasPrefix(target, "/proc/") {
			continue // of the Go runtime, and of this loop
		}
		all = append(all, fmt.Sprintf("%s %s %s", e.Name(), target, strings.Join(flags(e.Name()), " ")))
	}
	sort.Strings(all)
	return all
}

func flags(fd string) []string {
	for _, line := range lines("/proc/self/fdinfo/" + fd) {
		if strings.HasPrefix(line, "flags:") {
			return strings.Fields(line)[1:]
		}
	}
	return nil
}

func unwrapped(err error) string {
	var errno unix.Errno
	if errors.As(err, &errno) {
		return errno.Error()
	}
	return err.Error()
}
