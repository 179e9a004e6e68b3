package cli

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/doctor"
)

func (c *call) doctorCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find out what on this node keeps containers from working",
		Long: `Look at this node and tell what keeps containers from working, why it matters, and the
command that mends it. Nothing is changed. Status 1: something is broken.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			host, hostErr := c.host(0)
			node, err := doctor.Here(c.env, host, hostErr)
			if err != nil {
				return err
			}
			findings := doctor.Examine(cmd.Context(), node)
			print := doctor.Print
			if asJSON {
				print = doctor.PrintJSON
			}
			if err := print(os.Stdout, findings); err != nil {
				return err
			}
			if doctor.Broken(findings) {
				return exitStatus(1)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
