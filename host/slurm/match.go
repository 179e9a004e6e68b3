package slurm

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/berth-hpc/berth/host/config"
)

// match is what the rules of berth.toml are matched against.
func (j job) match() config.Request {
	return config.Request{
		Partition: j["SLURM_JOB_PARTITION"], Account: j["SLURM_JOB_ACCOUNT"], User: j.user(),
		QOS: j["SLURM_JOB_QOS"], GRES: j.gres(), Groups: groups(), Container: j["SLURM_CONTAINER"],
	}
}

// user is the name of this process's user. 22.05 does not tell it to batch jobs; /etc/passwd does not
// know everybody.
func (j job) user() string {
	if u, err := user.LookupId(strconv.Itoa(os.Getuid())); err == nil {
		return u.Username
	}
	return j["SLURM_JOB_USER"]
}

// groups names the groups of this process, those that /etc/group knows.
func groups() []string {
	ids, err := os.Getgroups()
	if err != nil {
		return nil
	}
	var names []string
	for _, id := range append(ids, os.Getgid()) {
		if g, err := user.LookupGroupId(strconv.Itoa(id)); err == nil {
			names = append(names, g.Name)
		}
	}
	return names
}

// gres lists what Slurm says of generic resources in the environment of a task, in the words of
// --gres: what was asked for each task, GPUs as they were asked for, and GPUs that it got. Of other
// resources that were asked for with --gres it says nothing.
func (j job) gres() []string {
	var list []string
	for _, item := range strings.Split(j["SLURM_TRES_PER_TASK"], ",") { // gres/gpu:a100=1,cpu=2
		if item, found := strings.CutPrefix(item, "gres/"); found {
			list = append(list, strings.ReplaceAll(item, "=", ":"))
		}
	}
	for _, name := range []string{"SLURM_GPUS", "SLURM_GPUS_PER_NODE", "SLURM_GPUS_PER_TASK"} {
		for _, item := range strings.Split(j[name], ",") { // 2, or a100:1,v100:1
			if item != "" && item != "0" {
				list = append(list, "gpu:"+item)
			}
		}
	}
	if n := j.gpus(); n > 0 {
		list = append(list, fmt.Sprintf("gpu:%d", n))
	}
	for _, item := range list {
		if item == "gpu" || strings.HasPrefix(item, "gpu:") {
			return append(list, "gpu")
		}
	}
	return list
}

// gpus is how many GPUs the step has on this node, or else the job.
func (j job) gpus() int {
	for _, name := range []string{"SLURM_STEP_GPUS", "SLURM_JOB_GPUS"} { // 0,1
		if j[name] != "" {
			return strings.Count(j[name], ",") + 1
		}
	}
	return j.number("SLURM_GPUS_ON_NODE", 0)
}
