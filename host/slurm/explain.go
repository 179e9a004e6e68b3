package slurm

import (
	"cmp"

	"github.com/berth-hpc/berth/host/bundle"
	"github.com/berth-hpc/berth/host/config"
	"github.com/berth-hpc/berth/host/dispatch"
)

// Explain says which driver a job with the environment of h would get, and why. wish is what it would
// ask for by option, and container what it would name with --container; both may be empty.
func Explain(h *dispatch.Host, wish, container string) (config.Choice, error) {
	r := dispatch.Request{Driver: wish, Match: newJob(h.Env).match()}
	r.Match.Container = cmp.Or(container, r.Match.Container)
	if r.Match.Container != "" {
		r.Loaded, _ = bundle.Load(r.Match.Container) // it may ask for a driver, where it can be read here
	}
	return h.Choose(&r)
}
