package config

import "time"

// Auto in the place of a driver's name stands for the first driver whose check passes.
const Auto = "auto"

// Config is the effective configuration: the file's values, and the defaults of the rest. It is
// not changed after it was made.
type Config struct {
	Source        string   // the file's name as given to Parse; empty: there is none, all is default
	DefaultDriver string   // a driver's name or Auto
	Init          bool     // keep berth-init as process 1 of every container
	Devices       []string // for every container, unless a rule says otherwise: see cdi.ValidateName
	CDIDirs       []string // absolute paths of directories with CDI specifications; later ones go first
	Log           Log
	Slurm         Slurm
	Deadlines     Deadlines
	Policy        Policy
	Drivers       map[string]Driver // by name: those that have a table in the file
	Rules         []Rule            // in the order of the file

	source *source // nil without a file
}

// Log is how much berth says of its own work, and where.
type Log struct {
	Level string // "error", "warn", "info" or "debug"
	File  string // absolute; empty: standard error
}

// Slurm is how container jobs of Slurm are run.
type Slurm struct {
	Init         bool   // keep berth-init as process 1, so that signals reach the program
	FindCommands bool   // look in the container for a command that Slurm found on the node
	Accounting   string // absolute path of a file, "syslog", or empty
}

// Deadlines are the longest that the host waits for a driver. None of them is zero.
type Deadlines struct {
	Handshake time.Duration // from a driver's start to its first line
	Check     time.Duration // Describe and Check
	State     time.Duration // State
	Run       time.Duration // Run, Create and Exec: until the plan is there
	Start     time.Duration // Start
	Kill      time.Duration // Kill, Pause and Resume
	Delete    time.Duration // Delete
	Prepare   time.Duration // Prepare
	Release   time.Duration // Release
}

// Default returns the configuration of a node that has no file.
func Default() *Config {
	return &Config{
		DefaultDriver: Auto,
		Devices:       []string{},
		CDIDirs:       []string{"/etc/cdi", "/var/run/cdi"},
		Log:           Log{Level: "warn"},
		Slurm:         Slurm{Init: true, FindCommands: true},
		Deadlines: Deadlines{
			Handshake: 5 * time.Second,
			Check:     5 * time.Second,
			State:     5 * time.Second,
			Run:       60 * time.Second,
			Start:     10 * time.Second,
			Kill:      5 * time.Second,
			Delete:    15 * time.Second,
			Prepare:   30 * time.Minute,
			Release:   60 * time.Second,
		},
		Policy: Policy{
			UserDrivers: []string{"*"},
			Hooks:       []string{},
			Annotations: []string{},
			Devices:     []string{},
		},
	}
}
