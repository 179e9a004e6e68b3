package drivertest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk/drivertest/internal/launcher"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/probe"
)

func environmentCases() []Case {
	return []Case{
		{"environment/argv",
			"Arguments reach the program byte for byte: empty, spaces, quotes, newlines, dollar signs, backslashes, UTF-8, options.",
			"oci.conf's templates are shell command lines; charliecloud and singularity expand $ in values.",
			(*trial).argvExact},
		{"environment/env",
			"Variables reach the program byte for byte, and no others but those by which a runtime describes the process (HOME, PWD).",
			"ch-run --set-env strips quotes and expands $; singularity evaluates --env-file in a shell.",
			(*trial).envExact},
		{"environment/large",
			"An argument and a variable of 128 KiB, the kernel's limit for one string, reach the program.",
			"A driver that passes the environment through a file or a message with a smaller limit.",
			(*trial).envLarge},
		{"environment/clean",
			"Nothing of what lies between berth and its driver, and nothing of the caller's that config.json does not name, is in the program's environment or the command's.",
			"go-plugin's variables reach whatever a driver starts; crun passes descriptors on for LISTEN_FDS.",
			(*trial).envClean},
		{"environment/hostile-names",
			"A bundle whose path looks like shell code and options is taken as a path.",
			"Slurm's %b in a template line, run by a shell.",
			(*trial).hostilePaths},
	}
}

// awkward are strings that something between the host and the program might alter.
func awkward() []string {
	return []string{
		"", " ", "two words", `'single' "double"`, "new\nline", "tab\tcr\r", "$HOME ${HOME} $(id) `id`", `back\slash \n`,
		"-", "--", "--help", "-x", "a=b", "*?[a]", "~", "#", ";&|<>", "!%s%d%%", "{{.ID}}", "größe 日本 🚢", "\u0001\u007f",
		"last",
	}
}

func (t *trial) report(c *container, req launcher.Request, s streams) *probe.Report {
	task := c.launch(req, s)
	if task.stdin != nil {
		task.stdin.Close()
	}
	task.wait()
	task.lacks()
	return t.reportOf(task)
}

// reportOf is the report that an ended task has printed. It ends the case where there is none.
func (t *trial) reportOf(task *task) *probe.Report {
	if task.status() != 0 {
		t.Fatalf("the program could not report: %s", task.describe())
	}
	return t.parseReport([]byte(task.out.String()))
}

func (t *trial) argvExact() {
	want := append([]string{probe.Name, "report"}, awkward()...)
	r := t.report(t.container(want[1:]), launcher.Request{}, streams{})
	t.sameStrings("argument", r.Args, want)
}

func (t *trial) sameStrings(what string, got, want []string) {
	if len(got) != len(want) {
		t.Errorf("%d %ss instead of %d: %q", len(got), what, len(want), got)
		return
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s %d is %q instead of %q", what, i, clip(got[i]), clip(want[i]))
		}
	}
}

func (t *trial) envExact() {
	c := t.container([]string{"report"}, func(spec *specs.Spec) {
		for i, value := range awkward() {
			spec.Process.Env = append(spec.Process.Env, fmt.Sprintf("V%d=%s", i, value))
		}
		spec.Process.Env = append(spec.Process.Env, "with.dot=1", "lower_case=2", "SLURM_JOB_ID=42", "LD_LIBRARY_PATH=/opt/lib")
	})
	t.sameEnv(t.report(c, launcher.Request{}, streams{}).Env, c.spec.Process.Env)
}

func (t *trial) sameEnv(got, want []string) {
	for _, entry := range want {
		if !slices.Contains(got, entry) {
			t.Errorf("the program lacks %q", clip(entry))
		}
	}
	for _, entry := range got {
		name, _, _ := strings.Cut(entry, "=")
		switch {
		case slices.Contains(want, entry):
		case name == "HOME" || name == "PWD":
			t.Notef("the runtime sets %s", entry)
		default:
			t.Errorf("the program has %q, which config.json does not name", clip(entry))
		}
	}
}

// maxString is the longest argument or variable, without its final NUL (execve(2), MAX_ARG_STRLEN).
const maxString = 128<<10 - 1

func (t *trial) envLarge() {
	const name = "LARGE="
	value := strings.Repeat("x", maxString-len(name))
	c := t.container([]string{"report", strings.Repeat("y", maxString)}, func(spec *specs.Spec) {
		spec.Process.Env = append(spec.Process.Env, name+value)
	})
	r := t.report(c, launcher.Request{}, streams{})
	if len(r.Args) != 3 || len(r.Args[2]) != maxString {
		t.Errorf("the large argument did not arrive whole")
	}
	t.sameEnv(r.Env, c.spec.Process.Env)
}

func (t *trial) envClean() {
	c := t.container([]string{"report"})
	r := t.report(c, launcher.Request{}, streams{env: []string{
		"PLUGIN_CLIENT_CERT=junk", "PLUGIN_MIN_PORT=1", "BERTH_DRIVER=none", "BERTH_DRIVER_COOKIE=junk",
		"LISTEN_FDS=2", "NOTIFY_SOCKET=/tmp/none", "DRIVERTEST_CALLERS=1",
	}})
	t.sameEnv(r.Env, c.spec.Process.Env)
	a, _ := c.tasks[0].plan()
	for _, entry := range a.Command.Env {
		name, _, _ := strings.Cut(entry, "=")
		for _, bad := range []string{"PLUGIN_", "BERTH_", "LISTEN_", "NOTIFY_SOCKET", "GOMAXPROCS", "DRIVERTEST_CALLERS"} {
			if strings.HasPrefix(name, bad) {
				t.Errorf("the command's environment has %q", entry)
			}
		}
	}
}

func (t *trial) hostilePaths() {
	c := t.container([]string{"exit", "5"})
	name := "-b $(touch owned) ;'\" new\nline ö"
	bundle := filepath.Join(c.dir, "bundle", name)
	t.must(os.Mkdir(bundle, 0o700))
	c.spec.Root.Path = filepath.Join(bundle, "rootfs")
	t.must(os.Rename(filepath.Join(c.about.Bundle, "rootfs"), c.spec.Root.Path))
	c.about.Bundle = bundle
	t.must(writeSpec(bundle, c.spec))
	t.endsWith(c, 5)
}
