package config

import (
	"github.com/berth-hpc/berth/host/cdi"
	"github.com/berth-hpc/berth/host/trust"
)

// key is one key of the file: the only place where its name, its meaning and its rules stand.
type key struct {
	name  string
	doc   string // one sentence for an administrator, without a capital and a full stop
	value value
}

// keys binds the keys of the file to the fields of c. It is a list, not struct tags, because the
// decoder of a TOML library stops at the first wrong type and knows no positions, and tags would need
// reflection to be shown. Keys without a table come first: TOML has no way back out of one.
func (c *Config) keys() table {
	return table{
		{"default_driver", "driver where no rule matches and the job asks for none; \"auto\" is the first one whose check passes", text{&c.DefaultDriver, trust.ValidateDriverName}},
		{"init", "keep berth-init as process 1 of every container, as with --init", toggle{&c.Init}},
		{"devices", "devices for every container, such as \"nvidia.com/gpu=0\" of a CDI specification or \"/dev/fuse\"; a rule's own take their place", list{to: &c.Devices, check: cdi.ValidateName, empty: true}},
		{"cdi_dirs", "absolute paths of the directories with CDI specifications, which only root may be able to change; of one device in several the last counts", list{to: &c.CDIDirs, check: absolutePath, empty: true}},
		{"log", "what berth says of its own work", c.Log.keys()},
		{"slurm", "how container jobs of Slurm are run", c.Slurm.keys()},
		{"deadlines", "how long berth waits for a driver before it gives up; never for the container itself", c.Deadlines.keys()},
		{"policy", "what jobs and the bundles that users bring may do", c.Policy.keys()},
		{"drivers", "one table for each driver, [drivers.NAME]; every key but these is a setting of the driver's own", drivers{&c.Drivers}},
		{"rules", "which jobs get which driver: all keys of a rule have to match, one pattern of a key is enough, and the first rule that matches counts", rules{&c.Rules}},
	}
}

func (l *Log) keys() table {
	return table{
		{"level", "the least important messages that are written: \"error\", \"warn\", \"info\" or \"debug\"", text{&l.Level, logLevel}},
		{"file", "absolute path of the file to append them to, which the jobs' users must be able to write; standard error where there is none", text{&l.File, absolutePath}},
	}
}

func (s *Slurm) keys() table {
	return table{
		{"init", "keep berth-init as process 1, so that signals reach the program; a bundle's annotation org.berth.init overrides it", toggle{&s.Init}},
		{"find_commands", "look on the container's own PATH for a command that Slurm found on the node and that is not in the container", toggle{&s.FindCommands}},
		{"accounting", "where a line for each container's start and end goes: \"syslog\", or the absolute path of a file that the jobs' users can write", text{&s.Accounting, accountingTarget}},
	}
}

func (d *Deadlines) keys() table {
	return table{
		{"handshake", "from a driver's start to its handshake", duration{&d.Handshake}},
		{"check", "until a driver has looked at the node", duration{&d.Check}},
		{"state", "until a driver has told a container's state", duration{&d.State}},
		{"run", "until a driver has planned a run, create or exec", duration{&d.Run}},
		{"start", "until a created container is started", duration{&d.Start}},
		{"kill", "until a signal is sent, or a container paused or resumed", duration{&d.Kill}},
		{"delete", "until a container is deleted", duration{&d.Delete}},
		{"prepare", "until what the tasks of a step share is ready, such as an imported image", duration{&d.Prepare}},
		{"release", "until that is cleared away again", duration{&d.Release}},
	}
}

func (d *Driver) keys() table {
	return table{
		{"path", "absolute path of a driver that is not in berth's own driver directory", text{&d.Path, absolutePath}},
		{"sha256", "checksum that the driver's file must have, in hexadecimal as sha256sum prints it", text{&d.SHA256, checksum}},
	}
}

func (r *Rule) keys() table {
	return table{
		{"partition", "patterns for the job's partition", list{to: &r.Partition, check: pattern}},
		{"account", "patterns for the job's account", list{to: &r.Account, check: pattern}},
		{"user", "patterns for the job's user name", list{to: &r.User, check: pattern}},
		{"group", "patterns for any of the user's group names", list{to: &r.Group, check: pattern}},
		{"qos", "patterns for the job's quality of service", list{to: &r.QOS, check: pattern}},
		{"gres", "patterns for any of the job's generic resources, such as \"gpu:*\"", list{to: &r.GRES, check: pattern}},
		{"container", "patterns for the absolute path of the bundle or image, or of a directory above it", list{to: &r.Container, check: pattern}},
		{"driver", "driver of the jobs that match, or \"auto\"; required", text{&r.Driver, trust.ValidateDriverName}},
		{"devices", "devices of the containers that match, in place of those above the first table", list{to: &r.Devices, check: cdi.ValidateName, empty: true}},
	}
}
