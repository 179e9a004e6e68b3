package slurm

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/berth-hpc/berth/host/dispatch"
)

// TestImageEnvironment: both forms of CreateEnvFile's file are read, and what the bundle sets wins.
func TestImageEnvironment(t *testing.T) {
	dir := t.TempDir()
	config := `{"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "process": {"args": ["sh"], "cwd": "/", "env": ["PATH=/image"]}}`
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	for form, end := range map[string]string{"null": "\x00", "newline": "\n"} {
		file := filepath.Join(t.TempDir(), "environment")
		text := "PATH=/node" + end + "SLURM_CONTAINER=" + dir + end + "EMPTY=" + end
		if end == "\x00" {
			text += "TWO=a\nb" + end
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var r dispatch.Request
		env, err := Launch{EnvFile: file, Args: []string{"/bin/true"}}.image(&r)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"SLURM_CONTAINER=" + dir, "EMPTY="}
		if end == "\x00" {
			want = append(want, "TWO=a\nb")
		}
		if !slices.Equal(r.Env, want) || !slices.Contains(env, "PATH=/node") || r.Bundle != dir {
			t.Errorf("%s: got %q for the container, %q for the job, bundle %q", form, r.Env, env, r.Bundle)
		}
	}
}

// TestImageBatchScript: Slurm names the script on the node; the container gets it.
func TestImageBatchScript(t *testing.T) {
	file := filepath.Join(t.TempDir(), "environment")
	if err := os.WriteFile(file, []byte("SLURM_CONTAINER="+t.TempDir()+"\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	script := []string{"/var/spool/slurmd/job00007/slurm_script", "two words"}
	for step, want := range map[string]string{batchStep: startup, "0": script[0]} {
		var r dispatch.Request
		if _, err := (Launch{Task: Task{Step: step}, EnvFile: file, Args: script}).image(&r); err != nil {
			t.Fatal(err)
		}
		if r.Args[0] != want || r.Args[1] != script[1] || (len(r.Mounts) == 1) != (step == batchStep) {
			t.Errorf("step %s: args %q, mounts %v", step, r.Args, r.Mounts)
		}
	}
}
