package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berth-hpc/berth/drivers/internal/ociruntime"
	"github.com/berth-hpc/berth/sdk"
)

// The choices of settings.Devices.
const (
	ofJob = "job"
	none  = "none"
)

type settings struct {
	Runtime  string `json:"runtime" doc:"absolute path of nvidia-container-runtime"`
	LowLevel string `json:"low_level" doc:"absolute path of the runtime that runs the containers, crun or runc"`
	Config   string `json:"config" doc:"the configuration file of nvidia-container-runtime, which counts but for what this driver sets; it may be missing"`
	Mode     string `json:"mode" doc:"how devices are given: \"auto\", \"legacy\", \"cdi\" or \"csv\", as in that file; empty: as there"`
	Devices  string `json:"devices" doc:"what the container of a job gets that does not say: the GPUs of the \"job\", or \"none\""`
}

func defaults() *settings {
	return &settings{
		Runtime:  installed("/usr/bin/nvidia-container-runtime", "/usr/local/bin/nvidia-container-runtime", "/usr/local/nvidia/toolkit/nvidia-container-runtime"),
		LowLevel: installed("/usr/bin/runc", "/usr/sbin/runc", "/usr/local/bin/runc", "/usr/local/sbin/runc", "/usr/bin/crun", "/usr/local/bin/crun"),
		Config:   "/etc/nvidia-container-runtime/config.toml",
		Devices:  ofJob,
	}
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
	for _, path := range []struct{ key, value string }{{"runtime", s.Runtime}, {"low_level", s.LowLevel}, {"config", s.Config}} {
		if !filepath.IsAbs(path.value) {
			return &sdk.SettingError{Key: path.key, Err: fmt.Errorf("%q is not an absolute path", path.value)}
		}
	}
	if _, known := lowLevel(s.LowLevel); !known {
		return &sdk.SettingError{Key: "low_level", Err: errors.New("the program is neither called crun nor runc")}
	}
	for _, choice := range []struct {
		key, value string
		of         []string
	}{{"mode", s.Mode, []string{"", "auto", "legacy", "cdi", "csv"}}, {"devices", s.Devices, []string{ofJob, none}}} {
		if !slices.Contains(choice.of, choice.value) {
			return &sdk.SettingError{Key: choice.key, Err: fmt.Errorf("%q is none of %q", choice.value, choice.of)}
		}
	}
	return nil
}

// lowLevel tells the runtime by the name of its program.
func lowLevel(path string) (r ociruntime.Runtime, known bool) {
	switch name := filepath.Base(path); {
	case strings.HasPrefix(name, "crun"):
		return ociruntime.Crun(), true
	case strings.HasPrefix(name, "runc"):
		return ociruntime.Runc(), true
	}
	return ociruntime.Runtime{}, false
}
