package slurm

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/berth-hpc/berth/host/config"
	"github.com/berth-hpc/berth/host/dispatch"
)

// TestExplain: a bundle's own wish counts for the container that is named, and not for a bundle that
// happens to be the working directory.
func TestExplain(t *testing.T) {
	dir := t.TempDir()
	text := `{"ociVersion": "1.0.2", "root": {"path": "rootfs"}, "annotations": {"org.berth.driver": "auto"}}`
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	rules := config.Default()
	rules.DefaultDriver = "crun"
	for name, c := range map[string]struct {
		env       []string
		container string
		want      string
	}{
		"no container":       {nil, "", "crun"},
		"named":              {nil, dir, "auto"},
		"the job's":          {[]string{"SLURM_CONTAINER=" + dir}, "", "auto"},
		"not on this node":   {nil, dir + "/missing", "crun"},
		"named, not the job": {[]string{"SLURM_CONTAINER=" + dir}, dir + "/missing", "crun"},
	} {
		choice, err := Explain(&dispatch.Host{Config: rules, Env: c.env}, "", c.container)
		if err != nil || choice.Driver != c.want {
			t.Errorf("%s: got %+v, %v; want %s", name, choice, err, c.want)
		}
	}
}
