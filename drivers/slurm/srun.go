package main

import (
	"cmp"
	"fmt"
	"os"
	"strings"

	"github.com/berth-hpc/berth/sdk"
)

const (
	// exitError is srun's status where it could not start the container: berth's own for that.
	exitError = "SLURM_EXIT_ERROR=125"
	// hookArgs is how many arguments srun has room for when it calls a hook (_run_srun_script in srun_job.c).
	hookArgs = 1000
)

// srun is the command that becomes the container.
func (d *driver) srun(c *sdk.Container, r *record, p *portable, w wishes) (*sdk.Command, error) {
	cmd := &sdk.Command{Path: d.command("srun"), Env: append(d.environment(), exitError)}
	cmd.Args = append([]string{"srun", "--quiet", "--disable-status", "--export=NONE"}, d.job(c, r, w)...)
	if p.spec.Process.Terminal {
		cmd.Args = append(cmd.Args, "--pty")
	}
	dir := cmp.Or(r.Node, r.Staged)
	// Slurm wants a directory that the node has, and berth takes it for the container's where that has it too.
	work := dir
	if p.spec.Process.Cwd == "/" {
		work = "/"
	}
	cmd.Args = append(cmd.Args, "--chdir="+work, "--container="+dir)
	var scopes []scope
	if r.Job != "" {
		scopes = append(scopes, ofJob)
	}
	if len(p.spec.Process.Args) < hookArgs {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("finding the driver's own program: %w", sdk.Mark(err, sdk.ErrUnavailable))
		}
		cmd.Args = append(cmd.Args, "--prolog="+self, "--epilog="+self)
		cmd.Env = append(cmd.Env, rootVariable+"="+c.Root)
	}
	cmd.Args = append(append(cmd.Args, w.arguments(scopes...)...), "--")
	cmd.Args = append(cmd.Args, p.spec.Process.Args...)
	return cmd, nil
}

// job says in which job the step is, and gives both a name. The name of a step is what it is found by.
func (d *driver) job(c *sdk.Container, r *record, w wishes) []string {
	if r.Job == "" {
		w["job-name"] = cmp.Or(w["job-name"], "berth-"+strings.TrimPrefix(c.ID, "berth-"))
		return []string{"--comment=" + r.Key}
	}
	w["job-name"] = r.Key
	args := []string{"--jobid=" + r.Job}
	if !w.any("exact", "exclusive") {
		args = append(args, "--overlap") // what the job's other steps have is the container's too
	}
	if !r.Ours && !w.any("nodes", "ntasks", "ntasks-per-node", "nodelist") {
		args = append(args, "--nodes=1", "--ntasks=1")
	}
	return args
}
