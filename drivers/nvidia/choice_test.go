package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

func TestChoice(t *testing.T) {
	slurm := []string{"SLURM_JOB_GPUS=2,3,5", "SLURM_STEP_GPUS=3,5", "CUDA_VISIBLE_DEVICES=0,1"}
	for _, test := range []struct {
		name, mode, devices string
		env, job            []string // a nil job is none
		annotation          string
		want                []string // of the environment, as far as it is about devices
		asked               string   // part of; empty: nobody asks
		required            bool
	}{
		{name: "nobody asks", job: []string{}},
		{name: "outside a job", env: []string{"CUDA_VISIBLE_DEVICES=1"}, want: []string{"CUDA_VISIBLE_DEVICES=1"}},
		{name: "by variable", env: []string{"NVIDIA_VISIBLE_DEVICES=1"}, want: []string{"NVIDIA_VISIBLE_DEVICES=1"}, asked: "=1", required: true},
		{name: "variable before the job's", env: []string{"NVIDIA_VISIBLE_DEVICES=GPU-x"}, job: slurm, want: []string{"NVIDIA_VISIBLE_DEVICES=GPU-x"}, asked: "GPU-x", required: true},
		{name: "none", env: []string{"NVIDIA_VISIBLE_DEVICES=none"}, job: slurm, want: []string{"NVIDIA_VISIBLE_DEVICES=none"}, asked: "none"},
		{name: "void", env: []string{"NVIDIA_VISIBLE_DEVICES=void"}, job: slurm, want: []string{"NVIDIA_VISIBLE_DEVICES=void"}},
		{name: "empty", env: []string{"NVIDIA_VISIBLE_DEVICES="}, job: slurm, want: []string{"NVIDIA_VISIBLE_DEVICES="}},
		{name: "all outside a job", env: []string{"NVIDIA_VISIBLE_DEVICES=all"}, want: []string{"NVIDIA_VISIBLE_DEVICES=all"}, asked: "=all", required: true},
		{name: "all is the job's", mode: "cdi", env: []string{"NVIDIA_VISIBLE_DEVICES=all"}, job: slurm, want: []string{"NVIDIA_VISIBLE_DEVICES=3,5"}, asked: "SLURM_STEP_GPUS", required: true},
		{name: "job, by the node's numbers", mode: "cdi", env: []string{"CUDA_VISIBLE_DEVICES=3,5"}, job: slurm, want: []string{"CUDA_VISIBLE_DEVICES=0,1", "NVIDIA_VISIBLE_DEVICES=3,5"}, asked: "SLURM_STEP_GPUS gives as 3,5", required: true},
		{name: "job, by the library's numbers", mode: "auto", env: []string{"CUDA_VISIBLE_DEVICES=0,1"}, job: slurm, want: []string{"CUDA_VISIBLE_DEVICES=0,1", "NVIDIA_VISIBLE_DEVICES=0,1"}, asked: "CUDA_VISIBLE_DEVICES gives as 0,1", required: true},
		{name: "job without steps", mode: "cdi", job: slurm[:1], want: []string{"NVIDIA_VISIBLE_DEVICES=2,3,5"}, asked: "SLURM_JOB_GPUS", required: true},
		{name: "names stay", env: []string{"CUDA_VISIBLE_DEVICES=GPU-a,MIG-b"}, job: []string{"CUDA_VISIBLE_DEVICES=GPU-a,MIG-b"}, want: []string{"CUDA_VISIBLE_DEVICES=GPU-a,MIG-b", "NVIDIA_VISIBLE_DEVICES=GPU-a,MIG-b"}, asked: "GPU-a,MIG-b", required: true},
		{name: "Slurm's none", job: []string{"CUDA_VISIBLE_DEVICES=NoDevFiles"}},
		{name: "only their number", job: []string{"SLURM_GPUS_ON_NODE=2"}, want: []string{"NVIDIA_VISIBLE_DEVICES=all"}, asked: "SLURM_GPUS_ON_NODE", required: true},
		{name: "no GPUs on the node", job: []string{"SLURM_GPUS_ON_NODE=0"}},
		{name: "the job's are not wanted", devices: none, job: slurm},
		{name: "by annotation", annotation: "cdi.k8s.io/x", job: slurm, asked: "annotation cdi.k8s.io/x", required: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := &driver{settings: defaults()}
			d.settings.Mode = test.mode
			if test.devices != "" {
				d.settings.Devices = test.devices
			}
			spec := &specs.Spec{Process: &specs.Process{Env: test.env}}
			if test.annotation != "" {
				spec.Annotations = map[string]string{test.annotation: "nvidia.com/gpu=0"}
			}
			var step *sdk.Step
			if test.job != nil {
				step = &sdk.Step{Env: test.job}
			}
			got := d.choose(spec, step)
			if diff := cmp.Diff(test.want, got.env); diff != "" {
				t.Error(diff)
			}
			if (got.asked == "") != (test.asked == "") || !strings.Contains(got.asked, test.asked) || got.required != test.required {
				t.Errorf("asked %q, required %v", got.asked, got.required)
			}
		})
	}
}
