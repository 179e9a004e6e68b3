package ociruntime

import "os"

// path is the runtime's PATH: it looks there for newuidmap, newgidmap and criu.
const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// environment is the complete environment of the runtime. It holds nothing that a loader or the
// runtime obeys behind our back: with LISTEN_FDS, crun would hand the caller's descriptors to the
// container.
func environment() []string {
	env := []string{"PATH=" + path}
	for _, name := range []string{"HOME", "TERM", "XDG_RUNTIME_DIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
