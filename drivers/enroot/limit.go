package main

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

// prlimit is util-linux's program that sets limits and becomes what follows.
const prlimit = "/usr/bin/prlimit"

// limit has cmd begin with resource limits, which enroot has none to set.
func limit(cmd *sdk.Command, limits []specs.POSIXRlimit) error {
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
			return unsupported(fmt.Sprintf("process.rlimits[%d]", i), "prlimit(1) knows no %q", l.Type)
		}
		args = append(args, fmt.Sprintf("--%s=%s:%s", name, amount(l.Soft), amount(l.Hard)))
	}
	if _, err := exec.LookPath(prlimit); err != nil {
		return sdk.WithAdvice(
			fmt.Errorf("process.rlimits: %w", sdk.Mark(err, sdk.ErrUnavailable)),
			"apt-get install util-linux, or remove process.rlimits from config.json")
	}
	cmd.Args = append(append(args, "--", cmd.Path), cmd.Args[1:]...)
	cmd.Path = prlimit
	return nil
}

func amount(n uint64) string {
	if n == math.MaxUint64 {
		return "unlimited"
	}
	return strconv.FormatUint(n, 10)
}
