package ocicli

import (
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/sdk"
)

// listed is one container as "list --format json" tells of it, by the names that runc and crun use.
type listed struct {
	Version string    `json:"ociVersion"`
	ID      string    `json:"id"`
	Pid     int       `json:"pid"`
	Status  string    `json:"status"`
	Bundle  string    `json:"bundle"`
	Created time.Time `json:"created"`
	Driver  string    `json:"driver"`
}

func (c *call) listCommand() *cobra.Command {
	var format string
	var quiet bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the containers of this user, or of --root",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := oneFormat(format); err != nil {
				return err
			}
			h, err := c.host(0)
			if err != nil {
				return err
			}
			return list(h, quiet, format)
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "table", "`FORMAT`, table or json")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print the IDs alone")
	return cmd
}

// printLine writes v as JSON in one line, which is how runc writes lists: some read them line by line.
func printLine(v any) error {
	e := json.NewEncoder(os.Stdout)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func oneFormat(format string) error {
	if format != "table" && format != "json" {
		return sdk.Mark(fmt.Errorf("unknown format %q: it is table or json", format), sdk.ErrInvalid)
	}
	return nil
}

func list(h *dispatch.Host, quiet bool, format string) error {
	if quiet {
		ids, err := h.IDs()
		for _, id := range ids {
			fmt.Println(id)
		}
		return err
	}
	entries, err := h.List()
	if err != nil {
		return err
	}
	found := []listed{}
	for _, e := range entries {
		found = append(found, listed{specVersion, e.ID, e.Pid, e.Status, e.Bundle, e.Created, e.Driver})
	}
	if format == "json" {
		return printLine(found)
	}
	w := tabwriter.NewWriter(os.Stdout, 12, 1, 3, ' ', 0)
	fmt.Fprintln(w, "ID\tPID\tSTATUS\tBUNDLE\tCREATED\tDRIVER")
	for _, e := range found {
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\t%s\t%s\n", e.ID, e.Pid, e.Status, e.Bundle, e.Created.UTC().Format(time.RFC3339Nano), e.Driver)
	}
	return w.Flush()
}
