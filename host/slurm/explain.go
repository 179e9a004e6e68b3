package slurm

import (
	"github.com/berth-hpc/berth/host/config"
	"github.com/berth-hpc/berth/host/dispatch"
)

// Explain says which driver a job with the environment of h would get, and why. wish is what it would
// ask for by option, and bundle the directory it would name; both may be empty.
func Explain(h *dispatch.Host, wish, bundle string) (config.Choice, error) {
	r := dispatch.Request{Driver: wish, Bundle: bundle, Match: newJob(h.Env).match()}
	if bundle == "" {
		r.Bundle = r.Match.Container
	}
	return h.Choose(&r)
}
