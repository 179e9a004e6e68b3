// Package prlimit sets the resource limits of containers whose runtime sets none.
package prlimit

import (
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// program is util-linux's, which sets limits and becomes what follows.
const program = "/usr/bin/prlimit"

// Limit has cmd begin with the limits of process.rlimits. ErrUnsupported: there is a limit that the
// program does not know. ErrUnavailable: it is not installed.
func Limit(cmd *sdk.Command, limits []specs.POSIXRlimit) error {
	if len(limits) == 0 {
		return nil
	}
	known := []string{
		"as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
		"rttime", "sigpending", "stack",
	}
	args := []string{"prlimit"}
	for i, l := range limits {
		name := strings.ToLower(strings.TrimPrefix(l.Type, "RLIMIT_"))
		if !slices.Contains(known, name) {
			return sdk.Mark(fmt.Errorf("process.rlimits[%d]: prlimit(1) knows no %q", i, l.Type), sdk.ErrUnsupported)
		}
		args = append(args, fmt.Sprintf("--%s=%s:%s", name, amount(l.Soft), amount(l.Hard)))
	}
	if _, err := exec.LookPath(program); err != nil {
		return sdk.WithAdvice(
			fmt.Errorf("process.rlimits: %w", sdk.Mark(err, sdk.ErrUnavailable)),
			"apt-get install util-linux, or remove process.rlimits from config.json")
	}
	cmd.Args = append(append(args, "--", cmd.Path), cmd.Args[1:]...)
	cmd.Path = program
	return nil
}

func amount(n uint64) string {
	if n == math.MaxUint64 {
		return "unlimited"
	}
	return strconv.FormatUint(n, 10)
}
