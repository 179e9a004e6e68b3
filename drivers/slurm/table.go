package main

// form says what value an option of srun takes.
type form int

const (
	withValue form = iota // --nodes=2
	yesNo                 // --exact, for "true"
	optional              // --exclusive for "true", --exclusive=user
)

// scope says what an option is about: salloc knows none of a step's, and a step has no use for a job's.
type scope int

const (
	ofBoth scope = iota
	ofJob
	ofStep
)

// option is one of srun's options that a container may ask for: by the variable BERTH_SLURM_NAME, with
// underscores, by the annotation org.berth.slurm.name, or by options.name in berth.toml.
type option struct {
	name  string // the long one of srun(1)
	form  form
	scope scope
	also  []string // further names of the variable, as scrun(1) and srun(1) have them
}

// table holds every option. Not in it are those that say what is run, where its streams go and what its
// environment is: config.json and the caller say that.
var table = [...]option{
	{name: "account", scope: ofJob},
	{name: "acctg-freq"},
	{name: "bb", scope: ofJob, also: []string{"BURST_BUFFER"}},
	{name: "begin", scope: ofJob},
	{name: "cluster-constraint", scope: ofJob},
	{name: "clusters", scope: ofJob},
	{name: "constraint"},
	{name: "contiguous", scope: ofJob, form: yesNo},
	{name: "core-spec", scope: ofJob},
	{name: "cores-per-socket", also: []string{"NCORES_PER_SOCKET"}},
	{name: "cpu-bind", scope: ofStep},
	{name: "cpu-freq", also: []string{"CPU_FREQ_REQ"}},
	{name: "cpus-per-gpu"},
	{name: "cpus-per-task"},
	{name: "deadline", scope: ofJob},
	{name: "delay-boot", scope: ofJob},
	{name: "dependency", scope: ofJob},
	{name: "distribution"},
	{name: "exact", scope: ofStep, form: yesNo},
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
	{name: "gres-flags", scope: ofJob},
	{name: "hint"},
	{name: "immediate", form: optional},
	{name: "input", scope: ofStep},
	{name: "job-name"},
	{name: "kill-on-bad-exit", scope: ofStep, form: optional},
	{name: "label", scope: ofStep, form: yesNo, also: []string{"LABELIO"}},
	{name: "licenses", scope: ofJob},
	{name: "mail-type", scope: ofJob},
	{name: "mail-user", scope: ofJob},
	{name: "mem", also: []string{"MEM_PER_NODE"}},
	{name: "mem-bind"},
	{name: "mem-per-cpu"},
	{name: "mem-per-gpu"},
	{name: "mincpus", scope: ofJob},
	{name: "mpi", scope: ofStep, also: []string{"MPI_TYPE"}},
	{name: "network"},
	{name: "nice", scope: ofJob},
	{name: "nodelist", also: []string{"JOB_NODELIST"}},
	{name: "nodes", also: []string{"NUM_NODES", "JOB_NUM_NODES", "NNODES"}},
	{name: "ntasks"},
	{name: "ntasks-per-core"},
	{name: "ntasks-per-gpu"},
	{name: "ntasks-per-node"},
	{name: "ntasks-per-socket"},
	{name: "overcommit", form: yesNo},
	{name: "oversubscribe", scope: ofJob, form: yesNo},
	{name: "partition", scope: ofJob},
	{name: "prefer", scope: ofJob},
	{name: "priority", scope: ofJob},
	{name: "profile"},
	{name: "propagate", scope: ofStep, form: optional},
	{name: "qos", scope: ofJob},
	{name: "reservation", scope: ofJob},
	{name: "signal"},
	{name: "sockets-per-node", also: []string{"NSOCKETS_PER_NODE"}},
	{name: "spread-job", scope: ofJob, form: yesNo},
	{name: "switches", scope: ofJob, also: []string{"REQ_SWITCH"}},
	{name: "thread-spec", scope: ofJob},
	{name: "threads-per-core"},
	{name: "time", also: []string{"TIME_LIMIT", "TIMELIMIT"}},
	{name: "time-min", scope: ofJob},
	{name: "tmp", scope: ofJob},
	{name: "tres-bind"},
	{name: "tres-per-task"},
	{name: "unbuffered", scope: ofStep, form: yesNo, also: []string{"UNBUFFEREDIO"}},
	{name: "use-min-nodes", scope: ofJob, form: yesNo},
	{name: "wait", scope: ofStep},
	{name: "wckey", scope: ofJob},
}
