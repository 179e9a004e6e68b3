package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/berth-hpc/berth/host/slurm"
)

// slurmd is where the daemon of a compute node is installed.
var slurmd = [...]string{"usr/sbin/slurmd", "usr/local/sbin/slurmd", "opt/slurm/sbin/slurmd"}

// slurmConf looks at what a compute node of Slurm does with container jobs.
func slurmConf() check {
	missing := fault{
		when: "slurmd is installed and there is no oci.conf", status: StatusWarning,
		why:  "Slurm runs a container job on the bare node then, with status 0 and no word",
		mend: "berth slurm conf > FILE",
	}
	danger := fault{
		when: "oci.conf has something dangerous in it", status: StatusBroken,
		why:  "it opens root to users, loses output or exit statuses, or leaves containers behind; the command says which",
		mend: "berth slurm conf --check FILE",
	}
	doubtful := fault{
		when: "oci.conf has something in it that does not do what it looks like", status: StatusWarning,
		why:  "container jobs fail or leave something behind in some cases; the command says which",
		mend: "berth slurm conf --check FILE",
	}
	unreadable := fault{
		when: "oci.conf cannot be read", status: StatusWarning,
		why:  "slurmstepd reads it as the job's user: a job whose user cannot read it fails",
		mend: "chmod a+r FILE",
	}
	return check{
		name: "slurm", about: "On a compute node of Slurm, whether its oci.conf runs containers, safely (oci.conf(5)).",
		faults: []fault{missing, danger, doubtful, unreadable},
		look: func(e *examination) {
			if !e.computeNode() {
				e.ok("no slurmd is installed: this is no compute node of Slurm")
				return
			}
			path := slurm.ConfFile(slurm.SlurmConf(e.Root))
			file, err := os.Open(path)
			switch {
			case errors.Is(err, fs.ErrNotExist):
				e.found(missing, fmt.Sprintf("slurmd is installed, but there is no %s", path), "FILE", path)
				return
			case err != nil:
				e.foundError(unreadable, err, "", "FILE", path)
				return
			}
			defer file.Close()
			faults, err := slurm.Lint(file)
			if err != nil {
				e.foundError(unreadable, err, "", "FILE", path)
				return
			}
			for _, f := range faults {
				kind := doubtful
				if f.Danger {
					kind = danger
				}
				e.found(kind, fmt.Sprintf("%s:%d: %s: %s", path, f.Line, f.Option, f.What), "FILE", path)
			}
			if len(faults) == 0 {
				e.ok("%s is good", path)
			}
		},
	}
}

func (n *Node) computeNode() bool {
	for _, file := range slurmd {
		if _, err := os.Stat(filepath.Join(n.Root, file)); err == nil {
			return true
		}
	}
	return false
}
