package doctor

import (
	"errors"
	"fmt"
	"os"

	"github.com/berth-hpc/berth/host/config"
	"github.com/berth-hpc/berth/sdk"
)

func configuration() check {
	unusable := fault{
		when: "it cannot be used", status: StatusBroken,
		why:  "berth runs nothing while the configuration has a mistake: no job gets another one than the site wrote",
		mend: "berth config check",
	}
	absent := fault{
		when: "it names a driver that is not installed", status: StatusBroken,
		why:  "a job that gets this driver fails with status 125; berth takes no other in its place",
		mend: "berth config check",
	}
	unreadable := fault{
		when: "ordinary users may not read it", status: StatusBroken,
		why:  "berth runs as the job's user and reads the configuration as that user",
		mend: "chmod a+r FILE",
	}
	return check{
		name: "configuration", about: "berth.toml: whether it can be read, makes sense, and names drivers that exist.",
		faults: []fault{unusable, absent, unreadable},
		look: func(e *examination) {
			if e.Host == nil {
				e.foundError(unusable, e.HostErr, command(sdk.Advice(e.HostErr)))
				return
			}
			source := e.Host.Config.Source
			if source == "" {
				e.ok("there is no %s: every key has its default", e.Layout.Config)
				return
			}
			good := true
			if info, err := os.Stat(source); err == nil && info.Mode()&0o004 == 0 && !e.Layout.BuildTree {
				e.found(unreadable, fmt.Sprintf("%s is closed to ordinary users (mode %04o)", source, info.Mode().Perm()), "FILE", quote(source))
				good = false
			}
			installed, err := e.Host.Installed()
			if err == nil {
				err = e.Host.Config.CheckDrivers(installed)
			}
			for _, err := range split(err) {
				e.found(absent, err.Error())
				good = false
			}
			if good {
				e.ok("%s makes sense", source)
			}
		},
	}
}

// split returns each mistake that an error of package config stands for.
func split(err error) []error {
	var all config.Errors
	switch {
	case err == nil:
		return nil
	case errors.As(err, &all):
		return all.Unwrap()
	}
	return []error{err}
}
