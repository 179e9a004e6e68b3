package slurm

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// Fault is something in an oci.conf that does not do what its author wanted.
type Fault struct {
	Line   int    `json:"line"`   // from 1; 0: the file as a whole
	Option string `json:"option"` // as Slurm spells it
	What   string `json:"what"`
	Why    string `json:"why"` // what happens
	Danger bool   `json:"danger"`
}

// option is one assignment of the file.
type option struct {
	line        int
	name, value string
}

// maxConfLine bounds a line of oci.conf, in bytes.
const maxConfLine = 64 << 10

// Lint reads an oci.conf as Slurm does and explains what is dangerous or wrong in it, in the order of
// the file.
func Lint(r io.Reader) ([]Fault, error) {
	options, err := parseConf(r)
	if err != nil {
		return nil, err
	}
	var faults []Fault
	for _, o := range options {
		for _, check := range []func(option) []Fault{unknownOption, rootPatterns, ids, words} {
			faults = append(faults, check(o)...)
		}
	}
	faults = append(faults, form(options)...)
	slices.SortStableFunc(faults, func(a, b Fault) int { return a.Line - b.Line })
	return faults, nil
}

// parseConf splits the file into options: NAME=VALUE, a '#' begins a comment wherever it stands unless
// a '\' is before it (Slurm's src/common/parse_config.c).
func parseConf(r io.Reader) ([]option, error) {
	var options []option
	in := bufio.NewScanner(r)
	in.Buffer(nil, maxConfLine)
	for line := 1; in.Scan(); line++ {
		text := stripComment(in.Text())
		name, value, found := strings.Cut(strings.TrimSpace(text), "=")
		if !found {
			continue
		}
		value = strings.TrimSpace(value)
		if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
			value = value[1 : len(value)-1]
		}
		options = append(options, option{line: line, name: canonical(strings.TrimSpace(name)), value: value})
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("reading oci.conf: %w", err)
	}
	return options, nil
}

func stripComment(text string) string {
	for i := range len(text) {
		if text[i] == '#' && (i == 0 || text[i-1] != '\\') {
			return text[:i]
		}
	}
	return text
}

// optionNames are the options of oci.conf(5), as Slurm spells them.
var optionNames = [...]string{
	"ContainerPath", "CreateEnvFile", "DebugFlags", "DisableCleanup", "DisableHooks", "EnvExclude", "FileDebug",
	"IgnoreFileConfigJson", "MountSpoolDir", "RunTimeCreate", "RunTimeDelete", "RunTimeEnvExclude", "RunTimeKill",
	"RunTimeQuery", "RunTimeRun", "RunTimeStart", "SrunArgs", "SrunPath", "StdIODebug", "SyslogDebug",
}

// canonical spells an option as Slurm does, whose names do not depend on case.
func canonical(name string) string {
	for _, known := range optionNames {
		if strings.EqualFold(name, known) {
			return known
		}
	}
	return name
}

func unknownOption(o option) []Fault {
	if slices.Contains(optionNames[:], o.name) {
		return nil
	}
	return []Fault{{o.line, o.name, "unknown option", "Slurm refuses the whole file, and then every container job fails", false}}
}

// byRoot are the commands that slurmstepd runs as root.
var byRoot = [...]string{"RunTimeQuery", "RunTimeKill", "RunTimeDelete"}

var userPattern = regexp.MustCompile(`%[bre@]`)

// rootPatterns finds what a user controls in a command that root hands to a shell.
func rootPatterns(o option) []Fault {
	if !slices.Contains(byRoot[:], o.name) {
		return nil
	}
	var faults []Fault
	for _, p := range dedupe(userPattern.FindAllString(o.value, -1)) {
		why := "Slurm runs this as root and puts the text into a shell command: what a user names a bundle or argument is then executed by root"
		if p == "%e" {
			why = "from 25.05 on it is \"(null)/environment\" here, which the shell takes for a syntax error: the command never runs"
		}
		faults = append(faults, Fault{o.line, o.name, p + " in a command that root runs", why, true})
	}
	if strings.Contains(o.value, "%p") {
		faults = append(faults, Fault{o.line, o.name, "%p in a command that root runs", "it is 4294967295 there, never a process: nothing is ended", true})
	}
	return faults
}

func dedupe(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// ids finds container IDs that do not match at clean-up. berth's own --task takes the -1.
func ids(o option) []Fault {
	if !slices.Contains(byRoot[:], o.name) || !strings.Contains(o.value, "%t") || strings.Contains(o.value, "slurm ") {
		return nil
	}
	return []Fault{{o.line, o.name, "%t in a container ID", "from 23.11.5 on it is -1 when Slurm cleans up: the container is never found and never deleted", false}}
}

var (
	shellFirst = regexp.MustCompile(`^\s*exec\s`)
	nvidiaRun  = regexp.MustCompile(`nvidia-container-runtime\b.*\srun\b`)
	killPid    = regexp.MustCompile(`\bkill\b.*%p`)
)

// words finds commands that cannot do what they look like.
func words(o option) []Fault {
	var faults []Fault
	add := func(what, why string, danger bool) { faults = append(faults, Fault{o.line, o.name, what, why, danger}) }
	if nvidiaRun.MatchString(o.value) {
		add("nvidia-container-runtime run", "it injects GPUs on \"create\" only: the job runs without any, and says nothing", true)
	}
	if killPid.MatchString(o.value) && !slices.Contains(byRoot[:], o.name) {
		add("kill %p", "it is 4294967295 here, never a process", true)
	}
	if o.name == "RunTimeRun" && !shellFirst.MatchString(o.value) {
		add("no \"exec\" in front", "a shell stays between Slurm and the container: it takes the signals, and the container outlives it", false)
	}
	if strings.Contains(o.value, "sudo ") {
		add("sudo", "users choose what is in the bundle that root then runs", true)
	}
	if o.name == "DisableHooks" {
		add("DisableHooks", "it has no effect in any release up to 26.05: the hooks stay in config.json; berth's policy refuses them", false)
	}
	return faults
}

// form finds what is wrong with the commands together.
func form(options []option) []Fault {
	have := map[string]option{}
	for _, o := range options {
		if o.value != "" {
			have[o.name] = o
		}
	}
	var faults []Fault
	if o, ok := have["RunTimeCreate"]; ok {
		faults = append(faults, Fault{o.line, o.name, "RunTimeCreate and RunTimeStart",
			"runc waits for ever in this form, the job's output is lost, and every exit status becomes 0; use RunTimeRun", true})
	}
	if o, ok := have["IgnoreFileConfigJson"]; ok && strings.EqualFold(o.value, "true") {
		faults = append(faults, Fault{o.line, o.name, "IgnoreFileConfigJson",
			"Slurm never cleans up after a container, and an argument with a single quote fails", false})
	}
	if _, run := have["RunTimeRun"]; !run {
		if _, create := have["RunTimeCreate"]; !create {
			faults = append(faults, Fault{0, "RunTimeRun", "no command runs a container", "Slurm refuses the file, and then every container job fails", true})
		}
	}
	for _, name := range []string{"RunTimeKill", "RunTimeDelete", "RunTimeQuery"} {
		if _, ok := have[name]; !ok && !strings.EqualFold(have["IgnoreFileConfigJson"].value, "true") {
			faults = append(faults, Fault{0, name, "missing", "what a killed job leaves is never removed, or Slurm refuses the file", true})
		}
	}
	return faults
}
