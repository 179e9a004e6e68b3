package drivertest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/berth-hpc/berth/sdk"
)

// Config says which driver to test and how.
type Config struct {
	Driver   string         // path of the driver's program
	Settings map[string]any // the driver's table of berth.toml
	// Lacks says what the runtime cannot do although the driver cannot refuse it beforehand: a
	// feature and the reason, for people. The kit then checks what still has to hold, reports
	// the lack, and fails where the runtime can do it after all. What a driver refuses with
	// sdk.ErrUnsupported is reported without being declared.
	Lacks map[Feature]string
	// Program acts as Main says; it is used as launcher. Empty: Run builds one, Test uses the running
	// program.
	Program string
	// Probe is the program in containers, ./probe, linked statically. Empty: Run builds one; Test uses the
	// one that "make build" has put into the running program, and where there is none Program, which is
	// slower and must then be linked statically.
	Probe string
	// Starts is how many containers storm/starts starts at once; 0: sixteen for each core, at most 128.
	Starts int
	// Timeout is after what time a case that hangs is given up, and its clean-up likewise; on a busy
	// machine it is as many times longer as there are processes that want each core. 0: two minutes.
	Timeout time.Duration
}

// Feature is something that Config.Lacks can name.
type Feature string

// Signals is the feature that a signal sent to the runtime's process reaches the container's
// program. Without it a signal that would end the runtime must end the container.
const Signals Feature = "signals"

// Isolation is the feature that a container has more of its own than users and mounts: pid, IPC and
// UTS namespaces with what hangs on them, a host name, terminals and shared memory, and capabilities
// of its choice. Without it the kit's bundles ask for none of that, and asking must be refused.
const Isolation Feature = "isolation"

// Capabilities is the part of Isolation that a container's root has the capabilities of its choice, for
// drivers that lack nothing else of it.
const Capabilities Feature = "capabilities"

// Features returns every Feature.
func Features() []Feature { return []Feature{Signals, Isolation, Capabilities} }

// check makes c complete and says what is wrong with it, as an sdk.ErrInvalid.
func (c *Config) check() error {
	if c.Driver == "" {
		return sdk.Mark(fmt.Errorf("no driver to test"), sdk.ErrInvalid)
	}
	path, err := filepath.Abs(c.Driver)
	if err != nil {
		return fmt.Errorf("finding the driver: %w", err)
	}
	c.Driver = path
	info, err := os.Stat(c.Driver)
	switch {
	case err != nil:
		return fmt.Errorf("finding the driver: %w", sdk.Mark(err, sdk.ErrInvalid))
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0:
		return sdk.Mark(fmt.Errorf("driver %q is not an executable file", c.Driver), sdk.ErrInvalid)
	}
	for _, feature := range slices.Sorted(maps.Keys(c.Lacks)) {
		if !slices.Contains(Features(), feature) {
			return sdk.Mark(fmt.Errorf("no feature is called %q; there are %v", feature, Features()), sdk.ErrInvalid)
		}
		if strings.TrimSpace(c.Lacks[feature]) == "" {
			return sdk.Mark(fmt.Errorf("lack of %q: no reason given", feature), sdk.ErrInvalid)
		}
	}
	if c.Starts < 0 || c.Timeout < 0 {
		return sdk.Mark(fmt.Errorf("%d containers at once, a case given up after %v: less than nothing", c.Starts, c.Timeout), sdk.ErrInvalid)
	}
	c.Starts = cmp.Or(c.Starts, min(16*runtime.NumCPU(), 128))
	c.Timeout = cmp.Or(c.Timeout, 2*time.Minute)
	return nil
}

// settings returns the driver's table as JSON, with some keys set otherwise.
func (c *Config) settings(other map[string]any) (json.RawMessage, error) {
	table := maps.Clone(c.Settings)
	if table == nil {
		table = map[string]any{}
	}
	maps.Copy(table, other)
	data, err := json.Marshal(table)
	if err != nil {
		return nil, fmt.Errorf("writing the settings: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	return data, nil
}
