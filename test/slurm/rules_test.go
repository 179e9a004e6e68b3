package slurm

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
)

// Each condition of a rule sees what Slurm really tells a job's step and a batch job, and "berth slurm
// explain" in a job says the same as what then happens.
func TestRules(t *testing.T) {
	eachOne(t, plain, func(t *testing.T, s *site) {
		inImages := s.bundle(t)
		elsewhere := "/srv/elsewhere"
		s.asRoot(t, "rm", "-rf", elsewhere)
		s.asRoot(t, "cp", "-a", inImages, elsewhere)
		for name, c := range map[string]struct {
			rule      string
			options   []string
			env       []string
			container string
			want      string
		}{
			"no rule":        {`partition = ["other"]`, nil, nil, inImages, "crun"},
			"partition":      {`partition = ["oth*"]`, []string{"--partition=other"}, nil, inImages, "runc"},
			"account":        {`account = ["chem"]`, []string{"--account=chem"}, nil, inImages, "runc"},
			"user":           {`user = ["berthtest"]`, nil, nil, inImages, "runc"},
			"another user":   {`user = ["berth"]`, nil, []string{"SLURM_JOB_USER=berth"}, inImages, "crun"},
			"group":          {`group = ["berthgrp"]`, nil, nil, inImages, "runc"},
			"container":      {`container = ["/srv/bundles"]`, nil, nil, inImages, "runc"},
			"container not":  {`container = ["/srv/bundles"]`, nil, nil, elsewhere, "crun"},
			"quality":        {`qos = ["high"]`, nil, []string{"SLURM_JOB_QOS=high"}, inImages, "runc"}, // Slurm sets it where there is slurmdbd
			"GPUs":           {`gres = ["gpu:*"]`, []string{"--gpus=1"}, nil, inImages, "runc"},
			"GPUs of a kind": {`gres = ["gpu:a100:*"]`, []string{"--gpus=a100:1"}, nil, inImages, "runc"},
			"no GPUs":        {`gres = ["gpu*"]`, nil, nil, inImages, "crun"},
		} {
			config := "default_driver = \"crun\"\n[slurm]\naccounting = \"/srv/accounting\"\n[[rules]]\n" + c.rule + "\ndriver = \"runc\"\n"
			if err := s.node().WriteFile("/etc/berth/berth.toml", config, 0o644); err != nil {
				t.Fatal(err)
			}
			if err := s.node().WriteFile("/srv/accounting", "", 0o666); err != nil {
				t.Fatal(err)
			}
			batch := s.submit(t, call{args: append(c.options, "--container", c.container, "--wrap", "true"), env: c.env})
			step := s.submit(t, call{args: append(c.options, "--wrap",
				"srun --container "+c.container+" true; srun berth slurm explain --bundle "+c.container), env: c.env})
			if r := batch.result(); r.status != 0 {
				t.Errorf("%s, batch: %+v", name, r)
			}
			explained := step.result()
			for form, job := range map[string]string{"batch": batch.id(), "step": step.id()} {
				if got := s.accounted(t, "/srv/accounting", job, "start")["driver"]; got != c.want {
					t.Errorf("%s, %s: driver %v, want %s", name, form, got, c.want)
				}
			}
			if word := strings.SplitN(c.rule, " ", 2)[0]; !strings.HasPrefix(explained.stdout, "driver: "+c.want+"\n") ||
				c.want == "runc" && !strings.Contains(explained.stdout, "because: rule 1 (/etc/berth/berth.toml:4:3): "+word) {
				t.Errorf("%s: explained as %+v", name, explained)
			}
		}
	})
}

// accounted is the line of accounting about a job's start or end. It waits for it.
func (s *site) accounted(t testing.TB, file, job, event string) (line object) {
	t.Helper()
	await.True(t, func() string { return fmt.Sprintf("the %s of job %s in: %s", event, job, read(s.node().Path(file))) }, func() bool {
		for text := range strings.Lines(read(s.node().Path(file))) {
			line = object{}
			_, text, _ = strings.Cut(text, "{") // a syslog has a head
			if json.Unmarshal([]byte("{"+text), &line) == nil && line["job"] == job && line["event"] == event {
				return true
			}
		}
		return false
	})
	return line
}
