package slurm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/internal/golden"
)

// guideExample is an oci.conf that Slurm's Containers Guide shows, reduced to what matters here.
type guideExample struct {
	name string
	conf []string
}

// ociExample has the form of the guide's examples for runtimes with the command line of runc.
func ociExample(runtime string, commands ...string) guideExample {
	e := guideExample{name: runtime + " " + strings.Join(commands, " and ")}
	for _, command := range append([]string{"query", "kill", "delete"}, commands...) {
		verb := map[string]string{"query": "state", "kill": "kill -a", "delete": "delete --force", "run": "run -b %b", "create": "create -b %b"}[command]
		if verb == "" {
			verb = command
		}
		option := "RunTime" + strings.ToUpper(command[:1]) + command[1:]
		e.conf = append(e.conf, fmt.Sprintf("%s=\"%s --rootless=true --root=/run/user/%%U/ %s %%n.%%u.%%j.%%s.%%t\"", option, runtime, verb))
	}
	return e
}

// unmanaged has the form of its examples for runtimes that keep no state of a container.
func unmanaged(name, run string) guideExample {
	return guideExample{name, []string{"IgnoreFileConfigJson=true", `RunTimeRun="` + run + `"`,
		`RunTimeKill="kill -s SIGTERM %p"`, `RunTimeDelete="kill -s SIGKILL %p"`}}
}

var guideExamples = []guideExample{
	ociExample("runc", "create", "start"), ociExample("runc", "run"),
	ociExample("crun", "create", "start"), ociExample("crun", "run"),
	ociExample("nvidia-container-runtime", "create", "start"), ociExample("nvidia-container-runtime", "run"),
	unmanaged("singularity", "singularity exec --userns %r %@"),
	{"singularity in OCI mode", []string{
		`RunTimeQuery="sudo singularity oci state %n.%u.%j.%s.%t"`, `RunTimeRun="sudo singularity oci run --bundle %b %n.%u.%j.%s.%t"`,
		`RunTimeKill="sudo singularity oci kill %n.%u.%j.%s.%t"`, `RunTimeDelete="sudo singularity oci delete %n.%u.%j.%s.%t"`,
	}},
	{"singularity 3.8", []string{
		`OCIRunTimeQuery="sudo singularity oci state %n.%u.%j.%s.%t"`, `OCIRunTimeCreate="sudo singularity oci create --bundle %b %n.%u.%j.%s.%t"`,
		`OCIRunTimeDelete="sudo singularity oci delete %n.%u.%j.%s.%t`,
	}},
	{"charliecloud", append([]string{"CreateEnvFile=newline"}, unmanaged("", "env -i HOME=/home/$(whoami)/ ch-run -w --set-env=%e %r -- %@").conf...)},
	{"enroot", append([]string{"CreateEnvFile=newline"}, unmanaged("", "/usr/local/bin/enroot-start-wrapper %b %m %e -- %@").conf...)},
	unmanaged("several runtimes", "/opt/slurm-oci/run %b %m %u %U %n %j %s %t %@"),
}

// TestLintGuide: what the check says of each example of the guide.
func TestLintGuide(t *testing.T) {
	var text strings.Builder
	for _, e := range guideExamples {
		fmt.Fprintf(&text, "== %s\n", e.name)
		faults, err := Lint(strings.NewReader(strings.Join(e.conf, "\n")))
		if err != nil {
			t.Fatal(err)
		}
		if len(faults) == 0 {
			t.Errorf("%s: every example of the guide has its faults", e.name)
		}
		for _, f := range faults {
			kind := "warning"
			if f.Danger {
				kind = "danger"
			}
			fmt.Fprintf(&text, "%d: %s: %s: %s\n\t%s\n", f.Line, kind, f.Option, f.What, f.Why)
		}
	}
	golden.Check(t, "testdata/guide.txt", text.String())
}
