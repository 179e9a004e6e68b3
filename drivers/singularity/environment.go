package main

import (
	"slices"
	"strings"
)

// ownEnvironment is what the runtime gets whoever calls it.
func ownEnvironment() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
}

// environment returns the environment of the runtime, which is the program's but for the variables
// that the runtime obeys, changes or loses, and the options by which berth-init, inside, makes of it
// what config.json says. private is the directory for what the runtime would keep in the user's home.
//
// The runtime's own ways are not used: the file of --env-file is run by a shell, and in --env and the
// variables SINGULARITYENV_… a $ is expanded by releases that lack --no-eval. A command line can be
// read by every user of the node, an environment cannot: so only what has to goes there.
func (f *found) environment(env []string, private string) (own, options []string) {
	own = append(ownEnvironment(),
		"HOME="+private, f.prefix+"_CONFIGDIR="+private, f.prefix+"_CACHEDIR="+private)
	for _, name := range added() {
		options = append(options, "--unset", name)
	}
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		if obeyed(name) || !isIdentifier(name) || rewritten(value) {
			options = append(options, "--set", entry)
		} else {
			own = append(own, entry)
		}
	}
	return own, options
}

// added are the variables that the runtimes set for the program, and ours.
func added() []string {
	names := []string{
		"PATH", "LC_ALL", "HOME", "PWD", "OLDPWD", "SHLVL", "USER_PATH", "PS1", "PROMPT_COMMAND", "LD_LIBRARY_PATH", "UID", "GID", "EUID", "TMPDIR",
	}
	for _, prefix := range []string{"APPTAINER_", "SINGULARITY_"} {
		for _, name := range []string{
			"APPNAME", "BIND", "CACHEDIR", "COMMAND", "CONFIGDIR", "CONTAINER", "ENVIRONMENT", "INIT", "MESSAGELEVEL", "NAME", "NO_EVAL", "SHELL", "TMPDIR",
		} {
			names = append(names, prefix+name)
		}
	}
	return names
}

// obeyed says whether a variable changes what the runtime, its shell interpreter, Go, the C library or
// its loader do, or they it.
func obeyed(name string) bool {
	for _, prefix := range []string{
		"LD_", "APPTAINER", "SINGULARITY", "SING_", "GLIBC_", "MALLOC_", "XDG_", "DBUS_", "FUSE", "__", "PREPEND_", "APPEND_",
	} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return slices.Contains(added(), name) || slices.Contains([]string{
		"GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK", "GOCOVERDIR", "IFS", "OPTIND", "OPTARG", "PPID", "HOSTNAME", "BASH_ENV", "ENV", "CDPATH", "LOCPATH", "NLSPATH", "GCONV_PATH", "HOSTALIASES",
		"RES_OPTIONS", "FAKEROOTKEY", "USER", "LOGNAME", "SUDO_UID", "SUDO_GID", "SUDO_USER",
	}, name)
}

// rewritten says whether the runtime's interpreter makes something else of a value: a home directory
// of a tilde, and a new line of what it writes for one meanwhile.
func rewritten(value string) bool {
	return strings.Contains(value, "~") || strings.Contains(value, `\u000A`)
}

// isIdentifier says whether a shell could hold the variable: the runtime's interpreter drops all others.
func isIdentifier(name string) bool {
	return name != "" && strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == "" && (name[0] < '0' || name[0] > '9')
}
