package ocicli

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/cmdline"
	"github.com/berth-hpc/berth/sdk"
)

func (c *call) psCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "ps [flags] ID [PS-OPTION…]",
		Short: "List the processes in a container",
		Long: `List the processes in a container: as a table what "ps -ef", or ps with the options
behind the ID, tells of them; as JSON their pids.`,
		Args: cmdline.About("container", "its ID", math.MaxInt),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneFormat(format); err != nil {
				return err
			}
			h, err := c.host(0)
			if err != nil {
				return err
			}
			pids, err := h.Processes(args[0])
			if errors.Is(err, sdk.ErrState) {
				pids, err = []int{}, nil // none runs
			}
			if err != nil {
				return err
			}
			if format == "json" {
				return printLine(pids)
			}
			return table(pids, args[1:])
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "table", "`FORMAT`, table or json")
	cmd.Flags().SetInterspersed(false)
	return cmd
}

// table prints the lines of ps(1) that are about the pids.
func table(pids []int, options []string) error {
	if len(options) == 0 {
		options = []string{"-ef"}
	}
	cmd := exec.Command("/usr/bin/ps", options...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return sdk.Mark(fmt.Errorf("running ps: %w", err), sdk.ErrUnavailable)
	}
	header, lines, _ := strings.Cut(string(out), "\n")
	column := pidColumn(header)
	if column < 0 {
		return sdk.Mark(errors.New("ps prints no PID with these options"), sdk.ErrInvalid)
	}
	wanted := map[string]bool{}
	for _, pid := range pids {
		wanted[strconv.Itoa(pid)] = true
	}
	fmt.Println(header)
	for line := range strings.Lines(lines) {
		if fields := strings.Fields(line); column < len(fields) && wanted[fields[column]] {
			fmt.Print(line)
		}
	}
	return nil
}

func pidColumn(header string) int {
	for i, name := range strings.Fields(header) {
		if name == "PID" {
			return i
		}
	}
	return -1
}
