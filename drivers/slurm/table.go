package main

// form says what value an option of srun takes.
type form int

const (
	withValue form = iota // --nodes=2
	yesNo                 // --exact, for "true"
	optional              // --exclusive for "true", --exclusive=user
)

// option is one of srun's options that a container may ask for: by the variable BERTH_SLURM_NAME, with
// underscores, by the annotation org.berth.slurm.name, or by options.name in berth.toml.
type option struct {
	name string   // the long one of srun(1)
	form form     // what follows it
	also []string // further names of the variable, as scrun(1) and srun(1) have them
}

// table holds every option. Not in it are those that say what is run, where its streams go and what its
// environment is: config.json and the caller say that.
var table = [...]option{
	{name: "account"},
	{name: "acctg-freq"},
	{name: "bb", also: []string{"BURST_BUFFER"}},
	{name: "begin"},
	{name: "cluster-constraint"},
	{name: "clusters"},
	{name: "constraint"},
	{name: "contiguous", form: yesNo},
	{name: "core-spec"},
	{name: "cores-per-socket", also: []string{"NCORES_PER_SOCKET"}},
	{name: "cpu-bind"},
	{name: "cpu-freq", also: []string{"CPU_FREQ_REQ"}},
	{name: "cpus-per-gpu"},
	{name: "cpus-per-task"},
	{name: "deadline"},
	{name: "delay-boot"},
	{name: "dependency"},
	{name: "distribution"},
	{name: "exact", form: yesNo},
	{name: "exclude"},
	{name: "exclusive", form: optional},
	{name: "extra-node-info"},
	{name: "gpu-bind"},
	{name: "gpu-freq"},
	{name: "gpus"},
	{name: "gpus-per-node"},
	{name: "gpus-per-socket"},
	{name: "gpus-per-task"},
	{name: "gres"},
	{name: "gres-flags"},
	{name: "hint"},
	{name: "immediate", form: optional},
	{name: "input"},
	{name: "job-name"},
	{name: "kill-on-bad-exit", form: optional},
	{name: "label", form: yesNo, also: []string{"LABELIO"}},
	{name: "licenses"},
	{name: "mail-type"},
	{name: "mail-user"},
	{name: "mem", also: []string{"MEM_PER_NODE"}},
	{name: "mem-bind"},
	{name: "mem-per-cpu"},
	{name: "mem-per-gpu"},
	{name: "mincpus"},
	{name: "mpi", also: []string{"MPI_TYPE"}},
	{name: "network"},
	{name: "nice"},
	{name: "nodelist", also: []string{"JOB_NODELIST"}},
	{name: "nodes", also: []string{"NUM_NODES", "JOB_NUM_NODES", "NNODES"}},
	{name: "ntasks"},
	{name: "ntasks-per-core"},
	{name: "ntasks-per-gpu"},
	{name: "ntasks-per-node"},
	{name: "ntasks-per-socket"},
	{name: "overcommit", form: yesNo},
	{name: "oversubscribe", form: yesNo},
	{name: "partition"},
	{name: "prefer"},
	{name: "priority"},
	{name: "profile"},
	{name: "propagate", form: optional},
	{name: "qos"},
	{name: "reservation"},
	{name: "signal"},
	{name: "sockets-per-node", also: []string{"NSOCKETS_PER_NODE"}},
	{name: "spread-job", form: yesNo},
	{name: "switches", also: []string{"REQ_SWITCH"}},
	{name: "thread-spec"},
	{name: "threads-per-core"},
	{name: "time", also: []string{"TIME_LIMIT", "TIMELIMIT"}},
	{name: "time-min"},
	{name: "tmp"},
	{name: "tres-bind"},
	{name: "tres-per-task"},
	{name: "unbuffered", form: yesNo, also: []string{"UNBUFFEREDIO"}},
	{name: "use-min-nodes", form: yesNo},
	{name: "wait"},
	{name: "wckey"},
}
