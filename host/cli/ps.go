package cli

import (
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/cmdline"
	"github.com/berth-hpc/berth/host/dispatch"
)

func (c *call) psCommand() *cobra.Command {
	var asJSON bool
	var job string
	cmd := &cobra.Command{
		Use:   "ps",
		Short: "List your containers on this node",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			h, err := c.host(0)
			if err != nil {
				return err
			}
			list, err := h.List()
			if err != nil {
				return err
			}
			if job != "" {
				list = slices.DeleteFunc(list, func(e dispatch.Entry) bool { return e.Job != job })
			}
			if asJSON {
				return cmdline.PrintJSON(list)
			}
			w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "ID\tDRIVER\tSTATUS\tPID\tAGE\tBUNDLE")
			for _, e := range list {
				pid := "-"
				if e.Pid > 0 {
					pid = fmt.Sprint(e.Pid)
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", e.ID, dash(e.Driver), e.Status, pid, age(e.Created), dash(e.Bundle))
			}
			return w.Flush()
		},
	}
	cmd.Flags().StringVar(&job, "job", "", "list only those of the Slurm job `ID`")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// age is how long ago a time was, in one unit, as people say it.
func age(then time.Time) string {
	if then.IsZero() {
		return "-"
	}
	d := time.Since(then)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	default:
		return fmt.Sprintf("%dd", int(d.Hours()/24))
	}
}
