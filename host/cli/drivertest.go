package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/drivertest"
)

func (c *call) driverTestCommand() *cobra.Command {
	var settings, lacks []string
	var run string
	var list, verbose bool
	var starts int
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "test PATH|NAME",
		Short: "Prove a driver with the conformance kit",
		Long: `Prove a driver with the conformance kit: the driver program at PATH, or the installed
driver NAME with its settings. It needs no image, network or cluster. Status 0: proved.`,
		Example: `  berth driver test crun
  berth driver test ./berth-driver-acme --set runtime=/opt/acme/bin/acme`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if list {
				for _, k := range drivertest.Cases() {
					fmt.Printf("%-28s %s\n", k.Name, k.Proves)
				}
				return nil
			}
			if len(args) == 0 {
				return errors.New("which driver? give the path of its program, or the name of an installed one")
			}
			cfg, err := c.testConfig(args[0], settings, lacks)
			if err != nil {
				return err
			}
			cfg.Starts, cfg.Timeout = starts, timeout
			filter, err := regexp.Compile(run)
			if err != nil {
				return sdk.Mark(fmt.Errorf("--run: %w", err), sdk.ErrInvalid)
			}
			summary, err := drivertest.Test(c.guard.Context(), cfg, filter, drivertest.Printer(os.Stdout, verbose))
			if err != nil {
				return err
			}
			fmt.Println(summary)
			if status := summary.ExitStatus(); status != 0 {
				return exitStatus(status)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&settings, "set", nil, "a setting of the driver, `KEY=VALUE`; VALUE is JSON or a plain string")
	f.StringArrayVar(&lacks, "lacks", nil, "declare what the runtime cannot do and why, `FEATURE=REASON`; features: "+strings.Trim(fmt.Sprint(drivertest.Features()), "[]"))
	f.StringVar(&run, "run", "", "only the cases whose names match the regular `EXPRESSION`")
	f.IntVar(&starts, "starts", 0, "how many containers storm/starts starts at once; 0: sixteen for each core, at most 128")
	f.DurationVar(&timeout, "timeout", 0, "after what `TIME` a case that hangs is given up, later on a busy machine; 0: two minutes")
	f.BoolVar(&list, "list", false, "list the cases and what each proves")
	f.BoolVarP(&verbose, "verbose", "v", false, "say of each case what it proves and cost")
	return cmd
}

// testConfig finds the driver: what has a slash is a path, anything else an installed driver.
func (c *call) testConfig(driver string, settings, lacks []string) (drivertest.Config, error) {
	cfg := drivertest.Config{Driver: absolute(driver), Settings: map[string]any{}, Lacks: map[drivertest.Feature]string{}}
	h, err := c.host(0)
	if err != nil {
		return cfg, err
	}
	if !strings.Contains(driver, "/") {
		info, err := h.DriverInfo(h.Guard.Context(), driver)
		if err != nil {
			return cfg, err
		}
		cfg.Driver = info.Path
		if err := json.Unmarshal(h.Config.Driver(driver).Settings, &cfg.Settings); err != nil {
			return cfg, err
		}
	}
	for _, text := range settings {
		key, value, ok := strings.Cut(text, "=")
		if !ok {
			return cfg, sdk.Mark(fmt.Errorf("--set %q is not KEY=VALUE", text), sdk.ErrInvalid)
		}
		var parsed any
		if json.Unmarshal([]byte(value), &parsed) != nil {
			parsed = value
		}
		cfg.Settings[key] = parsed
	}
	for _, text := range lacks {
		feature, reason, ok := strings.Cut(text, "=")
		if !ok {
			return cfg, sdk.Mark(fmt.Errorf("--lacks %q is not FEATURE=REASON", text), sdk.ErrInvalid)
		}
		cfg.Lacks[drivertest.Feature(feature)] = reason
	}
	return cfg, nil
}
