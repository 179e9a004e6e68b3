package slurm

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// job is what a job's environment says.
type job map[string]string

func newJob(env []string) job {
	j := make(job, len(env))
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		j[name] = value
	}
	return j
}

func (j job) value(name string) string { return j[name] }

func (j job) number(name string, otherwise int) int {
	if n, err := strconv.Atoi(j[name]); err == nil {
		return n
	}
	return otherwise
}

// workdir is the directory that the job was told to work in. From 23.02 on it is this process's own;
// before, no variable tells --chdir, and PWD is the directory of the shell that called srun or sbatch.
func (j job) workdir(inSpool bool) string {
	dir, err := os.Getwd()
	if inSpool {
		dir = j["PWD"]
	}
	if err != nil || !filepath.IsAbs(dir) {
		return ""
	}
	return filepath.Clean(dir)
}
