package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/berth-hpc/berth/sdk"
)

// The choices of settings.Mode.
const (
	nativeMode = "native"
	ociMode    = "oci"
)

// The choices of settings.Isolation.
const (
	refuse = "refuse"
	share  = "share"
)

type settings struct {
	Runtime   string `json:"runtime" doc:"absolute path of apptainer or singularity"`
	Mode      string `json:"mode" doc:"which of the runtime's commands run a bundle: \"native\", its exec, as the caller, or \"oci\", its oci commands, as root"`
	Isolation string `json:"isolation" doc:"what becomes of a bundle that asks for more isolation than the runtime gives: \"refuse\" it, or let it \"share\" what the node has"`
	Sudo      string `json:"sudo" doc:"absolute path of sudo, by which OCI mode makes ordinary users root; whoever may use it so is root on the node"`
}

func defaults() *settings {
	return &settings{
		Runtime:   installed("/usr/bin/apptainer", "/usr/local/bin/apptainer", "/usr/bin/singularity", "/usr/local/bin/singularity"),
		Mode:      nativeMode,
		Isolation: refuse,
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
	switch {
	case !filepath.IsAbs(s.Runtime):
		return &sdk.SettingError{Key: "runtime", Err: fmt.Errorf("%q is not an absolute path", s.Runtime)}
	case !slices.Contains([]string{nativeMode, ociMode}, s.Mode):
		return &sdk.SettingError{Key: "mode", Err: fmt.Errorf("%q is neither %q nor %q", s.Mode, nativeMode, ociMode)}
	case !slices.Contains([]string{refuse, share}, s.Isolation):
		return &sdk.SettingError{Key: "isolation", Err: fmt.Errorf("%q is neither %q nor %q", s.Isolation, refuse, share)}
	case s.Sudo != "" && !filepath.IsAbs(s.Sudo):
		return &sdk.SettingError{Key: "sudo", Err: fmt.Errorf("%q is not an absolute path", s.Sudo)}
	case s.Sudo != "" && s.Mode != ociMode:
		return &sdk.SettingError{Key: "sudo", Err: errors.New("native mode needs no root: it is for mode = \"oci\"")}
	}
	return nil
}
