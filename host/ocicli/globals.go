package ocicli

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/host/cmdline"
	"github.com/berth-hpc/berth/sdk"
)

// globals are the options of every subcommand.
type globals struct {
	root, driver   string
	log, logFormat string
	debug          bool
	systemdCgroup  bool
	cgroupManager  string
	ignored        ignored
}

// ignored are options that runc and crun know and that mean nothing here.
type ignored struct {
	rootless, criu string
	noSubreaper    bool
}

func (g *globals) add(f *pflag.FlagSet) {
	f.StringVar(&g.root, "root", "", "`DIRECTORY` that holds the containers (default: the user's below /run/berth)")
	f.StringVar(&g.driver, "driver", g.driver, "driver `NAME` to use, where the site's policy allows it")
	f.StringVar(&g.log, "log", "", "`FILE` that takes messages, besides stderr")
	f.StringVar(&g.logFormat, "log-format", "text", "their `FORMAT`, text or json")
	f.BoolVar(&g.debug, "debug", false, "say what berth and its drivers do, on stderr")
	f.BoolVar(&g.systemdCgroup, "systemd-cgroup", false, "have systemd make the control group")
	f.StringVar(&g.cgroupManager, "cgroup-manager", "", "who makes the control group, `MANAGER`: cgroupfs, systemd, or disabled for nobody")
	f.StringVar(&g.ignored.rootless, "rootless", "", "taken and ignored: berth looks for itself; `VALUE`")
	f.StringVar(&g.ignored.criu, "criu", "", "taken and ignored: `PATH`")
}

// validate says which option makes no sense.
func (g *globals) validate() error {
	if g.logFormat != "text" && g.logFormat != "json" {
		return sdk.Mark(fmt.Errorf("--log-format %q is neither text nor json", g.logFormat), sdk.ErrInvalid)
	}
	return nil
}

// manager is who is to make the control group of a new container.
func (g *globals) manager() string {
	if g.systemdCgroup && g.cgroupManager == "" {
		return "systemd"
	}
	return g.cgroupManager
}

// runtimeLog is where a runtime that this process becomes writes its own messages.
func (g *globals) runtimeLog() sdk.Log {
	log := sdk.Log{Path: absolute(g.log), Debug: g.debug}
	if log.Path != "" {
		log.Format = g.logFormat
	}
	return log
}

// fail writes an error to stderr and into the log. Callers show its last line.
func (g *globals) fail(err error) {
	cmdline.Report(Name, err)
	if g.log == "" {
		return
	}
	if logErr := g.append(cmdline.OneLine(err.Error())); logErr != nil {
		cmdline.Report(Name, fmt.Errorf("writing the log: %w", logErr))
	}
}

// append adds one message to the log, in the form that runc's have.
func (g *globals) append(message string) error {
	f, err := os.OpenFile(g.log, os.O_WRONLY|os.O_APPEND|os.O_CREATE|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o644)
	if err != nil {
		return err
	}
	now := time.Now().Format(time.RFC3339)
	if g.logFormat == "json" {
		err = json.NewEncoder(f).Encode(map[string]string{"level": "error", "msg": message, "time": now})
	} else {
		_, err = fmt.Fprintf(f, "time=%q level=error msg=%q\n", now, message)
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
