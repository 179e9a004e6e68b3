package dispatch

import (
	"slices"
	"strings"
)

// driverPath is where a driver finds programs, whatever the caller's PATH says.
const driverPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// passedOn are the variables that a driver gets as its caller has them. Everything else stays
// out: LD_*, LISTEN_FDS (which crun obeys), PLUGIN_* and whatever else could change what a driver
// or runtime does. SLURM_JOB_ID is the allocation that the caller is in, for a driver that runs containers
// as steps of it.
var passedOn = [...]string{"HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TERM", "TZ", "XDG_RUNTIME_DIR", "SLURM_JOB_ID"}

// driverEnv builds the environment of a driver.
func (h *Host) driverEnv() []string {
	env := []string{driverPath}
	for _, entry := range h.Env {
		name, _, _ := strings.Cut(entry, "=")
		if slices.Contains(passedOn[:], name) {
			env = append(env, entry)
		}
	}
	return env
}

// getenv returns the caller's variable, or "".
func (h *Host) getenv(name string) string { return Variable(h.Env, name) }

// Variable returns the value of a variable in env, a list of NAME=VALUE, or "".
func Variable(env []string, name string) string {
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}
