package main

import (
	"slices"
	"strings"
)

// environment returns the environment of ch-run, which is the program's but for the variables that
// ch-run, its libraries or their loader obey or change, and the options by which berth-init, inside,
// makes of it what config.json says.
//
// ch-run's own options for that are not used: its files of variables take each line for one, and
// quotes off the value, and what it calls CH_RUNNING cannot be unset. A command line can be read by
// every user of the node, an environment cannot: so only what has to goes there.
func environment(env []string) (own, options []string) {
	own = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "USER=berth"}
	for _, name := range []string{"PATH", "USER", "HOME", "PWD", "CH_RUNNING", "GC_MARKERS"} {
		options = append(options, "--unset", name)
	}
	for _, entry := range env {
		if name, _, _ := strings.Cut(entry, "="); obeyed(name) {
			options = append(options, "--set", entry)
		} else {
			own = append(own, entry)
		}
	}
	return own, options
}

// obeyed says whether a variable changes what ch-run, the C library or its loader do, or they it.
func obeyed(name string) bool {
	for _, prefix := range []string{"LD_", "CH_", "GC_", "GLIBC_", "MALLOC_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return slices.Contains([]string{
		"PATH", "USER", "HOME", "PWD", "TMPDIR", "ARGP_HELP_FMT", "LOCPATH", "NLSPATH", "GCONV_PATH", "HOSTALIASES", "RES_OPTIONS",
	}, name)
}
