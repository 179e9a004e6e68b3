package main

import (
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// visible is the variable by which containers ask nvidia-container-runtime for devices.
const visible = "NVIDIA_VISIBLE_DEVICES"

// choice is which devices a container is to have.
type choice struct {
	env      []string // the environment that asks for them
	asked    string   // who asks for what, for people; empty where nobody asks
	required bool     // without any the container must not run
}

// choose finds the devices of a container: those that it asks for itself, by variable or annotation,
// else those of its job. "all", which images say too, is all of the job's.
func (d *driver) choose(spec *specs.Spec, step *sdk.Step) choice {
	env := spec.Process.Env
	wish, set := lookup(env, visible)
	given, from := "", ""
	if step != nil && d.settings.Devices == ofJob {
		given, from = assigned(step.Env, d.settings.Mode == "cdi")
	}
	switch {
	case set && wish == "all" && given != "":
		return fromJob(env, given, "all of the job's GPUs, which "+from+" gives")
	case set && slices.Contains([]string{"", "void"}, wish):
		return choice{env: env}
	case set && wish == "none":
		return choice{env: env, asked: visible + "=none"}
	case set:
		return choice{env: env, asked: visible + "=" + wish, required: true}
	}
	for name := range spec.Annotations {
		if strings.HasPrefix(name, "cdi.k8s.io/") {
			return choice{env: env, asked: "annotation " + name, required: true}
		}
	}
	if given != "" {
		return fromJob(env, given, "the job's GPUs, which "+from+" gives")
	}
	return choice{env: env}
}

// fromJob asks for devices by their number or name on the node. Programs count what the container has
// from 0 on: so does CUDA_VISIBLE_DEVICES there, if it has numbers.
func fromJob(env []string, devices, asked string) choice {
	env = slices.DeleteFunc(slices.Clone(env), func(entry string) bool { return strings.HasPrefix(entry, visible+"=") })
	for i, entry := range env {
		if list, ok := strings.CutPrefix(entry, "CUDA_VISIBLE_DEVICES="); ok && numbers(list) > 0 {
			env[i] = "CUDA_VISIBLE_DEVICES=" + upTo(numbers(list))
		}
	}
	return choice{env: append(env, visible+"="+devices), asked: asked + " as " + devices, required: true}
}

// assigned returns the GPUs of a job and the variable that names them. Slurm numbers them on the node
// in SLURM_STEP_GPUS and SLURM_JOB_GPUS. In CUDA_VISIBLE_DEVICES they are numbered as NVIDIA's own
// library sees them, which with ConstrainDevices are only the job's: whoever asks that library, as
// all modes but cdi do, has to use that one.
func assigned(job []string, byNode bool) (devices, from string) {
	names := []string{"CUDA_VISIBLE_DEVICES", "SLURM_STEP_GPUS", "SLURM_JOB_GPUS"}
	if byNode {
		names = []string{"SLURM_STEP_GPUS", "SLURM_JOB_GPUS", "CUDA_VISIBLE_DEVICES"}
	}
	for _, name := range names {
		value, _ := lookup(job, name)
		if value != "" && value != "NoDevFiles" && value != "-1" {
			return value, name
		}
	}
	if n, _ := lookup(job, "SLURM_GPUS_ON_NODE"); numbers(n) == 1 && n != "0" {
		return "all", "SLURM_GPUS_ON_NODE"
	}
	return "", ""
}

// lookup returns the last value of a variable.
func lookup(env []string, name string) (value string, set bool) {
	for _, entry := range env {
		if v, ok := strings.CutPrefix(entry, name+"="); ok {
			value, set = v, true
		}
	}
	return value, set
}

// numbers counts the numbers in a list; 0 where something in it is none.
func numbers(list string) int {
	parts := strings.Split(list, ",")
	for _, part := range parts {
		if _, err := strconv.ParseUint(part, 10, 16); err != nil {
			return 0
		}
	}
	return len(parts)
}

func upTo(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = strconv.Itoa(i)
	}
	return strings.Join(list, ",")
}
