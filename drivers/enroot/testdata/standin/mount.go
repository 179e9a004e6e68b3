package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// flags are the mount options that enroot-mount knows; all others are the file system's own.
var flags = map[string]uintptr{
	"bind": unix.MS_BIND, "rbind": unix.MS_BIND | unix.MS_REC, "ro": unix.MS_RDONLY, "nosuid": unix.MS_NOSUID, "nodev": unix.MS_NODEV,
	"noexec": unix.MS_NOEXEC, "sync": unix.MS_SYNCHRONOUS, "dirsync": unix.MS_DIRSYNC, "noatime": unix.MS_NOATIME, "nodiratime": unix.MS_NODIRATIME,
	"relatime": unix.MS_RELATIME, "strictatime": unix.MS_STRICTATIME, "rw": 0, "suid": 0, "dev": 0, "exec": 0, "async": 0, "atime": 0,
	"diratime": 0, "norelatime": 0, "nostrictatime": 0, "private": 0, "rprivate": 0, "slave": 0, "rslave": 0,
	"x-create=file": 0, "x-create=dir": 0,
}

// mountTable makes the mounts of a file in the form of fstab(5) below rootfs.
func mountTable(rootfs, file string) error {
	text, _ := os.ReadFile(file)
	for _, line := range strings.Split(string(text), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 4 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if err := mountLine(rootfs, fields); err != nil {
			return fmt.Errorf("failed to mount: %s at %s: %w", fields[0], fields[1], err)
		}
	}
	return nil
}

func mountLine(rootfs string, fields []string) error {
	target, all := filepath.Join(rootfs, fields[1]), strings.Split(fields[3], ",")
	var flag uintptr
	var data []string
	for _, option := range all {
		if f, known := flags[option]; known {
			flag |= f
		} else {
			data = append(data, option)
		}
	}
	if err := place(target, all); err != nil {
		return err
	}
	if flag&unix.MS_BIND != 0 {
		return bindMount(fields[0], target, flag)
	}
	return unix.Mount(fields[0], target, fields[2], flag, strings.Join(data, ","))
}

// place makes what something is mounted on.
func place(target string, options []string) error {
	if slices.Contains(options, "x-create=dir") {
		return os.MkdirAll(target, 0o755)
	}
	if !slices.Contains(options, "x-create=file") {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if os.IsExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// bindMount binds source at target, with flags that the kernel takes in a second step.
func bindMount(source, target string, flag uintptr) error {
	if err := unix.Mount(source, target, "", unix.MS_BIND|flag&unix.MS_REC, ""); err != nil {
		return err
	}
	if flag&^(unix.MS_BIND|unix.MS_REC) == 0 {
		return nil
	}
	return remount(target, flag)
}

// remount keeps the flags that a user namespace cannot clear.
func remount(target string, flag uintptr) error {
	var st unix.Statfs_t
	if err := unix.Statfs(target, &st); err != nil {
		return err
	}
	for set, f := range map[int64]uintptr{
		unix.ST_NOSUID: unix.MS_NOSUID, unix.ST_NODEV: unix.MS_NODEV, unix.ST_NOEXEC: unix.MS_NOEXEC, unix.ST_RDONLY: unix.MS_RDONLY,
		unix.ST_NOATIME: unix.MS_NOATIME, unix.ST_NODIRATIME: unix.MS_NODIRATIME, unix.ST_RELATIME: unix.MS_RELATIME,
	} {
		if st.Flags&set != 0 {
			flag |= f
		}
	}
	return unix.Mount("", target, "", unix.MS_REMOUNT|unix.MS_BIND|flag&^unix.MS_REC, "")
}
