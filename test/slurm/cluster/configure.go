package cluster

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// settings are the files of /etc/slurm.
type settings map[string]string

// configure writes slurm.conf(5) for daemons that all run as root on one machine without systemd.
func configure(o Options) settings {
	cpus := o.CPUs
	if cpus == 0 {
		cpus = 64
	}
	lines := []string{
		"ClusterName=berth",
		"SlurmctldHost=n1",
		"SlurmUser=root",
		"AuthType=auth/munge",
		"AuthInfo=socket=" + mungeSocket,
		"StateSaveLocation=/var/spool/slurmctld",
		"SlurmdSpoolDir=/var/spool/slurmd",
		"SlurmctldPidFile=/run/slurmctld.pid",
		"SlurmdPidFile=/run/slurmd.pid",
		"ProctrackType=proctrack/linuxproc",
		"TaskPlugin=task/none",
		"SelectType=select/cons_tres",
		"SelectTypeParameters=CR_CPU",
		"SlurmdParameters=config_overrides", // more CPUs than there are
		"SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=1", // batch jobs start at once
		"LaunchParameters=use_interactive_step",
		"ReturnToService=2",
		"MpiDefault=none",
		// What has ended is told by a line of a file, so that nobody has to ask.
		"JobCompType=jobcomp/filetxt",
		"JobCompLoc=" + endedFile,
		"MinJobAge=7200",
		// No limit of Slurm's own ends anything because the machine is slow or busy.
		"MessageTimeout=100", "TCPTimeout=100", "BatchStartTimeout=3600", "SlurmdTimeout=3600", "UnkillableStepTimeout=3600",
		"MailProg=/bin/true",
	}
	lines = append(lines, o.Lines...)
	for i := range max(o.Nodes, 1) {
		lines = append(lines, fmt.Sprintf("NodeName=%s Port=%d CPUs=%d", nodeName(i), 6820+i, cpus))
	}
	lines = append(lines, "PartitionName=main Nodes=ALL Default=YES OverSubscribe=FORCE:64 MaxTime=INFINITE DefaultTime=INFINITE")
	s := settings{
		"slurm.conf":  strings.Join(lines, "\n") + "\n",
		"cgroup.conf": "CgroupPlugin=disabled\n",
	}
	if strings.Contains(o.Root, "bookworm") || o.Root == "/" {
		delete(s, "cgroup.conf") // 22.05 does not know that value
	}
	if o.OCI != "" {
		s["oci.conf"] = o.OCI
	}
	return s
}

func nodeName(i int) string { return fmt.Sprintf("n%d", i+1) }

// mungeSocket is the socket of munged on each node.
const mungeSocket = "/run/munge/munge.socket.2"

// mungeKey makes the secret that the daemons of a cluster share.
func mungeKey() ([]byte, error) {
	key := make([]byte, 128)
	_, err := rand.Read(key)
	return key, err
}
