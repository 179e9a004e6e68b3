package slurm

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/sdk"
)

func TestGuard(t *testing.T) {
	for name, c := range map[string]struct {
		conf      string // "" : none
		container string
		says      string // "" : may run
	}{
		"no container asked for": {"", "", ""},
		"no oci.conf":            {"", "/b", "no "},
		"of berth":               {"RunTimeRun=\"exec /usr/bin/berth slurm run --job %j\"\n", "/b", ""},
		"of something else":      {"RunTimeRun=\"runc run\"\n", "/b", "not run containers through berth"},
		"commented out":          {"#RunTimeRun=\"exec /usr/bin/berth slurm run --job %j\"\n", "/b", "not run containers through berth"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if c.conf != "" {
				if err := os.WriteFile(filepath.Join(dir, "oci.conf"), []byte(c.conf), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			err := Guard([]string{"SLURM_CONTAINER=" + c.container, "SLURM_CONF=" + filepath.Join(dir, "slurm.conf")})
			switch {
			case c.says == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.says != "" && (!errors.Is(err, sdk.ErrUnavailable) || !strings.Contains(err.Error(), c.says)):
				t.Errorf("got %v, want an ErrUnavailable that says %q", err, c.says)
			}
		})
	}
}
