package slurm

import (
	"slices"
	"strings"
	"testing"
)

// awkward are texts that a shell, a template or a careless parser would change.
var awkward = []string{
	"two words", "it's", `a "quoted" word`, "$HOME ${PATH} $(id) `id`", "line\nline\n", `back\slash \n \\`, "tab\there",
	"%j %b %% %@", "# no comment", "*", "", " ", "-x", "--", "grüße ✓", "a;b|c&d", `'"'"'`, "\x01\x7f",
}

const tell = `for a; do printf '%s\0' "$a"; done`

func TestArguments(t *testing.T) {
	eachOfAll(t, func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		check := func(form, out string) {
			t.Helper()
			got := strings.Split(strings.TrimSuffix(out, "\x00"), "\x00")
			if !slices.Equal(got, awkward) {
				t.Errorf("%s: arrived\n%q, sent\n%q", form, got, awkward)
			}
		}
		check("step", s.ok(t, append([]string{"srun", "--container", bundle, "/bin/sh", "-c", tell, "sh"}, awkward...)...))

		script := "/home/berthtest/arguments-" + s.driver
		if err := s.node().WriteFile(script, "#!/bin/sh\n"+tell+"\n", 0o755); err != nil {
			t.Fatal(err)
		}
		check("batch", s.submit(t, call{args: append([]string{"--container", bundle, script}, awkward...)}).result().stdout)
	})
}

func TestEnvironment(t *testing.T) {
	eachOfAll(t, func(t *testing.T, s *site) {
		bundle := s.bundle(t, set(list{"PATH=/bin", "OF_IMAGE=yes", "BOTH=image"}, "process", "env"))
		var env []string
		for i, value := range awkward {
			env = append(env, "AWKWARD_"+string(rune('A'+i))+"="+value)
		}
		check := func(form, out string, want []string) {
			t.Helper()
			got := strings.Split(out, "\x00")
			missing := slices.DeleteFunc(want, func(entry string) bool { return slices.Contains(got, entry) })
			if len(missing) > 0 {
				t.Errorf("%s: %q are not in the environment\n%q", form, missing, got)
			}
			for _, entry := range got {
				if strings.HasPrefix(entry, "PLUGIN_") || strings.HasPrefix(entry, "BERTH_PLUGIN") {
					t.Errorf("%s: %q comes from berth", form, entry)
				}
			}
		}
		want := []string{"OF_IMAGE=yes", "SLURM_PROCID=0", "SLURM_LOCALID=0", "SLURMD_NODENAME=n1"}
		if !s.release.before("23.02") {
			want = append(want, "PATH=/bin") // Slurm's choice: before, what the job exports comes first
		}
		tell := []string{"--container", bundle, "/bin/env", "-0"}
		r := s.start(t, call{args: append([]string{"srun"}, tell...), env: env}).wait()
		check("step", r.stdout, slices.Concat(env, want))

		r = s.submit(t, call{args: []string{"--container", bundle, "--wrap", "/bin/env -0"}, env: env}).result()
		check("batch", r.stdout, slices.Concat(env, want))

		r = s.start(t, call{args: append([]string{"srun", "--export=NONE"}, tell...), env: env}).wait()
		check("--export=NONE", r.stdout, slices.Clone(want))
		if strings.Contains(r.stdout, "AWKWARD_") {
			t.Errorf("--export=NONE: %q", r.stdout)
		}
	})
}
