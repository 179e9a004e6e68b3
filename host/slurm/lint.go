package slurm

import (
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

// Lint reads an oci.conf as Slurm does and explains what is dangerous or wrong in it, in the order of
// the file.
func Lint(r io.Reader) ([]Fault, error) {
	options, err := parseConf(r)
	if err != nil {
		return nil, err
	}
	var faults []Fault
	for _, o := range options {
		for _, check := range []func(option) []Fault{unknownOption, unreadable, rootPatterns, ids, words, settings} {
			faults = append(faults, check(o)...)
		}
	}
	faults = append(faults, form(options)...)
	slices.SortStableFunc(faults, func(a, b Fault) int { return a.Line - b.Line })
	return faults, nil
}

func unknownOption(o option) []Fault {
	if slices.Contains(optionNames[:], o.name) {
		return nil
	}
	return []Fault{{o.line, o.name, "unknown option", "Slurm refuses the whole file, and then every container job fails", false}}
}

var patternLetter = regexp.MustCompile(`%(.?)`)

// unreadable finds what Slurm cannot make sense of: it knows these patterns, some of them not in every
// release, and ends slurmstepd on any other.
func unreadable(o option) []Fault {
	if strings.Count(o.value, `"`)%2 == 1 {
		return []Fault{{o.line, o.name, "a quotation mark without its partner", "Slurm refuses the whole file, and then every container job fails", true}}
	}
	if !strings.HasPrefix(o.name, "RunTime") || o.name == "RunTimeEnvExclude" {
		return nil
	}
	var faults []Fault
	for _, p := range patternLetter.FindAllStringSubmatch(o.value, -1) {
		if p[1] == "" || !strings.Contains("%@bejmnprstuUZ", p[1]) {
			faults = append(faults, Fault{o.line, o.name, "unknown pattern " + p[0], "slurmstepd ends on it: every container job fails", true})
		}
	}
	return faults
}

// byRoot are the commands that slurmstepd runs as root.
var byRoot = [...]string{"RunTimeQuery", "RunTimeKill", "RunTimeDelete"}

var usersState = regexp.MustCompile(`--root[= ]\S*%[uU]`)

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
	if usersState.MatchString(o.value) {
		faults = append(faults, Fault{o.line, o.name, "a user's directory as --root of a command that root runs",
			"the user can write there whose processes root then ends and whose files it removes", true})
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
	return faults
}

// settings finds options that do something else than their name says.
func settings(o option) []Fault {
	what, why := o.name+"="+o.value, ""
	switch {
	case o.name == "DisableHooks":
		what, why = o.name, "it has no effect in any release up to 26.05: the hooks stay in config.json; berth's policy refuses them"
	case o.name == "CreateEnvFile" && strings.EqualFold(o.value, "newline"):
		why = "a variable that holds a newline is left out of the job's environment, and nobody is told"
	case o.name == "DisableCleanup" && strings.EqualFold(o.value, "true"):
		why = "config.json, with the job's environment, stays on the node after every job"
	default:
		return nil
	}
	return []Fault{{o.line, o.name, what, why, false}}
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
			"Slurm never cleans up after a container, and before 26.05 an argument with a single quote fails", false})
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
