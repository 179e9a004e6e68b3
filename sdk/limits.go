package sdk

import (
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk/internal/nofile"
)

// OpenFiles is the task's own limit of open files, as it was before this program, as every program
// in Go, raised it. The host names it in process.rlimits of the effective config.json where the
// bundle names none, because runtimes in Go hand the raised one on. A runtime that sets no limits
// leaves it to the program as it is.
func OpenFiles() specs.POSIXRlimit {
	soft, hard := nofile.AtStart()
	return specs.POSIXRlimit{Type: "RLIMIT_NOFILE", Soft: soft, Hard: hard}
}
