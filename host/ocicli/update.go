package ocicli

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/cmdline"
	"github.com/berth-hpc/berth/sdk"
)

// limit is an option of update and where its value stands in linux.resources.
type limit struct {
	option, at string
	text       bool // a string, not a number
	help       string
}

func limits() []limit {
	return []limit{
		{"blkio-weight", "blockIO.weight", false, "weight of block I/O, `WEIGHT` from 10 to 1000"},
		{"cpu-period", "cpu.period", false, "period of the CPU quota in `MICROSECONDS`"},
		{"cpu-quota", "cpu.quota", false, "CPU time in each period in `MICROSECONDS`"},
		{"cpu-share", "cpu.shares", false, "relative `WEIGHT` of CPU time"},
		{"cpu-rt-period", "cpu.realtimePeriod", false, "period of real-time CPU time in `MICROSECONDS`"},
		{"cpu-rt-runtime", "cpu.realtimeRuntime", false, "real-time CPU time in each period in `MICROSECONDS`"},
		{"cpuset-cpus", "cpu.cpus", true, "`LIST` of CPUs to use"},
		{"cpuset-mems", "cpu.mems", true, "`LIST` of memory nodes to use"},
		{"memory", "memory.limit", false, "memory in `BYTES`"},
		{"memory-reservation", "memory.reservation", false, "soft limit of memory in `BYTES`"},
		{"memory-swap", "memory.swap", false, "memory and swap in `BYTES`, -1 for no limit"},
		{"kernel-memory", "memory.kernel", false, "kernel memory in `BYTES`"},
		{"kernel-memory-tcp", "memory.kernelTCP", false, "kernel memory for TCP in `BYTES`"},
		{"pids-limit", "pids.limit", false, "number of `PROCESSES`"},
		{"l3-cache-schema", "", true, "refused: the resctrl file system is not changed; `SCHEMA`"},
		{"mem-bw-schema", "", true, "refused, likewise; `SCHEMA`"},
	}
}

func (c *call) updateCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "update [flags] ID",
		Short: "Change a container's limits",
		Args:  cmdline.About("container", "its ID", 1),
	}
	cmd.Flags().StringVarP(&file, "resources", "r", "", "`FILE` with an object as linux.resources; - for stdin; then no other option counts")
	given := map[string]*string{}
	for _, l := range limits() {
		given[l.option] = cmd.Flags().String(l.option, "", l.help)
	}
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		read := func() ([]byte, error) { return readDocument("the limits", file) }
		if file == "" {
			read = func() ([]byte, error) { return resourcesOf(given) }
		}
		resources, err := read()
		if err != nil {
			return err
		}
		h, err := c.host(0)
		if err != nil {
			return err
		}
		return h.Update(args[0], resources)
	}
	return cmd
}

// parseAmount reads a number, of bytes also with a unit as runc takes it: 50M, 1g, 512k.
func parseAmount(text string, bytes bool) (int64, error) {
	unit := int64(1)
	if bytes {
		number := strings.TrimRight(strings.ToLower(text), "b")
		for suffix, factor := range map[string]int64{"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40} {
			if rest, ok := strings.CutSuffix(number, suffix); ok {
				number, unit = rest, factor
				break
			}
		}
		text = number
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil && (n > math.MaxInt64/unit || n < math.MinInt64/unit) {
		err = strconv.ErrRange
	}
	return n * unit, err
}

// resourcesOf makes linux.resources of the options that are given.
func resourcesOf(given map[string]*string) ([]byte, error) {
	resources := map[string]map[string]any{}
	for _, l := range limits() {
		text := *given[l.option]
		if text == "" {
			continue
		}
		section, key, known := strings.Cut(l.at, ".")
		if !known {
			return nil, sdk.Mark(fmt.Errorf("--%s cannot be changed", l.option), sdk.ErrUnsupported)
		}
		if resources[section] == nil {
			resources[section] = map[string]any{}
		}
		resources[section][key] = text
		if !l.text {
			n, err := parseAmount(text, strings.HasPrefix(section, "memory"))
			if err != nil {
				return nil, sdk.Mark(fmt.Errorf("--%s: %q is no number", l.option, text), sdk.ErrInvalid)
			}
			resources[section][key] = n
		}
	}
	if len(resources) == 0 {
		return nil, sdk.Mark(errors.New("no limit to change: give --resources or another option"), sdk.ErrInvalid)
	}
	return json.Marshal(resources)
}
