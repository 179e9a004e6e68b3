package main

import (
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/drivers/internal/request"
	"github.com/berth-hpc/berth/sdk"
)

// refusals is what refusals call ch-run.
func refusals() request.Runtime {
	return request.Runtime{Driver: "charliecloud", Name: "ch-run", Makes: "ch-run makes"}
}

// isolation is the error about a request that a site may have passed over.
func isolation(field, format string, args ...any) error {
	return refusals().Isolation(field, format, args...)
}

// check refuses a container that asks for what ch-run cannot do, by the field of config.json.
func (d *driver) check(spec *specs.Spec, c *sdk.Container) error {
	if err := checkIO(c.IO); err != nil {
		return err
	}
	r := refusals()
	if err := r.Caller(spec.Process.User, spec.Linux); err != nil {
		return err
	}
	made := []specs.LinuxNamespaceType{specs.MountNamespace, specs.UserNamespace}
	return d.refuse(slices.Concat(r.OfNamespaces(spec.Linux, made...), r.OfProcess(spec.Process, c), r.OfContainer(spec, c)))
}

// refuse refuses what is asked for, and isolation only where the site does not let containers share.
func (d *driver) refuse(requests []request.Request) error {
	return refusals().Refuse(requests, d.settings.Isolation == share)
}
