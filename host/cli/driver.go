package cli

import (
	"fmt"
	"math"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/cmdline"
	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/sdk/limit"
)

func (c *call) driverCommand() *cobra.Command {
	cmd := cmdline.Group(&cobra.Command{Use: "driver", Short: "List, inspect, check and test drivers"})
	cmd.AddCommand(c.driverLsCommand(), c.driverInfoCommand(), c.driverCheckCommand(), c.driverDescribeCommand(), c.driverTestCommand())
	return cmd
}

func (c *call) driverLsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the drivers of this node and whether they work",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			h, err := c.host(0)
			if err != nil {
				return err
			}
			list, err := h.Drivers(h.Guard.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return cmdline.PrintJSON(list)
			}
			w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "DRIVER\tRUNTIME\tVERSION\tSTATUS")
			for _, d := range list {
				status := "works"
				if d.Error != "" {
					status = cmdline.OneLine(strings.TrimPrefix(d.Error, fmt.Sprintf("driver %q: ", d.Name)))
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", d.Name, dash(d.Runtime.Path), dash(d.Runtime.Version), status)
			}
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return cmdline.OneLine(text)
}

func (c *call) driverCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check NAME…",
		Short: "Check that drivers have what they need on this node",
		Args:  cmdline.About("driver", "its name", math.MaxInt),
		RunE: func(_ *cobra.Command, args []string) error {
			h, err := c.host(0)
			if err != nil {
				return err
			}
			bad := false
			for _, name := range args {
				found, err := h.CheckDriver(h.Guard.Context(), name)
				if err != nil {
					cmdline.Report("berth", err)
					bad = true
					continue
				}
				fmt.Printf("%s: works, %s %s\n", name, dash(found.Path), dash(found.Version))
			}
			if bad {
				return exitStatus(statusRefused)
			}
			return nil
		},
	}
}

func (c *call) driverInfoCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "info NAME",
		Short: "Print what a driver is: its file, checksum, version and what it can do",
		Args:  cmdline.About("driver", "its name", 1),
		RunE: func(_ *cobra.Command, args []string) error {
			info, err := c.driverInfo(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return cmdline.PrintJSON(info)
			}
			w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintf(w, "name\t%s\n", info.Name)
			fmt.Fprintf(w, "file\t%s\n", info.Path)
			fmt.Fprintf(w, "sha256\t%s\n", info.SHA256)
			fmt.Fprintf(w, "version\t%s\n", dash(info.Version))
			fmt.Fprintf(w, "protocol\t%d\n", info.Protocol)
			fmt.Fprintf(w, "can\t%s\n", strings.Join(append([]string{"run"}, info.Capabilities...), ", "))
			return w.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (c *call) driverDescribeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "describe NAME",
		Short: "Print the settings that a driver takes, ready for berth.toml",
		Args:  cmdline.About("driver", "its name", 1),
		RunE: func(_ *cobra.Command, args []string) error {
			info, err := c.driverInfo(args[0])
			if err != nil {
				return err
			}
			fmt.Printf("[drivers.%s]\n", info.Name)
			for _, s := range info.Settings {
				fmt.Printf("# %s\n# %s = %s\n", cmdline.OneLine(s.Doc), s.Name, cmdline.OneLine(s.Default))
			}
			return nil
		},
	}
}

func (c *call) driverInfo(name string) (*dispatch.DriverInfo, error) {
	h, err := c.host(0)
	if err != nil {
		return nil, err
	}
	ctx, cancel := limit.WithTimeout(h.Guard.Context(), h.Config.Deadlines.Check, "no answer")
	defer cancel()
	return h.DriverInfo(ctx, name)
}
