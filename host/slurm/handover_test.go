package slurm

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestHandOver: TaskProlog leaves what 22.05 tells it alone, and the container gets it once.
func TestHandOver(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	makeFile(t, filepath.Join(dir, "oci.conf"), "RunTimeRun=\"exec /usr/bin/berth slurm run --job %j\"\n")
	env := []string{
		"SLURM_CONTAINER=/b", "SLURM_CONF=" + filepath.Join(dir, "slurm.conf"), "SLURM_SCRIPT_CONTEXT=prolog_task",
		"SLURM_PROCID=1", "PMI_FD=9", "PMIX_RANK=1", "SLURMD_NODENAME=n2", "HOME=/root", "SLURM_JOB_ID=7",
	}
	if err := Guard(env); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(handedOver); err == nil {
		t.Error("something was left in a directory that is not a task's")
	}

	makeFile(t, "config.json", "{}")
	if err := Guard(env); err != nil {
		t.Fatal(err)
	}
	got, err := takeOver(dir, []string{"SLURM_CONTAINER=/b", "SLURM_JOB_ID=7"})
	want := []string{"SLURM_PROCID=1", "PMI_FD=9", "PMIX_RANK=1", "SLURMD_NODENAME=n2"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q and %v, want %q", got, err, want)
	}
	if got, err := takeOver(dir, nil); err != nil || got != nil {
		t.Errorf("the second time: %q, %v", got, err)
	}
}

// TestHandOverForged: what a user puts there is read as his, or refused.
func TestHandOverForged(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, handedOver)); err != nil {
		t.Fatal(err)
	}
	if got, err := takeOver(dir, nil); err == nil {
		t.Errorf("a link was followed: %q", got)
	}
}

func makeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
