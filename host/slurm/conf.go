package slurm

import (
	"fmt"
	"strings"

	"github.com/berth-hpc/berth/sdk"
)

// Conf is what an oci.conf is written for.
type Conf struct {
	Berth   string // absolute path of the berth program
	Version Version
	// Signals is what berth-init does with a signal: "direct" where every process of a step gets
	// most signals from Slurm itself (proctrack/linuxproc, proctrack/pgid), "forward" where only the
	// task does (proctrack/cgroup).
	Signals string
	// IgnoreConfig writes the form for sites that pass image paths instead of bundles.
	IgnoreConfig bool
}

// Text is the oci.conf. What is substituted into the commands is Slurm's own: numbers, the node's
// name and paths of its spool directory; nothing that a user chooses gets into a command that root
// runs. sdk.ErrInvalid: the path of berth cannot stand in that file.
func (c Conf) Text() (string, error) {
	if err := c.Version.supported(); err != nil {
		return "", err
	}
	// A '#' begins a comment even within quotes, '%' a pattern, and '\' an escape (oci.conf(5),
	// Slurm's src/common/parse_config.c).
	if strings.ContainsAny(c.Berth, "#%\\'\"\n\t ;&|<>$`()*?[]{}~!") || !strings.HasPrefix(c.Berth, "/") {
		return "", sdk.Mark(fmt.Errorf("the path %q cannot stand in oci.conf", c.Berth), sdk.ErrInvalid)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# oci.conf for Slurm %s, written by berth slurm conf; it belongs beside slurm.conf.\n", c.Version)
	b.WriteString("# Job users must be able to read it. Check it with: berth slurm conf --check FILE\n")
	if c.Version.AtLeast(Version{23, 2}) {
		b.WriteString("EnvExclude=\"^(SLURM_CONF|SLURM_CONF_SERVER)=\"\n")
		b.WriteString("RunTimeEnvExclude=\"^(SLURM_CONF|SLURM_CONF_SERVER)=\"\n")
		// In the /dev that every container has of its own, an image needs no directory for it.
		b.WriteString("MountSpoolDir=/dev/.slurm\n")
	}
	if c.IgnoreConfig {
		if err := c.ignoring(&b); err != nil {
			return "", err
		}
	} else {
		c.command(&b, "Run", "run", c.task()+" --bundle '%b' --signals="+c.Signals)
	}
	for _, call := range []string{"Query", "Kill", "Delete"} {
		c.command(&b, call, strings.ToLower(call), c.task())
	}
	return b.String(), nil
}

// task is how the commands name a task: numbers and the node's name only.
func (c Conf) task() string {
	task := "--job %j --step %s --task %t --node %n"
	if c.Version.AtLeast(Version{23, 2}) {
		task += " --uid %U"
	}
	return task
}

// command writes one RunTime option. "exec" leaves no shell behind that would hide the exit status
// of a signal.
func (c Conf) command(b *strings.Builder, option, verb, args string) {
	fmt.Fprintf(b, "RunTime%s=\"exec %s slurm %s %s\"\n", option, c.Berth, verb, args)
}

// ignoring writes the commands of IgnoreFileConfigJson. The image comes from the job's environment
// file: the pattern %b would put what the user wrote into a shell command.
func (c Conf) ignoring(b *strings.Builder) error {
	if !c.Version.AtLeast(Version{23, 2}) {
		return sdk.Mark(fmt.Errorf("Slurm %s has no IgnoreFileConfigJson: 23.02 or later is needed", c.Version), sdk.ErrUnsupported)
	}
	b.WriteString("# --container names a bundle, or a directory that is a root file system. Limits of this form, which\n")
	b.WriteString("# are Slurm's: before 26.05 no argument may hold a single quote; Slurm never calls Query, Kill and\n")
	b.WriteString("# Delete, so that accounting sees no end and what a killed task leaves waits for \"berth gc\".\n")
	b.WriteString("IgnoreFileConfigJson=true\n")
	b.WriteString("CreateEnvFile=null\n")
	c.command(b, "Run", "run", c.task()+" --env-file '%e' --signals="+c.Signals+" -- %@")
	return nil
}
