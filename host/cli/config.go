package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/cmdline"
	"github.com/berth-hpc/berth/host/config"
	"github.com/berth-hpc/berth/host/layout"
)

func (c *call) configCommand() *cobra.Command {
	cmd := cmdline.Group(&cobra.Command{Use: "config", Short: "Check and show the site's configuration"})
	cmd.AddCommand(c.configCheckCommand(), &cobra.Command{
		Use:   "show",
		Short: "Print the effective configuration, and where each value comes from",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			h, err := c.host(0)
			if err != nil {
				return err
			}
			return h.Config.Show(os.Stdout)
		},
	})
	return cmd
}

func (c *call) configCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check [FILE]",
		Short: "Check a configuration, and that its drivers are installed",
		Long: `Check the configuration of this node, or FILE before it is installed. Every fault is
printed with its line. The settings of drivers are checked by "berth driver check".`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			cfg, err := c.checkedConfig(args)
			var faults config.Errors
			if errors.As(err, &faults) {
				for _, fault := range faults {
					fmt.Fprintf(os.Stderr, "berth: %s\n", cmdline.OneLine(fault.Error()))
				}
				return exitStatus(statusRefused)
			}
			if err != nil {
				return err
			}
			source := cfg.Source
			if source == "" {
				source = "no configuration file: the built-in defaults"
			}
			fmt.Printf("%s: good\n", source)
			return nil
		},
	}
}

// checkedConfig loads the node's configuration, or the file that is named, which need not be a
// trusted one: it is only looked at.
func (c *call) checkedConfig(args []string) (*config.Config, error) {
	if len(args) == 0 {
		h, err := c.host(0)
		if err != nil {
			return nil, err
		}
		installed, err := h.Installed()
		if err != nil {
			return nil, err
		}
		return h.Config, h.Config.CheckDrivers(installed)
	}
	if _, err := os.Stat(args[0]); err != nil {
		return nil, err
	}
	cfg, err := config.Load(os.Open, args[0])
	if err != nil {
		return nil, err
	}
	files, err := layout.Find()
	if err != nil {
		return nil, err
	}
	installed, err := files.Installed()
	if err != nil {
		return nil, err
	}
	return cfg, cfg.CheckDrivers(installed)
}
