package ocicli

import (
	"encoding/json"
	"errors"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/sdk"
)

// event is one line that events prints, by the names that runc uses.
type event struct {
	Type string          `json:"type"`
	ID   string          `json:"id"`
	Data *dispatch.Usage `json:"data"`
}

func (c *call) eventsCommand() *cobra.Command {
	var once bool
	var interval time.Duration
	cmd := c.one("events ID", "Print what a container uses, as JSON, until it ends", 1, func(h *dispatch.Host, args []string) error {
		for first := true; ; first = false {
			usage, err := h.Usage(args[0])
			if !first && (errors.Is(err, sdk.ErrState) || errors.Is(err, sdk.ErrNotFound)) {
				return nil // it has ended, as all do
			}
			if err != nil {
				return err
			}
			if err := json.NewEncoder(os.Stdout).Encode(event{"stats", args[0], usage}); err != nil || once {
				return err
			}
			select {
			case <-h.Guard.Context().Done():
				return nil
			case <-time.After(interval):
			}
		}
	})
	cmd.Flags().BoolVar(&once, "stats", false, "print it once")
	cmd.Flags().DurationVar(&interval, "interval", 5*time.Second, "`TIME` between two lines")
	cmd.PreRunE = func(*cobra.Command, []string) error {
		if interval <= 0 {
			return sdk.Mark(errors.New("--interval must be more than nothing"), sdk.ErrInvalid)
		}
		return nil
	}
	return cmd
}
