package cli

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/slurm"
	"github.com/berth-hpc/berth/sdk"
)

func (c *call) slurmConfCommand() *cobra.Command {
	var version, proctrack, signals, check, berth string
	var ignore bool
	cmd := &cobra.Command{
		Use:   "conf",
		Short: "Print the oci.conf that makes Slurm use berth, or check one",
		Long: `Print the oci.conf for the Slurm on this machine, or for another release. Put it beside
slurm.conf. With --check, explain what is dangerous or wrong in an existing one.`,
		Example: `  berth slurm conf > /etc/slurm/oci.conf
  berth slurm conf --slurm-version 24.11 --proctrack cgroup
  berth slurm conf --check /etc/slurm/oci.conf`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if check != "" {
				return checkConf(check)
			}
			conf := slurm.Conf{Berth: berth, IgnoreConfig: ignore, Signals: signals}
			var err error
			if conf.Berth == "" {
				if conf.Berth, err = os.Executable(); err != nil {
					return err
				}
			}
			if version != "" {
				conf.Version, err = slurm.ParseVersion(version)
			} else {
				conf.Version, err = slurm.InstalledVersion(cmd.Context())
			}
			if err != nil {
				return err
			}
			if conf.Signals == "" {
				if conf.Signals, err = signalsFor(proctrack); err != nil {
					return err
				}
			}
			text, err := conf.Text()
			if err != nil {
				return err
			}
			_, err = os.Stdout.WriteString(text)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&version, "slurm-version", "", "release to write for (default: the one on this machine)")
	f.StringVar(&proctrack, "proctrack", "", "ProctrackType of slurm.conf (default: read from there)")
	f.StringVar(&signals, "signals", "", "what berth-init does with a signal: direct or forward (default: by --proctrack)")
	f.StringVar(&check, "check", "", "explain what is wrong in `FILE` instead")
	f.StringVar(&berth, "berth", "", "path of berth on the compute nodes (default: this program)")
	f.BoolVar(&ignore, "ignore-config", false, "write the form for sites that pass image paths instead of bundles")
	return cmd
}

// signalsFor says who passes signals on: with cgroup, Slurm signals the task alone; otherwise every
// process that it knows of.
func signalsFor(proctrack string) (string, error) {
	if proctrack == "" {
		proctrack = configuredProctrack()
	}
	switch strings.TrimPrefix(proctrack, "proctrack/") {
	case "cgroup", "":
		return "forward", nil
	case "linuxproc", "pgid":
		return "direct", nil
	}
	return "", sdk.Mark(fmt.Errorf("unknown --proctrack %q: cgroup, linuxproc or pgid", proctrack), sdk.ErrInvalid)
}

// configuredProctrack reads ProctrackType from slurm.conf; "" where it is not set, which means cgroup.
func configuredProctrack() string {
	path := os.Getenv("SLURM_CONF")
	if path == "" {
		path = slurm.SlurmConf("/")
	}
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	in := bufio.NewScanner(file)
	for in.Scan() {
		name, value, _ := strings.Cut(strings.TrimSpace(in.Text()), "=")
		if strings.EqualFold(strings.TrimSpace(name), "ProctrackType") {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func checkConf(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	faults, err := slurm.Lint(file)
	if err != nil {
		return err
	}
	for _, f := range faults {
		at := path
		if f.Line > 0 {
			at = fmt.Sprintf("%s:%d", path, f.Line)
		}
		kind := "warning"
		if f.Danger {
			kind = "danger"
		}
		fmt.Printf("%s: %s: %s: %s\n    %s\n", at, kind, f.Option, f.What, f.Why)
	}
	if len(faults) > 0 {
		return exitStatus(1)
	}
	fmt.Printf("%s: good\n", path)
	return nil
}
