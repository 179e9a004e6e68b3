package byname

import (
	"slices"
	"strings"
)

// Dropped says whether the loader takes a variable away from a program with the set-user-ID bit, so
// that it has to be on its command line (ld.so(8), secure-execution mode; glibc's unsecvars.h).
func Dropped(name string) bool {
	return strings.HasPrefix(name, "LD_") || strings.HasPrefix(name, "MALLOC_") || slices.Contains([]string{
		"GCONV_PATH", "GETCONF_DIR", "GLIBC_TUNABLES", "HOSTALIASES", "LOCALDOMAIN", "LOCPATH", "NIS_PATH", "NLSPATH",
		"RESOLV_HOST_CONF", "RES_OPTIONS", "TMPDIR", "TZDIR",
	}, name)
}
