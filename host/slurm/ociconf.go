package slurm

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// option is one assignment of the file.
type option struct {
	line        int
	name, value string
}

// maxConfLine bounds a line of oci.conf, in bytes.
const maxConfLine = 64 << 10

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
