package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/berth-hpc/berth/sdk"
)

// The choices of settings.Isolation.
const (
	refuse = "refuse"
	share  = "share"
)

type settings struct {
	Runtime   string `json:"runtime" doc:"absolute path of apptainer or singularity"`
	Isolation string `json:"isolation" doc:"what becomes of a bundle that asks for more isolation than the runtime gives: \"refuse\" it, or let it \"share\" what the node has"`
}

func defaults() *settings {
	return &settings{
		Runtime:   installed("/usr/bin/apptainer", "/usr/local/bin/apptainer", "/usr/bin/singularity", "/usr/local/bin/singularity"),
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
	if !filepath.IsAbs(s.Runtime) {
		return &sdk.SettingError{Key: "runtime", Err: fmt.Errorf("%q is not an absolute path", s.Runtime)}
	}
	if !slices.Contains([]string{refuse, share}, s.Isolation) {
		return &sdk.SettingError{Key: "isolation", Err: fmt.Errorf("%q is neither %q nor %q", s.Isolation, refuse, share)}
	}
	return nil
}
