package doctor

import (
	"strings"
	"testing"

	"github.com/berth-hpc/berth/host/slurm"
)

func TestSlurmConf(t *testing.T) {
	good, err := slurm.Conf{Berth: "/usr/bin/berth", Version: slurm.Version{Year: 24, Month: 11}, Signals: "direct"}.Text()
	must(t, err)
	for name, c := range map[string]struct {
		slurmd bool
		conf   string // "": no file
		status Status
		what   string
		mend   string // with FILE for the path
	}{
		"no compute node":  {false, "", StatusOK, "no slurmd", ""},
		"no oci.conf":      {true, "", StatusWarning, "there is no", "berth slurm conf > FILE"},
		"berth's own":      {true, good, StatusOK, "is good", ""},
		"create and start": {true, good + "RunTimeCreate=\"runc create x\"\n", StatusBroken, "RunTimeCreate and RunTimeStart", "berth slurm conf --check FILE"},
		"no effect":        {true, good + "DisableHooks=prestart\n", StatusWarning, "DisableHooks", "berth slurm conf --check FILE"},
	} {
		t.Run(name, func(t *testing.T) {
			n := goodNode(t)
			if c.slurmd {
				write(t, n, "usr/sbin/slurmd", "")
			}
			if c.conf != "" {
				write(t, n, "etc/slurm/oci.conf", c.conf)
			}
			one(t, examine(t, n, slurmConf()), c.status, c.what, strings.ReplaceAll(c.mend, "FILE", n.path("etc/slurm/oci.conf")))
		})
	}
}

// TestSlurmConfConfigless: where the controller hands out the configuration, /etc/slurm is empty.
func TestSlurmConfConfigless(t *testing.T) {
	n := goodNode(t)
	write(t, n, "usr/sbin/slurmd", "")
	write(t, n, "run/slurm/conf/slurm.conf", "")
	write(t, n, "run/slurm/conf/oci.conf", "DisableHooks=prestart\nRunTimeRun=\"exec x\"\nRunTimeQuery=x\nRunTimeKill=x\nRunTimeDelete=x\n")
	one(t, examine(t, n, slurmConf()), StatusWarning, "DisableHooks", "berth slurm conf --check "+n.path("run/slurm/conf/oci.conf"))
}
