package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berth-hpc/berth/sdk"
)

// The choices of settings.Staging.
const (
	stageNone   = "none"
	stageShared = "shared"
	stageSbcast = "sbcast"
)

type settings struct {
	Bin           string            `json:"bin" doc:"directory of Slurm's commands: srun, scancel, squeue, scontrol, and for sbcast salloc and sbcast"`
	Conf          string            `json:"conf" doc:"absolute path of slurm.conf; empty: where Slurm looks by itself"`
	Staging       string            `json:"staging" doc:"how the root file system gets to the compute nodes: \"none\", they see it at the same path; \"shared\", it is copied into shared_dir; \"sbcast\", it is sent to them as a SquashFS image"`
	SharedDir     string            `json:"shared_dir" doc:"directory that submit and compute nodes see at the same path, in which every user can make one; \"~/\" is the user's home"`
	SharedPaths   []string          `json:"shared_paths" doc:"directories that compute nodes see at the same path: what is mounted from below them is mounted from there on the compute node too"`
	NodeDir       string            `json:"node_dir" doc:"for sbcast: directory of the compute nodes in which every user can make one, and of this node"`
	Mksquashfs    string            `json:"mksquashfs" doc:"for sbcast: absolute path of mksquashfs"`
	ComputeDriver string            `json:"compute_driver" doc:"driver that berth on the compute node is to use; empty: its own choice"`
	ComputeBerth  string            `json:"compute_berth" doc:"absolute path of berth on the compute nodes, for exec"`
	Options       map[string]string `json:"options" doc:"options for every job by their long names, such as partition = \"debug\"; a container's own come first"`
	AllowRoot     bool              `json:"allow_root" doc:"let root run containers as jobs of root"`
}

// Settings implements sdk.Configurer.
func (d *driver) Settings() any {
	d.settings = &settings{
		Bin: "/usr/bin", Staging: stageNone, SharedDir: "~/.cache/berth", SharedPaths: []string{},
		ComputeBerth: installed("/usr/bin/berth", "/usr/local/bin/berth"), NodeDir: "/tmp", Mksquashfs: "/usr/bin/mksquashfs", Options: map[string]string{},
	}
	return d.settings
}

// installed returns the first of the places that exists, or the first.
func installed(places ...string) string {
	for _, place := range places {
		if _, err := os.Stat(place); err == nil {
			return place
		}
	}
	return places[0]
}

// Validate says which setting makes no sense.
func (s *settings) Validate() error {
	for _, one := range []struct {
		key, path string
		optional  bool
	}{{"bin", s.Bin, false}, {"conf", s.Conf, true}, {"shared_dir", strings.TrimPrefix(s.SharedDir, "~"), false},
		{"node_dir", s.NodeDir, false}, {"mksquashfs", s.Mksquashfs, false}, {"compute_berth", s.ComputeBerth, false}} {
		if !filepath.IsAbs(one.path) && (one.path != "" || !one.optional) {
			return &sdk.SettingError{Key: one.key, Err: fmt.Errorf("%q is not an absolute path", one.path)}
		}
	}
	for i, path := range s.SharedPaths {
		if !filepath.IsAbs(path) {
			return &sdk.SettingError{Key: fmt.Sprintf("shared_paths[%d]", i), Err: fmt.Errorf("%q is not an absolute path", path)}
		}
	}
	if !slices.Contains([]string{stageNone, stageShared, stageSbcast}, s.Staging) {
		return &sdk.SettingError{Key: "staging", Err: fmt.Errorf("%q is none of %q, %q and %q", s.Staging, stageNone, stageShared, stageSbcast)}
	}
	if s.ComputeDriver == "slurm" {
		return &sdk.SettingError{Key: "compute_driver", Err: errors.New("a job that becomes a job never runs")}
	}
	for _, name := range sorted(s.Options) {
		o := optionOf(name)
		if o == nil {
			return &sdk.SettingError{Key: "options." + name, Err: unknownOption(name)}
		}
		if _, err := o.argument(s.Options[name]); err != nil {
			return &sdk.SettingError{Key: "options." + name, Err: err}
		}
	}
	return nil
}
