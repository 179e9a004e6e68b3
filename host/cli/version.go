package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/cmdline"
)

func (c *call) versionCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of berth and of the driver protocol",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := cmdline.CurrentVersion()
			if asJSON {
				return cmdline.PrintJSON(v)
			}
			fmt.Printf("berth %s, driver protocol %d, %s\n", v.Version, v.Protocol, v.Go)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
