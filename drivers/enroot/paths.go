package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/berth-hpc/berth/sdk"
)

// searchPath is where enroot finds what it calls besides its own programs.
const searchPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// paths are the directories that enroot would have in the user's home and below /run/user, where a
// job may have neither.
type paths struct {
	runtime, config, cache, data, temp string
	home                               string // of the user; empty: none
}

// environment is all of enroot's environment. Every directory that its configuration would derive
// from HOME and XDG_RUNTIME_DIR is named, and the site's own hooks and mounts, which would add to what
// config.json says, are left out: those that a site wants are a setting.
func (d *driver) environment(p paths) []string {
	home := p.home
	if home == "" {
		home = "/"
	}
	return []string{
		"PATH=" + filepath.Dir(d.settings.Runtime) + ":" + searchPath, "HOME=" + home,
		"ENROOT_RUNTIME_PATH=" + p.runtime, "ENROOT_CONFIG_PATH=" + p.config, "ENROOT_SYSCONF_PATH=/nonexistent",
		"ENROOT_CACHE_PATH=" + p.cache, "ENROOT_DATA_PATH=" + p.data, "ENROOT_TEMP_PATH=" + p.temp,
		"ENROOT_LOGIN_SHELL=no", "ENROOT_ROOTFS_WRITABLE=no", "ENROOT_REMAP_ROOT=no", "ENROOT_ALLOW_SUPERUSER=no",
		"ENROOT_UNSHARE_NET=no", "ENROOT_UNSHARE_PID=no", "ENROOT_UNSHARE_IPC=no", "ENROOT_UNSHARE_UTS=no", "ENROOT_FORCE_OVERRIDE=no",
	}
}

// dataDir is where images are unpacked for a step.
func (d *driver) dataDir(s *sdk.Step) (string, error) {
	if d.settings.Data == "" {
		return filepath.Join(s.Dir, "enroot"), nil
	}
	own, err := ownDir(d.settings.Data, "data")
	if err != nil {
		return "", err
	}
	return filepath.Join(own, s.Job+"."+s.Step+"."+s.Node), nil
}

// ownDir makes the user's own directory in one that all users share, and sees to it that it is theirs.
func ownDir(parent, setting string) (string, error) {
	dir := filepath.Join(parent, fmt.Sprintf("berth-%d", os.Geteuid()))
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return "", sdk.WithAdvice(
			fmt.Errorf("setting %s: %w", setting, sdk.Mark(err, sdk.ErrUnavailable)),
			fmt.Sprintf("install -d -m 1777 %s", parent))
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", fmt.Errorf("setting %s: %w", setting, sdk.Mark(err, sdk.ErrUnavailable))
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	if !info.IsDir() || int(owner) != os.Geteuid() || info.Mode().Perm()&0o077 != 0 {
		return "", sdk.Mark(fmt.Errorf("setting %s: %s is not a directory of the user's alone", setting, dir), sdk.ErrUnavailable)
	}
	return dir, nil
}

// scratch makes a directory of nobody else's, in which nothing is made.
func scratch() (dir string, clean func(), err error) {
	dir, err = os.MkdirTemp("", "berth-enroot-")
	if err != nil {
		return "", nil, fmt.Errorf("making a directory for enroot: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	return dir, func() { _ = os.Remove(dir) }, nil
}
