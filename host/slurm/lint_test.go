package slurm

import (
	"fmt"
	"strings"
	"testing"
)

// TestLint: each line is an option as sites write it, and what has to be said about it.
func TestLint(t *testing.T) {
	complete := "RunTimeRun=\"exec runc run x\"\nRunTimeQuery=\"runc state x\"\nRunTimeKill=\"runc kill x\"\nRunTimeDelete=\"runc delete x\"\n"
	for name, c := range map[string]struct{ conf, says string }{
		"good":                        {complete, ""},
		"create and start":            {complete + "RunTimeCreate=\"runc create x\"", "5 is true: RunTimeCreate: RunTimeCreate and RunTimeStart"},
		"bundle pattern for root":     {strings.Replace(complete, "runc state x", "runc state %b", 1), "2 is true: RunTimeQuery: %b in a command that root runs"},
		"rootfs pattern for root":     {strings.Replace(complete, "runc kill x", "runc kill %r", 1), "3 is true: RunTimeKill: %r in a command that root runs"},
		"environment file for root":   {strings.Replace(complete, "runc delete x", "runc delete %e", 1), "4 is true: RunTimeDelete: %e in a command that root runs"},
		"bundle pattern for the user": {strings.Replace(complete, "runc run x", "runc run -b %b x", 1), ""},
		"id with the task":            {strings.Replace(complete, "runc state x", "runc state %n.%j.%s.%t", 1), "2 is false: RunTimeQuery: %t in a container ID"},
		"ignoring config.json":        {complete + "ignorefileconfigjson=TRUE", "5 is false: IgnoreFileConfigJson: IgnoreFileConfigJson"},
		"nvidia run":                  {strings.Replace(complete, "runc run x", "nvidia-container-runtime run x", 1), "1 is true: RunTimeRun: nvidia-container-runtime run"},
		"kill of no process":          {strings.Replace(complete, "runc kill x", "kill -s SIGTERM %p", 1), "3 is true: RunTimeKill: %p in a command that root runs"},
		"no exec":                     {strings.Replace(complete, "exec ", "", 1), "1 is false: RunTimeRun: no \"exec\" in front"},
		"sudo":                        {strings.Replace(complete, "exec runc", "exec sudo singularity oci", 1), "1 is true: RunTimeRun: sudo"},
		"misspelt":                    {complete + "RunTimeRunn=x", "5 is false: RunTimeRunn: unknown option"},
		"nothing to delete with":      {strings.Replace(complete, "RunTimeDelete=\"runc delete x\"", "", 1), "0 is true: RunTimeDelete: missing"},
		"hooks":                       {complete + "DisableHooks=prestart", "5 is false: DisableHooks: DisableHooks"},
		"state that users write":      {strings.Replace(complete, "runc kill x", "runc --root=/run/user/%U/ kill x", 1), "3 is true: RunTimeKill: a user's directory as --root"},
		"environment by lines":        {complete + "CreateEnvFile=newline", "5 is false: CreateEnvFile: CreateEnvFile=newline"},
		"no clean-up":                 {complete + "DisableCleanup=true", "5 is false: DisableCleanup: DisableCleanup=true"},
		"unknown pattern":             {strings.Replace(complete, "runc run x", "runc run %i", 1), "1 is true: RunTimeRun: unknown pattern %i"},
		"pattern cut off":             {strings.Replace(complete, "runc run x", "runc run %", 1), "1 is true: RunTimeRun: unknown pattern %"},
		"all patterns":                {strings.Replace(complete, "runc run x", "x %% %@ %b %e %j %m %n %p %r %s %t %u %U %Z", 1), ""},
		"half quoted":                 {strings.Replace(complete, "run x\"", "run x", 1), "1 is true: RunTimeRun: a quotation mark without its partner"},
		"comment":                     {complete + "# RunTimeCreate=x", ""},
		"empty":                       {"", "0 is true: RunTimeRun: no command runs a container"},
	} {
		t.Run(name, func(t *testing.T) {
			faults, err := Lint(strings.NewReader(c.conf))
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, f := range faults {
				all = append(all, fmt.Sprintf("%d is %v: %s: %s", f.Line, f.Danger, f.Option, f.What))
				if f.Why == "" {
					t.Errorf("no reason for %s", f.What)
				}
			}
			text := strings.Join(all, "\n")
			if c.says == "" && text != "" || c.says != "" && !strings.Contains(text, c.says) {
				t.Errorf("got %q, want %q", text, c.says)
			}
		})
	}
}
